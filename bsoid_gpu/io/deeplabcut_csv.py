"""CSV files of DeepLabCut, and of the programs that write the same table: Lightning Pose, EKS, SuperAnimal.

After the header there is one row per frame, which begins with the number of the frame.
"""

from __future__ import annotations

import csv
import os
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io.csv_cells import body_rows, cell_problems, is_blank, is_image, trimmed
from bsoid_gpu.io.csv_diagnosis import HEADER_BYTES, HEADER_NAMES, header_names, is_number, numbered_rows, why_not
from bsoid_gpu.io.csv_numbers import Numbers, read_numbers
from bsoid_gpu.io.deeplabcut_header import NO_FRAMES, Column, Layout, layout, outline_of, pose_of_columns
from bsoid_gpu.io.reader import Outline, Reader, Request, beginning
from bsoid_gpu.pose import Pose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend

SAMPLE_BYTES = 1 << 16  # read in the middle of a file, to estimate the length of its lines


class Header(NamedTuple):
    """The columns after the first, the lines before the first frame, the cells of the first frame, and notes."""

    columns: list[Column]
    lines: int
    cells: int
    notes: tuple[str, ...]


def sniff_csv(path: Path) -> bool:
    """Whether a file begins as a DeepLabCut table; True for an empty file and one that cannot be opened."""
    text = beginning(path, 64).replace(b"\0", b"").lstrip(b'\xff\xfe"')
    if not text or text.startswith(b"scorer"):  # also in UTF-16 or with ';': refused when it is read
        return True
    return not why_not(beginning(path, HEADER_BYTES))


def csv_header(data: bytes, path: Path) -> Header:
    """Header of a table.

    Raises
    ------
    BadInput
        The file is something else, has columns without a name or no frames.
    """
    head = data[:HEADER_BYTES]
    if reason := why_not(head):
        msg = f"{str(path)!r} {reason}"
        raise BadInput(msg)
    try:
        rows = list(islice(numbered_rows(head), 6))
    except csv.Error as error:
        msg = f"{str(path)!r}: {error}"
        raise BadInput(msg) from error
    names = header_names([row for _, row in rows])
    lines = rows[len(names) - 1][0]
    header, rows = {name: row[1:] for name, (_, row) in zip(names, rows, strict=False)}, rows[len(names) :]
    if rows and _is_index_name(rows[0][1]):
        lines, rows = rows[0][0], rows[1:]
    if not rows:
        msg = f"{str(path)!r} {NO_FRAMES}"
        raise BadInput(msg)
    first_line, first = rows[0]
    if is_image(first[0]):
        raise_all(cell_problems(head, first_line - 1, len(first), {}), heading=f"{str(path)!r}:")
    columns = _named_columns(header, path)
    if surplus := max(len(first) - 1, *map(len, header.values())) - len(columns):
        return Header(columns, lines, len(first), (f"empty columns at the end are left out: {surplus}",))
    return Header(columns, lines, len(first), ())


