"""Columns of DeepLabCut files: which one holds which coordinate of which keypoint, and the pose of the chosen ones.

The header names a scorer, [an individual,] a body part and a coordinate for each column. The scorer is ignored: some
programs number the names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io.arrange import INDIVIDUAL, arranged_pose, chosen_names
from bsoid_gpu.io.reader import Outline, Request
from bsoid_gpu.log import logger
from bsoid_gpu.pose import Pose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.typing import Array

LIKELIHOOD = "likelihood"
COORDINATES = ("x", "y", "z", LIKELIHOOD)  # of all that a file may hold
SHARED = "single"  # DeepLabCut's individual of body parts, such as corners of the arena, that belong to no animal
NO_FRAMES = "has a header but no frames"


class Column(NamedTuple):
    """What one column holds."""

    individual: str
    keypoint: str
    coord: str


def outline_of(columns: list[Column], frames: int, size: int) -> Outline:
    """Outline of a file with these columns."""
    tracked = [column for column in columns if column.coord == "x"]
    keypoints = tuple(dict.fromkeys(column.keypoint for column in tracked))
    individuals = {column.individual for column in tracked} - {SHARED}
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
    heading = f"{str(path)!r}: the header cannot be used:"
    raise_all(_coordinate_problems(columns), heading=heading)
    used, notes = _used_columns(columns)
    owners = tuple(dict.fromkeys(column.individual for _, column in used))
    if SHARED in owners and len(owners) > 1 and SHARED not in request.individuals:
        owners = tuple(name for name in owners if name != SHARED)
        notes.append(f"the keypoints of {SHARED!r} belong to no animal and are left out")
    keypoints_of = {name: tuple(dict.fromkeys(c.keypoint for _, c in used if c.individual == name)) for name in owners}
    individuals, keypoints, left_out = chosen_names(keypoints_of, request, path)
    present = {column.coord for _, column in used}
    coords = tuple(coord for coord in COORDINATES if coord in present)
    raise_all(_column_problems([column for _, column in used], individuals, keypoints, coords), heading=heading)
    if unused := [name for name in keypoints_of[individuals[0]] if name not in keypoints]:
        logger.info("%s: keypoints that were not requested are left out: %s", path.stem, ", ".join(map(repr, unused)))
    number = {column: i for i, column in used}
    chosen = [number[Column(i, k, c)] for i in individuals for k in keypoints for c in coords]
    rank = {column: i for i, column in enumerate(sorted(chosen))}
    return Layout(
        individuals=individuals,
        keypoints=keypoints,
        space=tuple(coord for coord in coords if coord != LIKELIHOOD),
        has_likelihood=LIKELIHOOD in coords,
        columns=sorted(chosen),
        order=[rank[column] for column in chosen],
        notes=(*notes, *left_out),
    )


def pose_of_columns(
    numbers: Array,
    chosen: Layout,
    path: Path,
    request: Request,
    frame_numbers: NDArray[Any] | None = None,
    notes: Sequence[str] = (),
) -> Pose:
    """Pose from the (frames, columns) numbers of the chosen columns; see :func:`arranged_pose`."""
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
        frame_numbers=frame_numbers,
        notes=(*chosen.notes, *notes),
    )


def _coordinate_problems(columns: Sequence[Column]) -> list[str]:
    coords = tuple(dict.fromkeys(column.coord for column in columns))
    if {"x", "y"} <= set(coords):
        return []
    skeleton = ": this is a table of DeepLabCut's skeleton, without positions" if "orientation" in coords else ""
    return [f"the coordinates are {', '.join(map(repr, coords))}; expected x, y and likelihood{skeleton}"]


def _used_columns(columns: Sequence[Column]) -> tuple[list[tuple[int, Column]], list[str]]:
    """Positions and names of the columns that a pose needs, and notes on the others."""
    tracked = {column[:2] for column in columns if column.coord in ("x", "y")}
    used = [
        (i, column._replace(individual=column.individual or INDIVIDUAL))
        for i, column in enumerate(columns)
        if column[:2] in tracked and column.coord in COORDINATES
    ]
    notes = []
    if names := dict.fromkeys(column.keypoint for column in columns if column[:2] not in tracked):
        notes.append(f"columns without positions are left out: {', '.join(map(repr, names))}")
    if extra := dict.fromkeys(c.coord for c in columns if c[:2] in tracked and c.coord not in COORDINATES):
        named = any(column.coord == LIKELIHOOD for _, column in used)
        hint = "" if named else "; if one of them is the tracker's confidence, name it 'likelihood'"
        notes.append(f"coordinates that are not used are left out: {', '.join(map(repr, extra))}{hint}")
    return used, notes


def _column_problems(
    columns: Sequence[Column], individuals: Sequence[str], keypoints: Sequence[str], coords: Sequence[str]
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
