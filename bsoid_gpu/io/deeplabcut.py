"""DeepLabCut CSV files, of one animal and of several; Lightning Pose writes the same.

After the header (:mod:`bsoid_gpu.io.deeplabcut_header`) there is one row per frame, which begins with the frame number.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io.arrange import arranged_pose
from bsoid_gpu.io.csv_numbers import read_numbers
from bsoid_gpu.io.deeplabcut_header import (
    NO_FRAMES,
    Column,
    Layout,
    csv_header,
    layout,
    outline_csv,
    sniff_csv,
)
from bsoid_gpu.io.reader import Reader, Request
from bsoid_gpu.pose import Pose

if TYPE_CHECKING:
    from bsoid_gpu.typing import Array

MAX_BAD_CELLS = 5  # in a message


def parse_csv(data: bytes, path: Path, request: Request) -> Pose:
    """Parse a CSV file: the header here, the body by pyarrow or cuDF; see :func:`bsoid_gpu.io.parse_pose`."""
    columns, header_lines, cells = csv_header(data, path)
    chosen = layout(columns, request, path)
    heading = f"{str(path)!r}: not all cells are numbers:"
    if cells != len(columns) + 1:  # a table too wide or too narrow in every row looks regular to a parser
        raise_all(_bad_cells(data, header_lines, columns), heading=heading)
    try:
        numbers = read_numbers(data, header_lines, [column + 1 for column in chosen.columns], request.backend)
    except ValueError as error:
        raise_all(_bad_cells(data, header_lines, columns), heading=heading)
        msg = f"{str(path)!r} is not a table of numbers: {error}"
        raise BadInput(msg) from error
    return _pose(numbers, chosen, path, request)


READERS = (Reader("DeepLabCut CSV", (".csv",), sniff_csv, parse_csv, outline_csv),)


def _pose(numbers: Array, chosen: Layout, path: Path, request: Request) -> Pose:
    """Arrange (frames, columns) numbers by individual and keypoint."""
    xp = array_namespace(numbers)
    if numbers.shape[0] == 0:
        msg = f"{str(path)!r} {NO_FRAMES}"
        raise BadInput(msg)
    if chosen.order != list(range(len(chosen.order))):
        numbers = xp.take(numbers, xp.asarray(chosen.order, dtype=xp.int64, device=device_of(numbers)), axis=1)
    values = xp.reshape(numbers, (numbers.shape[0], len(chosen.individuals), len(chosen.keypoints), -1))
    return arranged_pose(
        values[..., : len(chosen.space)],
        values[..., -1] if chosen.has_likelihood else None,
        path,
        request,
        individuals=chosen.individuals,
        keypoints=chosen.keypoints,
        notes=chosen.notes,
    )


def _bad_cells(data: bytes, header_lines: int, columns: list[Column]) -> list[str]:
    """The first cells that are not numbers and rows of another length; slow, for files that cannot be parsed."""
    problems = list(islice(_each_bad_cell(data, header_lines, columns), MAX_BAD_CELLS + 1))
    return problems if len(problems) <= MAX_BAD_CELLS else [*problems[:MAX_BAD_CELLS], "there are more"]


def _each_bad_cell(data: bytes, header_lines: int, columns: list[Column]) -> Iterator[str]:
    lines = csv.reader(line.decode("utf-8", errors="replace") for line in data.splitlines())
    try:
        for row in lines:
            if lines.line_num <= header_lines or not row:
                continue
            if len(row) != len(columns) + 1:
                yield f"line {lines.line_num} has {len(row)} cells; expected {len(columns) + 1}: is the file cut short?"
                continue
            for cell, column in zip(row[1:], columns, strict=True):
                try:
                    float(cell or "nan")
                except ValueError:
                    name = " ".join(filter(None, column))
                    yield f"line {lines.line_num}, {name}: {cell[:40]!r} is not a number"
    except csv.Error as error:
        yield f"line {lines.line_num}: {error}"