def outline_csv(path: Path) -> Outline:
    """Outline of a CSV file; its frames are estimated from the length of its lines."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
        header = csv_header(head, path)
        header_bytes = sum(map(len, head.splitlines(keepends=True)[: header.lines]))
        file.seek(max(header_bytes, size // 2 - SAMPLE_BYTES // 2), os.SEEK_SET)
        sample = file.read(SAMPLE_BYTES)
    frames = round((size - header_bytes) * max(sample.count(b"\n"), 1) / max(len(sample), 1))
    return outline_of(header.columns, frames, size)


def parse_csv(data: bytes, path: Path, request: Request) -> Pose:
    """Parse a CSV file: the header here, the body by pyarrow or cuDF; see :func:`bsoid_gpu.io.parse_pose`."""
    header = csv_header(data, path)
    chosen = layout(header.columns, request, path)
    (first, numbers), notes = _body(data, header, chosen, path, request.backend)
    frame_numbers: NDArray[np.float64] | None = first
    if np.any(np.isnan(first)):
        kept, frame_numbers, of_rows = _rows_with_frames(first, data, header, path)
        xp = array_namespace(numbers)
        numbers = xp.take(numbers, xp.asarray(kept, dtype=xp.int64, device=device_of(numbers)), axis=0)
        notes = (*notes, *of_rows)
    return pose_of_columns(numbers, chosen, path, request, frame_numbers, (*header.notes, *notes))


READERS = (Reader("DeepLabCut CSV", (".csv",), sniff_csv, parse_csv, outline_csv),)


def _is_index_name(row: list[str]) -> bool:
    """Whether a row after the header is the name of the first column, as pandas writes it."""
    return bool(row[0].strip()) and not is_number(row[0]) and is_blank(row[1:])


def _named_columns(header: dict[str, list[str]], path: Path) -> list[Column]:
    """Columns after the first, up to the last one with a name."""
    width = max(len(row) for name, row in header.items() if name != "scorer")
    if any(header.get("scorer", [])[width:]):
        lengths = ", ".join(str(len(row)) for row in header.values())
        msg = f"{str(path)!r}: the header rows have {lengths} columns; expected the same number in each"
        raise BadInput(msg)
    scorers, individuals, keypoints, coords = (
        [cell.strip() and cell for cell in row[:width]] + [""] * (width - len(row))
        for row in (header.get(name, []) for name in HEADER_NAMES)
    )
    trackers = {_unnumbered(scorer) for scorer, keypoint in zip(scorers, keypoints, strict=True) if keypoint}
    for i, scorer in enumerate(scorers):  # a column added to the table by a name of its own, as DLC-live's times
        if not keypoints[i] and not coords[i] and _unnumbered(scorer) not in trackers:
            keypoints[i] = scorer
    columns = [Column(*names) for names in zip(individuals, keypoints, coords, strict=True)]
    while columns and not columns[-1].keypoint and not columns[-1].coord:
        columns.pop()
    if not columns or (unnamed := _unnamed(columns, several="individuals" in header)):
        which = f"the columns {', '.join(map(str, unnamed))} lack" if columns else "all columns lack"
        msg = f"{str(path)!r}: {which} a name in a row of the header: name them, or delete them in all rows"
        raise BadInput(msg)
    return columns


def _unnamed(columns: list[Column], *, several: bool) -> list[int]:
    """Numbers, from 1 on, of the columns that lack a name; those without positions need but one."""
    tracked = {column.keypoint for column in columns if column.coord in ("x", "y")}
    return [
        number
        for number, (individual, keypoint, coord) in enumerate(columns, start=2)
        if not keypoint or (keypoint in tracked and not (coord and (individual or not several)))
    ]


def _unnumbered(scorer: str) -> str:
    """Name without the number that pandas appends to repeated ones."""
    return re.sub(r"\.\d+$", "", scorer)


def _body(data: bytes, header: Header, chosen: Layout, path: Path, backend: Backend) -> tuple[Numbers, tuple[str, ...]]:
    """First column and numbers of the chosen ones, and a note where rows differ in empty cells at their end."""
    cells = len(header.columns) + 1
    wanted = [column + 1 for column in chosen.columns]
    try:
        return read_numbers(data, header.lines, wanted, backend, cells, max(header.cells - cells, 0)), ()
    except ValueError:
        regular, shortened = trimmed(data, header.lines, cells)
    try:
        numbers = read_numbers(regular, header.lines, wanted, backend, cells)
    except ValueError as error:
        names = {column + 1: " ".join(filter(None, header.columns[column])) for column in chosen.columns}
        raise_all(cell_problems(regular, header.lines, cells, names), heading=f"{str(path)!r} cannot be used:")
        msg = f"{str(path)!r} is not a table of numbers: {error}"
        raise BadInput(msg) from error
    return numbers, (f"rows with empty cells at their end, which are left out: {shortened}",) if shortened else ()


def _rows_with_frames(
    first: NDArray[np.float64], data: bytes, header: Header, path: Path
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None, tuple[str, ...]]:
    """Rows that are frames, their numbers (None: from 0 on), and notes, where cells of the first column are empty."""
    try:
        rows = body_rows(data, header.lines)
    except csv.Error as error:
        msg = f"{str(path)!r}: {error}"
        raise BadInput(msg) from error
    if len(rows) != len(first):
        msg = f"{str(path)!r}: some cells in quotes extend over several lines; expected one line for each frame"
        raise BadInput(msg)
    unnumbered = np.isnan(first)
    filled = np.asarray([not is_blank(row) for _, row in rows])
    notes = []
    if np.all(unnumbered):
        kept = np.arange(np.max(np.flatnonzero(filled), initial=-1) + 1)
        notes.append("the first column is empty: the frames are counted from 0")
    else:
        kept = np.flatnonzero(~unnumbered)
        lines = [rows[row][0] for row in np.flatnonzero(unnumbered & filled)]
        raise_all(
            [f"line {line} has positions but no frame number: number the frames as in the video" for line in lines[:5]],
            heading=f"{str(path)!r}: {len(lines)} rows cannot be used:",
        )
    if left_out := len(first) - len(kept):
        notes.append(f"rows without a frame number and without positions are left out: {left_out}")
    return kept, None if np.all(unnumbered) else first[kept], tuple(notes)
