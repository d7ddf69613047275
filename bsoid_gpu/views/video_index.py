"""The frames of a video in the order in which they are shown, without decoding them.

Trackers read a video one frame after another, so frame n of a track is the n-th frame that the decoder gives. Neither
n / rate nor the position in the file says which one that is: rates vary, the first time stamp need not be 0, B-frames
are stored in another order, and an edit list can hide frames. The time stamps of the packets say it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.log import logger
from bsoid_gpu.views.pyav import explained_video, pyav

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROBED_FRAMES = 64  # decoded, to see whether the decoder keeps the time stamps: more than any decoder reorders


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """Time stamps of a video's frames.

    Parameters
    ----------
    pts
        (frames,) int64, ascending: time stamp of each frame in units of ``time_base``.
    time_base
        Seconds of one unit.
    keyframes
        (keyframes,) int64, ascending: numbers of the frames at which decoding can begin; empty where frames can only
        be read one after another from the first one on.
    decode_order
        Place of a time stamp's packet in the file, by time stamp; empty where there are no keyframes.
    """

    pts: NDArray[np.int64]
    time_base: Fraction
    keyframes: NDArray[np.int64]
    decode_order: dict[int, int]

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.pts)

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Time of each frame, from the first one on: (frames,) s."""
        return np.asarray((self.pts - self.pts[:1]) * float(self.time_base), dtype=np.float64)

    @property
    def average_rate(self) -> Fraction:
        """Frames per second, averaged over the video; 25 for a single frame, which has none."""
        span = int(self.pts[-1] - self.pts[0]) if self.frames else 0
        return Fraction(self.frames - 1) / (span * self.time_base) if span else Fraction(25)

    @property
    def keyframe_of(self) -> NDArray[np.int64]:
        """Number of the frame at which decoding begins for each frame: (frames,), 0 where nothing is known."""
        if not len(self.keyframes):
            return np.zeros(self.frames, dtype=np.int64)
        places = np.searchsorted(self.keyframes, np.arange(self.frames), side="right") - 1
        return np.where(places < 0, 0, self.keyframes[np.maximum(places, 0)])


def video_stream(container: Any, path: Path) -> Any:
    """The stream of a file that is its video; a cover picture is none.

    Raises
    ------
    BadInput
        There is none.
    """
    picture = pyav().stream.Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & picture]
    if not streams:
        msg = f"{str(path)!r} has no video: expected a video file, such as MP4, AVI, MOV or MKV"
        raise BadInput(msg)
    return streams[0]


def decoded(packets: Iterable[Any]) -> Iterator[Any]:
    """Decode packets; one that is damaged gives no frame, and the next ones are decoded all the same."""
    invalid = pyav().error.InvalidDataError
    for packet in packets:
        with contextlib.suppress(invalid):
            yield from packet.decode()


def index_video(path: Path) -> VideoIndex:
    """Index a video by its packets; where they have no usable time stamps, by decoding all frames.

    Raises
    ------
    BadInput
        Not a video, damaged, or without frames.
    """
    with explained_video(path, "cannot be read as a video"), pyav().open(str(path)) as container:
        stream = video_stream(container, path)
        time_base = Fraction(stream.time_base)
        packets = [
            (packet.pts, bool(packet.is_keyframe), bool(packet.is_discard))
            for packet in container.demux(stream)
            if packet.size
        ]
    index = _from_packets(packets, time_base) if packets else None
    if index is None or not _kept_by_the_decoder(path, index):
        logger.info("%r has no usable time stamps: its frames are read one after another", path.name)
        index = _by_decoding(path, time_base)
    if not index.frames:
        msg = f"{str(path)!r} has no frames that can be decoded: the file is damaged or not complete"
        raise BadInput(msg)
    return index


def _from_packets(packets: list[tuple[int | None, bool, bool]], time_base: Fraction) -> VideoIndex | None:
    """The index, or None where a time stamp is missing or occurs twice.

    Packets that an edit list hides are decoded, since others refer to them, but their frames are not shown.
    """
    stamped = [(pts, key, hidden) for pts, key, hidden in packets if pts is not None]
    if len({pts for pts, _, _ in stamped}) < len(packets):
        return None
    shown = np.array(sorted(pts for pts, _, hidden in stamped if not hidden), dtype=np.int64)
    # a hidden keyframe too is a place to begin: for the first frame that is shown after it
    keys = np.array(sorted(pts for pts, key, _ in stamped if key), dtype=np.int64)
    if not len(shown):
        return None
    numbers = np.unique(np.searchsorted(shown, keys))
    order = {pts: place for place, (pts, _, _) in enumerate(stamped)}
    return VideoIndex(shown, time_base, numbers[numbers < len(shown)], order)


def _kept_by_the_decoder(path: Path, index: VideoIndex) -> bool:
    """Whether the first frames that the decoder gives are the first ones of the index."""
    stamps: list[int | None] = []
    with pyav().open(str(path)) as container:
        stream = video_stream(container, path)
        for frame in decoded(container.demux(stream)):
            stamps.append(frame.pts)
            if len(stamps) == PROBED_FRAMES:
                break
    known = set(index.pts.tolist())
    given = [pts for pts in stamps if pts in known]
    # a frame that is missing is a damaged one, not a wrong time stamp
    return bool(stamps) and len(given) == len(stamps) and given == sorted(given)  # type: ignore[type-var]


def _by_decoding(path: Path, time_base: Fraction) -> VideoIndex:
    """Index of frames that can only be read in order; missing time stamps follow from those before, or the rate."""
    stamps: list[int] = []
    with explained_video(path, "cannot be decoded"), pyav().open(str(path)) as container:
        stream = video_stream(container, path)
        stream.thread_type = "AUTO"
        rate = stream.average_rate or stream.guessed_rate or 25
        step = max(1, round(1 / (Fraction(rate) * time_base)))
        for frame in decoded(container.demux(stream)):
            pts = frame.pts
            after = stamps[-1] + step if stamps else 0
            stamps.append(after if pts is None or (stamps and pts <= stamps[-1]) else pts)
    return VideoIndex(np.array(stamps, dtype=np.int64), time_base, np.empty(0, dtype=np.int64), {})
