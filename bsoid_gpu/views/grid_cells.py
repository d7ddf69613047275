"""One cell of a grid movie: a bout, with the animal in the middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.log import logger
from bsoid_gpu.views import cameras, drawing
from bsoid_gpu.views.video_reading import OUTSIDE, VideoReader

if TYPE_CHECKING:
    from bsoid_gpu.pose import Pose
    from bsoid_gpu.views.drawing import Colour, Picture
    from bsoid_gpu.views.video_index import VideoIndex

PLAIN: Colour = (84, 88, 96)  # border while the animal does something else
BORDER_SHARE = 60  # of the cell
TEXT_SHARE = 18
THIN, THICK = 90, 60  # lines of the pose over a video, and without one


@dataclass(frozen=True)
class GridBout:
    """A bout to show.

    Parameters
    ----------
    pose
        Its session, or the part of it around the bout.
    start, stop
        Frame numbers of its first frame and of the one after its last.
    confidence
        Mean of its frames.
    body_px
        Length of the animal.
    """

    pose: Pose
    start: int
    stop: int
    confidence: float
    body_px: float


@dataclass(frozen=True)
class GridStyle:
    """How grid movies look.

    Parameters
    ----------
    cells
        Most cells of a movie.
    cell_px
        Side of a cell.
    before_s, after_s
        A clip begins so long before the bout, and ends at most so long after its first frame.
    tail_s
        A clip ends so long after a shorter bout.
    view
        ``arena``: upright as the video; ``egocentric``: turned so that the animal looks up.
    overlay
        Whether a video shows keypoints and skeleton; without a video they always are shown.
    skeleton
        Pairs of indices of keypoints.
    front, rear
        Indices of the keypoints at the front and rear of the body.
    """

    cells: int = 16
    cell_px: int = 200
    before_s: float = 0.5
    after_s: float = 3.0
    tail_s: float = 0.5
    view: str = cameras.ARENA
    overlay: bool = True
    skeleton: Sequence[Sequence[int]] = ()
    front: Sequence[int] = ()
    rear: Sequence[int] = ()


class Cell:
    """Pictures of a bout, one after another, aligned at its first frame.

    Parameters
    ----------
    bout
        The bout.
    colour
        Of the behaviour.
    style
        How it looks.
    rate
        Frames per second of the movie; the frames of a session of another rate are chosen by their time.
    video
        Its video with the index of it, if there is one.
    """

    def __init__(
        self,
        bout: GridBout,
        colour: Colour,
        style: GridStyle,
        rate: Fraction,
        video: tuple[Path, VideoIndex] | None = None,
    ) -> None:
        self.bout, self._style, self._colour = bout, style, colour
        pose = bout.pose
        self._reader = VideoReader(*video, threads=1) if video else None
        end_s = min((bout.stop - bout.start) / pose.fps + style.tail_s, style.after_s)
        self.pictures = max(1, round((style.before_s + end_s) * rate))
        times_s = np.arange(self.pictures) / float(rate) - round(style.before_s * rate) / float(rate)
        self.frame_numbers = bout.start + np.rint(times_s * pose.fps).astype(np.int64)
        if self._reader is not None:
            self.frame_numbers = np.clip(self.frame_numbers, 0, self._reader.frame_count - 1)
        self._points = cameras.positions_at(pose, self.frame_numbers)
        self._camera = cameras.follow(
            self._points, float(rate), bout.body_px, view=style.view, front=style.front, rear=style.rear
        )
        self._labels = _texts(bout, style.cell_px)
        self._last = np.full((style.cell_px, style.cell_px, 3), OUTSIDE, dtype=np.uint8)

    def close(self) -> None:
        """Close the video."""
        if self._reader is not None:
            self._reader.close()

    def picture(self, number: int) -> Picture:
        """Picture ``number`` of the movie; numbers must ascend. After the clip, its last picture stays, darker."""
        if number >= self.pictures:
            if number == self.pictures:
                self._last = drawing.faded(self._last)
            return self._last
        size, frame = self._style.cell_px, int(self.frame_numbers[number])
        if (image := self._background(number, frame)) is None:
            return self._last
        if self._style.overlay or self._reader is None:
            points = self._camera.in_square(number, self._points[number], size)
            width = max(1, size // (THIN if self._reader else THICK))
            drawing.draw_pose(image, points, self._style.skeleton, self._colour, width, self._style.front)
        picture: Picture = np.array(image)
        during = self.bout.start <= frame < self.bout.stop
        drawing.put_border(picture, self._colour if during else PLAIN, max(2, size // BORDER_SHARE))
        for plate, x, y in self._labels:
            drawing.put(picture, plate, x, y, 0.8)
        self._last = picture
        return picture

    def _background(self, number: int, frame: int) -> Any:
        """A Pillow image of what is seen, before the pose is added; None for a damaged frame."""
        size = self._style.cell_px
        if self._reader is None:
            return drawing.floor(self._camera, number, size, self._camera.side_px / cameras.SEEN_BODIES)
        try:
            return drawing.square_of(partial(self._reader.part, frame), self._camera, number, size)
        except BadInput as error:  # the cell shows the frame before
            logger.warning("%s", error)
            return None


def _texts(bout: GridBout, size: int) -> list[tuple[Picture, int, int]]:
    """Plates with the session, the time of the bout and its confidence, with their places in the cell."""
    letters, edge = max(9, size // TEXT_SHARE), max(2, size // BORDER_SHARE)
    when = drawing.text_plate(clock(bout.pose.start_s + bout.start / bout.pose.fps), letters)
    sure = drawing.text_plate(f"{100 * bout.confidence:.0f} %", letters)
    name = drawing.text_plate(bout.pose.name, letters, width=size - 2 * edge)
    bottom = size - edge - when.shape[0]
    return [(name, edge, edge), (when, edge, bottom), (sure, size - edge - sure.shape[1], bottom)]


def clock(seconds: float) -> str:
    """A time for people: ``1:02.5``, ``1:00:02.5``."""
    tenths = round(abs(seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    sign = "-" if seconds < 0 and tenths else ""
    hours, minutes = divmod(minutes, 60)
    whole = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{sign}{whole}:{rest // 10:02}.{rest % 10}"
