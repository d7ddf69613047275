"""Anipose files: a CSV of the triangulated positions, in three dimensions and the unit of the calibration.

The one header row names ``KEYPOINT_x``, ``_y``, ``_z``, ``_error`` (px, of the reprojection), ``_ncams`` and
``_score`` for each keypoint, and ``fnum``, the number of the frame. The rest are the axes of the recording: ``M_00``
to ``M_22`` and ``center_0`` to ``center_2``.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from array_api_compat import array_namespace

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io.arrange import INDIVIDUAL, arranged_pose, chosen_names
from bsoid_gpu.io.csv_diagnosis import HEADER_BYTES, numbered_rows
from bsoid_gpu.io.csv_numbers import read_numbers
from bsoid_gpu.io.reader import Outline, Reader, Request, beginning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bsoid_gpu.pose import Pose
    from bsoid_gpu.typing import Array

FRAME = "fnum"
SPACE = ("x", "y", "z")
OF_KEYPOINT = (*SPACE, "error", "ncams", "score")
AXES = re.compile(r"M_[012]{2}|center_[012]")
EXPECTED = "expected the header of Anipose: NAME_x, NAME_y and NAME_z for each keypoint, and fnum"


class Header(NamedTuple):
    """Columns by name, number of cells in the first frame, bytes of the header."""

    columns: tuple[str, ...]
    cells: int
    size: int

    def keypoints(self) -> tuple[str, ...]:
        """Keypoints with any of the three coordinates, in order."""
        names = [name[:-2] for name in self.columns if name.endswith(tuple(f"_{axis}" for axis in SPACE))]
        return tuple(dict.fromkeys(names))


def sniff(path: Path) -> bool:
    """Whether a file begins with the header of Anipose."""
    try:
        header = _header(beginning(path, HEADER_BYTES))
    except ValueError:
        return False
    columns = set(header.columns)
    return FRAME in columns and any({f"{name}_{axis}" for axis in SPACE} <= columns for name in header.keypoints())


def parse(data: bytes, path: Path, request: Request) -> Pose:
    """Parse a file; see :func:`bsoid_gpu.io.parse_pose`. The reprojection error is not used."""
    header = _checked_header(data, path)
    individuals, keypoints, notes = chosen_names({INDIVIDUAL: header.keypoints()}, request, path)
    scored = [name for name in keypoints if f"{name}_score" in header.columns]
    has_score = len(scored) == len(keypoints)
    coords = (*SPACE, "score") if has_score else SPACE
    wanted = [FRAME, *(f"{name}_{coord}" for name in keypoints for coord in coords)]
    numbers = _numbers(data, path, header, wanted, request)
    xp = array_namespace(numbers)
    values = xp.reshape(numbers[:, 1:], (numbers.shape[0], 1, len(keypoints), len(coords)))
    position, score = values[..., :3], values[..., 3] if has_score else None
    if score is not None:
        position, left_out = _triangulated(position, score, request)
        notes += left_out
    elif scored:
        notes += (f"only {len(scored)} of {len(keypoints)} keypoints have a score: no score is used",)
    else:
        notes += ("there are no scores; the error of the reprojection, in px, is no likelihood and is not used",)
    return arranged_pose(
        position,
        score,
        path,
        request,
        individuals=individuals,
        keypoints=keypoints,
        frame_numbers=request.backend.to_host(numbers[:, 0]),
        notes=[*notes, "positions are in the unit of the calibration (often mm), not in px", *_unknown_columns(header)],
    )


def outline(path: Path) -> Outline:
    """Outline of a file; its lines are counted."""
    data = path.read_bytes()
    header = _checked_header(data, path)
    lines = data[header.size :].count(b"\n") + (not data.endswith(b"\n"))
    return Outline(lines, header.keypoints(), 1, len(data))


READERS = (Reader("Anipose CSV", (".csv",), sniff, parse, outline),)


def _header(data: bytes) -> Header:
    """Header of a file.

    Raises
    ------
    ValueError
        It is not a table in UTF-8 text.
    """
    lines = data[:HEADER_BYTES].splitlines(keepends=True)[:2]
    b"".join(lines).decode("utf-8")
    try:
        rows = [row for _, row in numbered_rows(b"".join(lines))]
    except csv.Error as error:
        raise ValueError(str(error)) from error
    columns = tuple(name.strip() for name in rows[0]) if rows else ()
    return Header(columns, len(rows[1]) if len(rows) > 1 else 0, len(lines[0]) if lines else 0)


def _checked_header(data: bytes, path: Path) -> Header:
    try:
        header = _header(data)
    except ValueError as error:
        msg = f"{str(path)!r} is not a table in UTF-8 text: {error}; {EXPECTED}"
        raise BadInput(msg) from error
    columns = header.columns
    problems = [f"the column {name!r} is there twice" for name in sorted(set(columns)) if columns.count(name) > 1]
    problems += [] if FRAME in columns else [f"there is no column {FRAME!r} with the frame numbers; {EXPECTED}"]
    for keypoint in header.keypoints():
        axes = [axis for axis in SPACE if f"{keypoint}_{axis}" in columns]
        if len(axes) < 3:
            problems.append(f"the keypoint {keypoint!r} has only {', '.join(axes)}; expected x, y and z")
    if not header.keypoints():
        problems.append(f"there are no keypoints; {EXPECTED}")
    raise_all(problems, heading=f"{str(path)!r}: the header cannot be used:")
    if not header.cells:
        msg = f"{str(path)!r} has a header but no frames"
        raise BadInput(msg)
    if header.cells != len(columns):
        msg = f"{str(path)!r}: the header names {len(columns)} columns, the first frame has {header.cells} cells"
        raise BadInput(msg)
    return header


def _numbers(data: bytes, path: Path, header: Header, wanted: Sequence[str], request: Request) -> Array:
    """Columns of these names: (frames, columns) on the backend."""
    places = [header.columns.index(name) for name in wanted]
    try:
        read = sorted({*places} - {0})
        first, others = read_numbers(data, 1, read, request.backend, len(header.columns))
    except ValueError as error:
        msg = f"{str(path)!r}: not all cells are numbers: {error}"
        raise BadInput(msg) from error
    by_place = {place: others[:, i] for i, place in enumerate(read)}
    if 0 in places:
        by_place[0] = request.backend.asarray(first)
    return array_namespace(others).stack([by_place[place] for place in places], axis=1)


def _triangulated(position: Array, score: Array, request: Request) -> tuple[Array, tuple[str, ...]]:
    """Positions that at least two cameras saw, and a note on the others, which have no score.

    Anipose interpolates those. If no position at all has a score, the scores mean nothing.
    """
    xp = array_namespace(position)
    unseen = xp.isnan(score) & ~xp.any(xp.isnan(position), axis=-1) & xp.any(xp.isfinite(score))
    number = int(request.backend.to_host(xp.sum(xp.astype(unseen, xp.int64))))
    if not number:
        return position, ()
    note = f"{number:,} positions have no score, since fewer than two cameras saw them, and count as missing"
    return xp.where(unseen[..., None], xp.nan, position), (note,)


def _unknown_columns(header: Header) -> list[str]:
    """A sentence if there are columns that Anipose does not write."""
    known = {f"{name}_{coord}" for name in header.keypoints() for coord in OF_KEYPOINT} | {FRAME}
    others = [name for name in header.columns if name not in known and not AXES.fullmatch(name)]
    return [f"the columns {', '.join(map(repr, others))} are left out"] if others else []
