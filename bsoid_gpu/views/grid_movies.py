"""Grid movies: bouts of one behaviour side by side, aligned at their first frame."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.views import drawing
from bsoid_gpu.views.drawing import numbered
from bsoid_gpu.views.grid_cells import Cell, GridBout, GridStyle
from bsoid_gpu.views.rates import exact_rate
from bsoid_gpu.views.video_writing import video_writer

if TYPE_CHECKING:
    from bsoid_gpu.views.drawing import Colour, Picture
    from bsoid_gpu.views.video_index import VideoIndex

COLUMNS = 4
GAP_PX = 2
TITLE_PX = 40
LEAST_WIDTH_PX = 480  # so that the title of a single cell can be read
AHEAD = 8  # pictures of each cell that are made while earlier ones are encoded
BACKGROUND: Colour = (12, 13, 15)
QUIET: Colour = (150, 155, 165)


@dataclass(frozen=True)
class GridTitle:
    """What the title of a movie says: number, name and colour (``#rrggbb``) of the behaviour, and its bouts in all."""

    number: int
    name: str
    colour: str
    bouts: int


@dataclass(frozen=True)
class GridMovie:
    """A movie that was written: its file, cells, pictures, and the encoder."""

    path: Path
    cells: int
    pictures: int
    encoder: str


def write_grid_movie(
    path: Path,
    title: GridTitle,
    bouts: Sequence[GridBout],
    videos: Mapping[str, tuple[Path, VideoIndex]],
    style: GridStyle,
) -> GridMovie:
    """Write the movie of one behaviour.

    Parameters
    ----------
    path
        The file, .mp4.
    title
        What the title says.
    bouts
        The bouts to show, the most important first; at most ``style.cells`` are shown.
    videos
        Video of a session with its index; the cells of sessions without one show the pose alone.
    style
        How it looks. Without front and rear an egocentric view is not possible.

    Raises
    ------
    BadInput
        No bouts, PyAV or Pillow is not installed, or the file cannot be written.
    """
    shown = list(bouts[: style.cells])
    if not shown:
        msg = f"behaviour {title.number} has no bouts to show"
        raise BadInput(msg)
    rate = max(exact_rate(bout.pose.fps) for bout in shown)
    colour = drawing.rgb(title.colour)
    with contextlib.ExitStack() as stack:
        cells = []
        for bout in shown:
            cells.append(Cell(bout, colour, style, rate, videos.get(bout.pose.name)))
            stack.callback(cells[-1].close)
        grid = _Grid(title, cells, style, rate)
        with (
            video_writer(path, grid.width, grid.height, rate) as writer,
            contextlib.closing(grid.pictures()) as pictures,  # else its threads read from closed files
        ):
            for picture in pictures:
                writer.write(picture)
    return GridMovie(path, len(cells), grid.length, writer.encoder)


class _Grid:
    """The pictures of a movie from those of its cells."""

    def __init__(self, title: GridTitle, cells: Sequence[Cell], style: GridStyle, rate: Fraction) -> None:
        self._cells, self._rate, self._style = cells, rate, style
        self.length = max(cell.pictures for cell in cells)
        self._columns = (
            min(COLUMNS, math.ceil(math.sqrt(len(cells))))
            if style.cells <= COLUMNS**2
            else math.ceil(math.sqrt(len(cells)))
        )
        step = style.cell_px + GAP_PX
        self._left = max(0, LEAST_WIDTH_PX - self._columns * step + GAP_PX) // 2
        self.width = max(LEAST_WIDTH_PX, self._columns * step - GAP_PX)
        self.height = TITLE_PX + math.ceil(len(cells) / self._columns) * step - GAP_PX
        self.width += self.width % 2
        self.height += self.height % 2
        self._title = title
        self._empty = self._with_title()

    def pictures(self) -> Generator[Picture, None, None]:
        """All pictures, in order; cells are made in threads while earlier pictures are encoded."""

        def made(cell: Cell, first: int) -> list[Picture]:
            return [cell.picture(number) for number in range(first, min(first + AHEAD, self.length))]

        pool = ThreadPoolExecutor(max(1, min(len(self._cells), os.cpu_count() or 1)))
        try:
            pending: list[Future[list[Picture]]] = [pool.submit(made, cell, 0) for cell in self._cells]
            for first in range(0, self.length, AHEAD):
                batch = [future.result() for future in pending]
                if first + AHEAD < self.length:
                    pending = [pool.submit(made, cell, first + AHEAD) for cell in self._cells]
                for place in range(len(batch[0])):
                    yield self._joined([pictures[place] for pictures in batch], first + place)
        finally:
            pool.shutdown(cancel_futures=True)

    def _joined(self, cells: Sequence[Picture], number: int) -> Picture:
        picture = self._empty.copy()
        step = self._style.cell_px + GAP_PX
        for place, cell in enumerate(cells):
            row, column = divmod(place, self._columns)
            drawing.put(picture, cell, self._left + column * step, TITLE_PX + row * step)
        time_s = (number - round(self._style.before_s * self._rate)) / float(self._rate)
        plate = drawing.text_plate(f"{time_s:+.2f} s", 16, QUIET, background=BACKGROUND)
        drawing.put(picture, plate, self.width - 84, (TITLE_PX - plate.shape[0]) // 2)
        return picture

    def _with_title(self) -> Picture:
        """The picture without cells: behaviour, number of bouts, and how many of them are shown."""
        picture = np.full((self.height, self.width, 3), BACKGROUND, dtype=np.uint8)
        drawing.put(picture, np.full((TITLE_PX - 16, 8, 3), drawing.rgb(self._title.colour), dtype=np.uint8), 8, 8)
        said = drawing.text_plate(
            title_bouts(self._title.bouts, len(self._cells), self._style.cells), 14, QUIET, background=BACKGROUND
        )
        room = self.width - 24 - 84
        name = drawing.text_plate(
            numbered(self._title.number, self._title.name),
            19,
            width=max(60, room - said.shape[1]),
            background=BACKGROUND,
        )
        drawing.put(picture, name, 22, (TITLE_PX - name.shape[0]) // 2)
        drawing.put(picture, said, 22 + name.shape[1], (TITLE_PX - said.shape[0]) // 2 + 1)
        return picture


def title_bouts(bouts: int, shown: int, cells: int) -> str:
    """How many bouts there are, and that there are fewer than cells."""
    if bouts <= shown < cells:
        return f"only {bouts} {'bout' if bouts == 1 else 'bouts'}"
    return f"{shown} of {bouts:,} bouts"
