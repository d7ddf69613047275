"""Write a video that plays in every browser: completely or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.files import writing
from bsoid_gpu.views.encoders import Encoder, Format, configure, first_that_works
from bsoid_gpu.views.pyav import explained_video, pyav

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUALITY = 23  # libx264's own
CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov"}  # MKV and WebM round all times to milliseconds
BT601, LIMITED = 5, 1  # FFmpeg's numbers of the colour matrix and range in which the pictures are stored


class VideoWriter:
    """Takes the pictures of a video one after another; see :func:`video_writer`.

    ``encoder`` is the name of the encoder in use.
    """

    def __init__(self, container: Any, encoder: Encoder, wanted: Format) -> None:
        self.encoder = encoder.name
        self._container, self._wanted = container, wanted
        self._stream = container.add_stream(encoder.name, rate=wanted.rate)
        self._stream.time_base = wanted.time_base
        configure(self._stream.codec_context, encoder, wanted)
        self._stream.codec_context.colorspace, self._stream.codec_context.color_range = BT601, LIMITED
        self._reformatter = pyav().video.reformatter.VideoReformatter()
        self._next = 0
        self._last_pts: int | None = None

    def write(self, image: NDArray[np.uint8], pts: int | None = None) -> None:
        """Add a picture.

        Parameters
        ----------
        image
            (height, width, 3) uint8, RGB, of the video's size.
        pts
            Its time in units of the time base, above that of the picture before; by default the next one at the
            video's rate.

        Raises
        ------
        BadInput
            Another size, or a time that is not after the last one.
        """
        wanted = self._wanted
        if image.shape[0] + image.shape[0] % 2 != wanted.height or image.shape[1] + image.shape[1] % 2 != wanted.width:
            msg = f"a picture is {image.shape[1]} x {image.shape[0]} px; expected {wanted.width} x {wanted.height}"
            raise BadInput(msg)
        if pts is None:
            pts = round(self._next / (wanted.rate * wanted.time_base))
        if self._last_pts is not None and pts <= self._last_pts:
            msg = f"the time {pts} of picture {self._next} is not after that of the one before, {self._last_pts}"
            raise BadInput(msg)
        frame = pyav().VideoFrame.from_ndarray(even(image), format="rgb24")
        frame = self._reformatter.reformat(frame, format="yuv420p", dst_colorspace="ITU601", dst_color_range="MPEG")
        frame.pts, frame.time_base = pts, wanted.time_base
        self._container.mux(self._stream.encode(frame))
        self._next, self._last_pts = self._next + 1, pts

    def finish(self) -> None:
        """Encode what is left.

        Raises
        ------
        BadInput
            No picture was written.
        """
        if not self._next:
            msg = "a video without pictures cannot be written"
            raise BadInput(msg)
        self._container.mux(self._stream.encode(None))


def even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture with even width and height, as yuv420p needs them: the last row and column are repeated."""
    odd = [(0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)]
    return np.ascontiguousarray(np.pad(image, odd, mode="edge") if any(after for _, after in odd) else image)


@contextlib.contextmanager
def video_writer(
    path: Path,
    width: int,
    height: int,
    rate: Fraction,
    *,
    time_base: Fraction | None = None,
    quality: int = QUALITY,
    small: bool = False,
) -> Iterator[VideoWriter]:
    """Write a video: H.264 where an encoder for it works, yuv420p, even sizes, index first.

    After the block the file is complete; if the block fails or is interrupted, it is not written at all.

    Parameters
    ----------
    path
        The file, .mp4, .m4v or .mov.
    width, height
        Size of the pictures in px.
    rate
        Frames per second, exactly: 24000/1001 is not 23.976.
    time_base
        Seconds of one unit of the times of the pictures; by default 1 / rate.
    quality
        As libx264's crf: less is better, 23 is good.
    small
        Whether a small file is worth more time.

    Raises
    ------
    BadInput
        Unknown ending, no encoder, disk full, PyAV not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in CONTAINERS:
        msg = f"{path.name!r} does not end like a video; expected {', '.join(CONTAINERS)}"
        raise BadInput(msg)
    time_base = time_base or 1 / rate
    wanted = Format(width + width % 2, height + height % 2, time_base, rate, quality, small)
    encoder = first_that_works(wanted)
    options = {
        "movflags": "+faststart",  # the index before the frames, so that a browser can begin at once
        "movie_timescale": str(time_base.denominator),  # else a first time above 0 is rounded to milliseconds
    }
    # the container writes to the temporary file by its name, since it reads it again to put the index first
    with (
        writing(path) as file,
        explained_video(path, "cannot be written"),
        pyav().open(file.name, "w", format=CONTAINERS[suffix], options=options) as container,
    ):
        writer = VideoWriter(container, encoder, wanted)
        yield writer
        writer.finish()
