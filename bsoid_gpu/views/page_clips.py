"""Short clips of a video for the report page, inside of it."""

from __future__ import annotations

import base64
import math
import tempfile
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.views import cameras, drawing
from bsoid_gpu.views.video_writing import video_writer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.pose import Pose
    from bsoid_gpu.views.drawing import Picture
    from bsoid_gpu.views.video_reading import VideoReader

SIZE_PX = 160
MOST_BYTES = 20_000
QUALITY, WORST_QUALITY, TRIES = 30, 48, 4  # of the encoder, until the clip is small enough


def page_clip(
    reader: VideoReader,
    pose: Pose,
    frame_numbers: NDArray[np.int64],
    rate: Fraction,
    *,
    size_px: int = SIZE_PX,
    most_bytes: int = MOST_BYTES,
) -> str:
    """A clip that follows the animal, as a data URL.

    Parameters
    ----------
    reader
        The session's video.
    pose
        The session; its positions are in px of the video.
    frame_numbers
        (pictures,) frames to show, ascending; those that the video does not have are replaced by the nearest one.
    rate
        Pictures per second.
    size_px
        Side of the clip.
    most_bytes
        The clip has as much detail as fits; a long one of much movement may be larger all the same.

    Raises
    ------
    BadInput
        No frames, or a frame that cannot be decoded.
    """
    if not len(frame_numbers):
        msg = f"{pose.name}: a clip without frames cannot be written"
        raise BadInput(msg)
    numbers = np.clip(np.asarray(frame_numbers, dtype=np.int64), 0, reader.frame_count - 1)
    camera = cameras.follow(cameras.positions_at(pose, numbers), float(rate), cameras.body_px(pose))
    pictures = [
        np.array(drawing.square_of(partial(reader.part, int(number)), camera, place, size_px))
        for place, number in enumerate(numbers)
    ]
    quality = QUALITY
    content = _encoded(pictures, rate, quality)
    for _ in range(TRIES - 1):
        if len(content) <= most_bytes or quality >= WORST_QUALITY:
            break
        halvings = math.log2(len(content) / most_bytes)  # six steps of the quality halve the size, about
        quality = min(WORST_QUALITY, quality + max(2, math.ceil(6 * halvings)))
        content = _encoded(pictures, rate, quality)
    return f"data:video/mp4;base64,{base64.b64encode(content).decode()}"


def _encoded(pictures: list[Picture], rate: Fraction, quality: int) -> bytes:
    """The content of a video file."""
    height, width = pictures[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        with video_writer(path, width, height, rate, quality=quality, small=True) as writer:
            for picture in pictures:
                writer.write(picture)
        return path.read_bytes()
