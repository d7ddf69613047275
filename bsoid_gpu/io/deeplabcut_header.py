"""Headers of DeepLabCut files: which column holds which coordinate of which keypoint.

The header names a scorer, [an individual,] a body part and a coordinate for each column. The scorer is ignored: some
programs number the names.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io.arrange import INDIVIDUAL, chosen_names
from bsoid_gpu.io.reader import Outline, Request
from bsoid_gpu.log import logger

HEADER_BYTES = 1 << 20  # the header is shorter
SAMPLE_BYTES = 1 << 16  # read in the middle of a CSV file, to estimate the length of its lines
SHARED = "single"  # DeepLabCut's individual of body parts, such as corners of the arena, that belong to no animal
EXPECTED = "expected the header rows 'scorer', 'bodyparts', 'coords' (for several animals 'individuals' after 'scorer')"
NO_FRAMES = "has a header but no frames"


class Column(NamedTuple):
    """What one column holds."""

    individual: str
    keypoint: str
    coord: str


def sniff_csv(path: Path) -> bool:
    """Whether a file begins as a DeepLabCut table; True for an empty file and one that cannot be opened."""
    try:
        with path.open("rb") as file:
            beginning = file.read(64)
    except OSError:
        return True
    return not beginning or beginning.removeprefix(b"\xef\xbb\xbf").lstrip(b'"').startswith(b"scorer")


def csv_header(data: bytes, path: Path) -> tuple[list[Column], int, int]:
    """Columns after the first, number of header lines, and number of cells in the first frame."""
    reader = csv.reader(line.decode("utf-8-sig") for line in data[:HEADER_BYTES].splitlines())
    try:
        lines = list(islice(((row, reader.line_num) for row in reader if row), 5))
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{str(path)!r} is not a table in UTF-8 text: {error}; {EXPECTED}"
        raise BadInput(msg) from error
    rows = {row[0].strip(): row[1:] for row, _ in lines[:4]}
    names = list(rows)
    wanted = ["scorer", "individuals", "bodyparts", "coords"]
    if names[:3] == [wanted[0], *wanted[2:]]:
        wanted.remove("individuals")
    if names[: len(wanted)] != wanted:
        beginnings = ", ".join(repr(name[:40]) for name in names) or "nothing"
        msg = f"{str(path)!r} is not a DeepLabCut file: its first lines begin with {beginnings}; {EXPECTED}"
        raise BadInput(msg)
    header = [rows[name] for name in wanted]
    if len({len(row) for row in header}) != 1 or not header[0]:
        lengths = ", ".join(str(len(row)) for row in header)
        msg = f"{str(path)!r}: the header rows have {lengths} columns; expected the same number in each"
        raise BadInput(msg)
    if len(lines) == len(wanted):
        msg = f"{str(path)!r} {NO_FRAMES}"
        raise BadInput(msg)
    individuals = rows["individuals"] if "individuals" in wanted else [""] * len(header[0])
    columns = [Column(*names) for names in zip(individuals, rows["bodyparts"], rows["coords"], strict=True)]
    return columns, lines[len(wanted) - 1][1], len(lines[len(wanted)][0])


def outline_csv(path: Path) -> Outline:
    """Outline of a CSV file; its frames are estimated from the length of its lines."""
    size = path.stat().st_size
    with path.open("rb") as file:
        beginning = file.read(HEADER_BYTES)
        columns, header_lines, _ = csv_header(beginning, path)
        header_bytes = sum(map(len, beginning.splitlines(keepends=True)[:header_lines]))
        file.seek(max(header_bytes, size // 2 - SAMPLE_BYTES // 2), os.SEEK_SET)
        sample = file.read(SAMPLE_BYTES)
    frames = round((size - header_bytes) * max(sample.count(b"\n"), 1) / max(len(sample), 1))
    return outline_of(columns, frames, size)


def outline_of(columns: list[Column], frames: int, size: int) -> Outline:
    """Outline of a file with these columns."""
    keypoints = tuple(dict.fromkeys(column.keypoint for column in columns))
    individuals = {column.individual for column in columns} - {SHARED}
    return Outline(frames, keypoints, len(individuals), size)


class Layout(NamedTuple):
    """The columns to read, ascending, and their order by individual, keypoint and coordinate."""

    individuals: tuple[str, ...]
    keypoints: tuple[str, ...]
    space: tuple[str, ...]
    has_likelihood: bool
    columns: list[int]
    order: list[int]  # into `columns`
    notes: tuple[str, ...]


def layout(columns: list[Column], request: Request, path: Path) -> Layout:
    """Choose the columns of the requested keypoints and individuals, or of all where none are requested.

    Raises
    ------
    BadInput
        A header that cannot be used; all its problems are reported together.
    """
    notes: list[str] = []
    owners = tuple(dict.fromkeys(column.individual for column in columns))
    if SHARED in owners and len(owners) > 1 and SHARED not in request.individuals:
        owners = tuple(name for name in owners if name != SHARED)
        notes.append(f"the keypoints of {SHARED!r} belong to no animal and are left out")
    coords = tuple(dict.fromkeys(column.coord for column in columns))
    heading = f"{str(path)!r}: the header cannot be used:"
    raise_all(_coordinate_problems(coords), heading=heading)
    keypoints_of = {name: tuple(dict.fromkeys(c.keypoint for c in columns if c.individual == name)) for name in owners}
    if owners == ("",):
        keypoints_of = {INDIVIDUAL: keypoints_of[""]}
        columns = [column._replace(individual=INDIVIDUAL) for column in columns]
    individuals, keypoints, left_out = chosen_names(keypoints_of, request, path)
    raise_all(_column_problems(columns, individuals, keypoints, coords), heading=heading)
    notes += left_out
    if unused := [name for name in keypoints_of[individuals[0]] if name not in keypoints]:
        logger.info("%s: keypoints that were not requested are left out: %s", path.stem, ", ".join(map(repr, unused)))
    number = {column: i for i, column in reversed(list(enumerate(columns)))}
    chosen = [
        number[Column(i, k, c)]
        for i in individuals
        for k in keypoints
        for c in ("x", "y", "z", "likelihood")
        if c in coords
    ]
    rank = {column: i for i, column in enumerate(sorted(chosen))}
    return Layout(
        individuals=individuals,
        keypoints=keypoints,
        space=tuple(coord for coord in ("x", "y", "z") if coord in coords),
        has_likelihood="likelihood" in coords,
        columns=sorted(chosen),
        order=[rank[column] for column in chosen],
        notes=tuple(notes),
    )


def _coordinate_problems(coords: Sequence[str]) -> list[str]:
    if {"x", "y"} <= set(coords) <= {"x", "y", "z", "likelihood"}:
        return []
    return [f"the coordinates are {', '.join(map(repr, coords))}; expected x, y and likelihood"]


def _column_problems(
    columns: list[Column], individuals: Sequence[str], keypoints: Sequence[str], coords: Sequence[str]
) -> list[str]:
    """Keypoints that do not have each coordinate exactly once."""
    problems = []
    for individual in individuals:
        for keypoint in keypoints:
            own = [c.coord for c in columns if (c.individual, c.keypoint) == (individual, keypoint)]
            if sorted(own) != sorted(coords):
                owner = f" of {individual!r}" if individual != INDIVIDUAL else ""
                hint = ": is it named twice?" if len(set(own)) < len(own) else ""
                problems.append(
                    f"the keypoint {keypoint!r}{owner} has the columns {', '.join(own)}; expected "
                    f"{', '.join(coords)}, each once{hint}"
                )
    return problems
