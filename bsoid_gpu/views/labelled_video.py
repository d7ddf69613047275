"""The video of a session with the behaviour written into every frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.log import logger, progress
from bsoid_gpu.views import cameras, drawing
from bsoid_gpu.views.pipeline import Behind, ahead
from bsoid_gpu.views.video_reading import VideoReader, differences
from bsoid_gpu.views.video_writing import video_writer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.pose import Pose
    from bsoid_gpu.views.drawing import Colour, Picture

WINDOW_S = 10.0  # of the moving strip, before and after the frame
STRIP_PX, BAR_PX, GAP_PX = 24, 10, 4
LEAST_TEXT_PX, TEXT_SHARE = 13, 30  # size of the letters: a share of the height
BACKGROUND: Colour = (18, 19, 22)
NO_TRACK, NO_ANIMAL, UNSURE, DAMAGED = "no track", "no animal", "unsure", "damaged frame"
GREY: Colour = (120, 124, 132)
DARK: Colour = (44, 47, 53)


class Shown(NamedTuple):
    """What is written for a label: number and name, and the colour (``#rrggbb``)."""

    text: str
    colour: str


@dataclass(frozen=True)
class LabelledVideo:
    """A video that was written: its file, frames, encoder and speed, and what is to be said of it."""

    path: Path
    frames: int
    encoder: str
    frames_per_s: float
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Frames:
    """For each frame of the video: what is written, its colour, the confidence, and the row of the track or -1."""

    text: list[str]
    colour: NDArray[np.uint8]
    confidence: NDArray[np.float64]
    rows: NDArray[np.int64]


def write_labelled_video(
    path: Path,
    video: Path,
    pose: Pose,
    labels: NDArray[np.int64],
    confidence: NDArray[np.floating],
    shown: Callable[[int], Shown],
    skeleton: Sequence[Sequence[int]] | None = None,
) -> LabelledVideo:
    """Write the video of a session with name, colour and confidence of the behaviour, and the ethogram below.

    Every frame of the video is in the result, with its time stamp. Frames that the track does not have, and those
    without the animal, say so.

    Parameters
    ----------
    path
        The file, .mp4 or .mov.
    video
        The session's video.
    pose
        The session; its positions are in px of the video.
    labels, confidence
        (frames of the pose,) of each frame; -1 is unsure.
    shown
        What is written for a label of 0 or more.
    skeleton
        Pairs of indices of keypoints, to draw the pose; None does not draw it.

    Raises
    ------
    BadInput
        A video that cannot be read, or a file that cannot be written.
    """
    if path.resolve() == video.resolve():
        msg = f"{str(path)!r} is the session's video itself: choose another file for --out"
        raise BadInput(msg)
    started = time.perf_counter()
    notes = []
    with VideoReader(video) as reader:
        if note := differences(reader, pose):
            logger.warning("%s", note)
            notes.append(note)
        frames = _of_video(reader.frame_count, pose, labels, confidence, shown)
        overlay = _Overlay(frames, reader, pose, skeleton)
        damaged: list[int] = []
        height = reader.height + 2 * GAP_PX + STRIP_PX + BAR_PX
        index = reader.index
        with (
            video_writer(path, reader.width, height, reader.average_rate, time_base=index.time_base) as writer,
            Behind(writer.write) as write,
            closing(ahead(_pictures(reader, damaged))) as pictures,  # else its thread reads from a closed file
        ):
            first = min(0, int(index.pts[0]))  # a container has no times before 0
            for number, picture in enumerate(progress(pictures, f"{pose.name}: frames", reader.frame_count)):
                write(overlay.on(picture, number), int(index.pts[number]) - first)
        if damaged:
            notes.append(f"{pose.name}: {len(damaged)} frames of {video.name!r} are damaged, the first is {damaged[0]}")
            logger.warning("%s", notes[-1])
    speed = reader.frame_count / (time.perf_counter() - started)
    return LabelledVideo(path, reader.frame_count, writer.encoder, speed, tuple(notes))


def _pictures(reader: VideoReader, damaged: list[int]) -> Iterator[Picture | None]:
    """Every frame; None for one that is damaged, whose number is added to ``damaged``."""
    for number in range(reader.frame_count):
        try:
            yield reader.frame(number)
        except BadInput:
            damaged.append(number)
            yield None


def _of_video(
    count: int,
    pose: Pose,
    labels: NDArray[np.int64],
    confidence: NDArray[np.floating],
    shown: Callable[[int], Shown],
) -> _Frames:
    """Bring labels from the frames of the track to those of the video."""
    rows = cameras.rows_of(pose, np.arange(count))
    there = rows >= 0
    known = np.maximum(rows, 0)
    if not pose.frames:
        return _Frames([NO_TRACK] * count, np.full((count, 3), DARK, dtype=np.uint8), np.zeros(count), rows)
    animal = np.isfinite(pose.position[:, 0]).all(axis=2).any(axis=1)[known]
    label = np.where(there, labels[known], -1)
    what = {int(one): shown(int(one)) for one in np.unique(label) if one >= 0}
    # reasons for no label, from -1 on
    reason = np.select([~there, ~animal & (label < 0), label < 0], [-3, -2, -1], label)
    texts = {-3: NO_TRACK, -2: NO_ANIMAL, -1: UNSURE} | {one: shown.text for one, shown in what.items()}
    colours = {-3: DARK, -2: DARK, -1: GREY} | {one: drawing.rgb(shown.colour) for one, shown in what.items()}
    keys, inverse = np.unique(reason, return_inverse=True)
    colour = np.array([colours[int(key)] for key in keys], dtype=np.uint8)[inverse]
    sure = np.where(there & (label >= 0), np.asarray(confidence, dtype=np.float64)[known], 0.0)
    return _Frames([texts[int(key)] for key in reason], colour, sure, rows)


class _Overlay:
    """Adds to each frame what is said of it."""

    def __init__(
        self, frames: _Frames, reader: VideoReader, pose: Pose, skeleton: Sequence[Sequence[int]] | None
    ) -> None:
        self._frames, self._skeleton, self._pose = frames, skeleton, pose
        self._width, self._height = reader.width, reader.height
        self._letters = max(LEAST_TEXT_PX, reader.height // TEXT_SHARE)
        count = reader.frame_count
        columns = np.minimum(np.arange(self._width) * count // self._width, count - 1)
        self._bar = np.broadcast_to(frames.colour[columns], (BAR_PX, self._width, 3))
        half = max(1.0, WINDOW_S * float(reader.average_rate))
        self._window = np.rint(np.linspace(-half, half, self._width)).astype(np.int64)
        self._last = np.zeros((self._height, self._width, 3), dtype=np.uint8)

    def on(self, picture: Picture | None, number: int) -> Picture:
        """The picture of a frame with what is said of it; without one, the last picture."""
        frames, height = self._frames, self._height
        result = np.empty((height + 2 * GAP_PX + STRIP_PX + BAR_PX, self._width, 3), dtype=np.uint8)
        result[:height] = self._last if picture is None else picture
        result[height:] = BACKGROUND
        self._last = result[:height] if picture is None else picture
        colour = (int(frames.colour[number, 0]), int(frames.colour[number, 1]), int(frames.colour[number, 2]))
        if self._skeleton is not None and frames.rows[number] >= 0:
            self._draw_pose(result[:height], int(frames.rows[number]), colour)
        self._write(
            result, DAMAGED if picture is None else frames.text[number], colour, float(frames.confidence[number])
        )
        self._ethogram(result, number)
        return result

    def _write(self, result: Picture, text: str, colour: Colour, confidence: float) -> None:
        """Colour, number and name at the upper left, and the confidence as a bar below."""
        letters, edge = self._letters, self._letters // 2
        plate = drawing.text_plate(text, letters, width=max(letters, self._width - 3 * edge - letters))
        tall = plate.shape[0]
        drawing.put(result, np.full((tall, letters, 3), colour, dtype=np.uint8), edge, edge)
        drawing.put(result, plate, edge + letters, edge, 0.85)
        if confidence > 0:
            below = drawing.text_plate(f"{100 * confidence:.0f} %", max(10, letters * 2 // 3))
            long = 5 * letters
            drawing.put(
                result, np.full((below.shape[0], long, 3), drawing.PLATE, dtype=np.uint8), edge, edge + tall, 0.85
            )
            filled = max(1, round(confidence * (long - 4)))
            share = np.full((below.shape[0] - 6, filled, 3), colour, dtype=np.uint8)
            drawing.put(result, share, edge + 2, edge + tall + 3)
            drawing.put(result, below, edge + long, edge + tall, 0.85)

    def _ethogram(self, result: Picture, number: int) -> None:
        """A strip of the seconds around the frame, which moves, and below it the whole session."""
        count, top = len(self._frames.rows), self._height + GAP_PX
        at = number + self._window
        inside = (at >= 0) & (at < count)
        strip = np.where(
            inside[:, None], self._frames.colour[np.clip(at, 0, count - 1)], np.array(BACKGROUND, dtype=np.uint8)
        )
        result[top : top + STRIP_PX] = strip
        middle = self._width // 2
        result[top - GAP_PX : top + STRIP_PX, max(0, middle - 1) : middle + 1] = drawing.WHITE
        below = top + STRIP_PX + GAP_PX // 2
        result[below : below + BAR_PX] = self._bar
        here = min(self._width - 1, number * self._width // count)
        result[below - 1 : below + BAR_PX + 1, max(0, here - 1) : here + 2] = drawing.WHITE

    def _draw_pose(self, image: Picture, row: int, colour: Colour) -> None:
        """Draw the pose, in place, on the part of the image where it is."""
        points = self._pose.position[row, 0, :, :2]
        there = points[np.isfinite(points).all(axis=1)]
        if not len(there):
            return
        width = max(2, self._height // 300)
        low = np.maximum(np.floor(there.min(axis=0)).astype(int) - 3 * width - 2, 0)
        high = np.minimum(np.ceil(there.max(axis=0)).astype(int) + 3 * width + 3, (self._width, self._height))
        if np.any(high <= low):
            return
        place = slice(low[1], high[1]), slice(low[0], high[0])
        part = drawing.pillow().Image.fromarray(np.ascontiguousarray(image[place]))
        drawing.draw_pose(part, points - low, self._skeleton or (), colour, width)
        image[place] = np.asarray(part)
