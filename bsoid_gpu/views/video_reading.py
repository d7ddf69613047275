"""Frames of a video by their number, exactly."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.views.pyav import explained_video, pyav
from bsoid_gpu.views.video_index import VideoIndex, decoded, index_video, video_stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.pose import Pose

OUTSIDE = (40, 42, 46)  # colour beyond the border of a frame
PLANAR = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "gray", "gray8")  # 8 bits a sample


class VideoReader:
    """Frames of a video: frame n is the n-th one that is shown, as trackers count.

    Parameters
    ----------
    path
        The file.
    index
        Its index, if another reader of the same file has it already.
    threads
        Threads of the decoder; 0 lets the decoder choose.

    Raises
    ------
    BadInput
        Not a video, or a damaged one; PyAV is not installed.
    """

    def __init__(self, path: Path, index: VideoIndex | None = None, threads: int = 0) -> None:
        pyav()
        self.path = path
        self.index = index if index is not None else index_video(path)
        self._threads = threads
        self._keyframe_of = self.index.keyframe_of
        self._container: Any = None
        self._decoded: Iterator[Any] = iter(())
        self._next = 0  # number of the frame that the decoder gives next
        self._last: tuple[int, Any] | None = None  # number of a decoded frame, and the frame
        first = self._decoded_frame(0)
        self._quarter_turns = round((getattr(first, "rotation", 0) or 0) / 90) % 4
        self._reformatter = pyav().video.reformatter.VideoReformatter()
        sides = (first.width, first.height)
        self.width, self.height = sides[::-1] if self._quarter_turns % 2 else sides

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._decoded = iter(())
        if self._container is not None:
            self._container.close()
            self._container = None

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return self.index.frames

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Time of each frame, from the first one on: (frames,) s."""
        return self.index.times_s

    @property
    def average_rate(self) -> Fraction:
        """Frames per second, averaged over the video."""
        return self.index.average_rate

    def frames(self, numbers: Iterable[int]) -> Iterator[NDArray[np.uint8]]:
        """Give frames in the order of ``numbers``, each (height, width, 3) uint8, RGB, upright.

        Ascending numbers are fast: the decoder goes on from one to the next, and seeks only over keyframes.

        Raises
        ------
        BadInput
            A number that the video does not have, or a frame that cannot be decoded.
        """
        for number in numbers:
            yield self.frame(int(number))

    def frame(self, number: int) -> NDArray[np.uint8]:
        """Frame ``number``: see :meth:`frames`."""
        return self._image(self._decoded_frame(number))

    def part(self, number: int, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
        """Part of a frame: what is outside of it is grey.

        This is much faster than the frame where that is large and the part is small.

        Parameters
        ----------
        number
            Number of the frame.
        box
            Left, top, right and bottom in px, the latter two exclusive; they may be beyond the border.
        """
        frame = self._decoded_frame(number)
        left, top, right, bottom = box
        inside = max(left, 0), max(top, 0), min(right, self.width), min(bottom, self.height)
        if inside == box:
            return self._cut(frame, box)
        part = np.full((bottom - top, right - left, 3), OUTSIDE, dtype=np.uint8)
        if inside[0] < inside[2] and inside[1] < inside[3]:
            where = slice(inside[1] - top, inside[3] - top), slice(inside[0] - left, inside[2] - left)
            part[where] = self._cut(frame, inside)
        return part

    def _image(self, frame: Any) -> NDArray[np.uint8]:
        """A decoded frame as it is shown: (height, width, 3), RGB, rotated as its file says."""
        image = self._reformatter.reformat(frame, format="rgb24").to_ndarray()
        return np.ascontiguousarray(np.rot90(image, self._quarter_turns)) if self._quarter_turns else image

    def _cut(self, frame: Any, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
        """Part of a decoded frame, cut out before it is converted; colours have at most half the resolution."""
        if self._quarter_turns or frame.format.name not in PLANAR:
            return self._image(frame)[box[1] : box[3], box[0] : box[2]]
        x, y = box[0] // 2 * 2, box[1] // 2 * 2
        width, height = -(-(box[2] - x) // 2) * 2, -(-(box[3] - y) // 2) * 2
        small = pyav().VideoFrame(width, height, frame.format.name)
        small.colorspace, small.color_range = frame.colorspace, frame.color_range
        for of_frame, of_small in zip(frame.planes, small.planes, strict=True):
            across, down = (1 if of_frame.width == frame.width else 2), (1 if of_frame.height == frame.height else 2)
            target, source = _samples(of_small), _samples(of_frame)
            rows, columns = source.shape[0] - y // down, source.shape[1] - x // across
            target[:rows, :columns] = source[y // down :, x // across :][: target.shape[0], : target.shape[1]]
        image = self._reformatter.reformat(small, format="rgb24").to_ndarray()
        return image[box[1] - y : box[3] - y, box[0] - x : box[2] - x]

    def _decoded_frame(self, number: int) -> Any:
        if not 0 <= number < self.frame_count:
            msg = (
                f"{str(self.path)!r} has no frame {number}: it has {self.frame_count} frames, 0 to "
                f"{self.frame_count - 1}"
            )
            raise BadInput(msg)
        if self._last is None or self._last[0] != number:
            with explained_video(self.path, f"frame {number} of {self.frame_count} cannot be decoded"):
                self._last = (number, self._decode(number))
        return self._last[1]

    def _decode(self, number: int) -> Any:
        if self._container is None or number < self._next or self._keyframe_of[number] > self._next:
            self._seek(int(self._keyframe_of[number]))
        for frame in self._decoded:
            here = self._number_of(frame)
            if here is not None and here >= number:
                self._next = here + 1
                if here == number:
                    return frame
                break
        msg = (
            f"{str(self.path)!r}: frame {number} of {self.frame_count} cannot be decoded: the file is damaged there; "
            "copy it again from its source"
        )
        self._next = self.frame_count  # the next frame is looked for from its keyframe on
        raise BadInput(msg)

    def _number_of(self, frame: Any) -> int | None:
        """Number of a decoded frame; None before the first one that can be decoded after a seek."""
        if not len(self.index.keyframes):
            self._next += 1
            return self._next - 1
        place = int(np.searchsorted(self.index.pts, frame.pts)) if frame.pts is not None else self.frame_count
        return place if place < self.frame_count and self.index.pts[place] == frame.pts else None

    def _seek(self, keyframe: int) -> None:
        """Begin to decode at a keyframe, or at an earlier one where the file's own index is wrong."""
        place = int(np.searchsorted(self.index.keyframes, keyframe))
        for earlier in (place, place - 1, place - 3) if keyframe else ():
            if earlier > 0 and self._begins_before(keyframe, int(self.index.keyframes[earlier])):
                return
        self._open()
        self._next = 0

    def _begins_before(self, keyframe: int, target: int) -> bool:
        """Seek to the keyframe ``target``; whether what follows there in the file includes ``keyframe``."""
        if self._container is None:
            self._open()
        stream = video_stream(self._container, self.path)
        pts = self.index.pts
        self._container.seek(int(pts[target]), stream=stream, backward=True, any_frame=False)
        packets = self._container.demux(stream)
        first = next(packets, None)
        order = self.index.decode_order
        wanted = order.get(int(pts[keyframe]), -1)
        if (
            first is None
            or first.pts is None
            or not first.is_keyframe
            or order.get(int(first.pts), wanted + 1) > wanted
        ):
            return False
        self._decoded = decoded(itertools.chain([first], packets))
        self._next = min(int(np.searchsorted(pts, first.pts)), keyframe)
        return True

    def _open(self) -> None:
        self.close()
        self._container = pyav().open(str(self.path))
        stream = video_stream(self._container, self.path)
        stream.thread_type = "AUTO" if self._threads != 1 else "NONE"
        stream.codec_context.thread_count = self._threads
        self._decoded = decoded(self._container.demux(stream))


def _samples(plane: Any) -> NDArray[np.uint8]:
    """Samples of a plane with 8 bits each: (height, width), a view."""
    return np.frombuffer(plane, np.uint8)[: plane.height * plane.line_size].reshape(plane.height, -1)[:, : plane.width]


def differences(reader: VideoReader, pose: Pose) -> str:
    """A sentence if the video and the track do not have the same frames, else an empty text."""
    count, video = reader.frame_count, f"{pose.name}: the video {reader.path.name!r} has {reader.frame_count} frames"
    last = int(pose.frame_numbers[-1]) if pose.frames else -1
    if last + 1 == count:
        return ""
    ask = "is it the video that was tracked?"
    if last >= count:
        beyond = int(np.sum(pose.frame_numbers >= count))
        return f"{video}, but the track goes on to frame {last}: {beyond} of its frames have no picture; {ask}"
    return f"{video}, but the track ends with frame {last}: the last {count - last - 1} have no track; {ask}"
