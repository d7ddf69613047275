"""DeepLabCut HDF5 files, of one animal and of several: a table of pandas under any key.

The levels of its columns are those of a CSV file (:mod:`bsoid_gpu.io.deeplabcut_header`), and its index has the frame
numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import hdf5, pandas_hdf5
from bsoid_gpu.io.arrange import arranged_pose
from bsoid_gpu.io.deeplabcut_header import Column, layout, outline_of
from bsoid_gpu.io.reader import Outline, Reader, Request
from bsoid_gpu.pose import Pose

if TYPE_CHECKING:
    import h5py

LEVELS = ("individuals", "bodyparts", "coords")
EXPECTED = "expected one table with body parts and the coordinates x and y"


def sniff_hdf5(path: Path) -> bool:
    """Whether a file has a table with body parts and positions; True where the names cannot be read."""
    return hdf5.is_like(path, _has_pose)


def parse_hdf5(data: bytes, path: Path, request: Request) -> Pose:
    """Parse an HDF5 file as pandas writes it, in table or fixed format; see :func:`bsoid_gpu.io.parse_pose`."""
    with _pose_table(data, path) as table:
        columns, notes = _pose_columns(table)
        places = list(columns)
        chosen = layout(list(columns.values()), request, path)
        frame_numbers, numbers = table.read([places[chosen.columns[number]] for number in chosen.order])
    coords = len(chosen.space) + chosen.has_likelihood
    values = numbers.reshape(len(numbers), len(chosen.individuals), len(chosen.keypoints), coords)
    position, likelihood = values[..., : len(chosen.space)], values[..., -1]
    return arranged_pose(
        request.backend.asarray(position),
        request.backend.asarray(likelihood) if chosen.has_likelihood else None,
        path,
        request,
        individuals=chosen.individuals,
        keypoints=chosen.keypoints,
        frame_numbers=frame_numbers,
        notes=(*notes, *chosen.notes),
    )


def outline_hdf5(path: Path) -> Outline:
    """Outline of an HDF5 file; its numbers are not read."""
    data = path.read_bytes()
    with _pose_table(data, path) as table:
        columns, _ = _pose_columns(table)
        return outline_of(list(columns.values()), table.rows, len(data))


READERS = (Reader("DeepLabCut HDF5", (".h5", ".hdf5"), sniff_hdf5, parse_hdf5, outline_hdf5),)


@contextlib.contextmanager
def _pose_table(data: bytes, path: Path) -> Iterator[pandas_hdf5.Table]:
    """The one table with positions in a file, which is open in the block.

    Raises
    ------
    BadInput
        There is none or there are several; the file is damaged, or its table cannot or must not be read.
    """
    with hdf5.opened(data, path, "a DeepLabCut HDF5 file") as file:
        tables = pandas_hdf5.tables(file, LEVELS[1:])
        poses = [table for table in tables if _has_positions(table)]
        if len(poses) != 1:
            keys = ", ".join(repr(table.key) for table in poses) or "none"
            coords = sorted({column.coord for table in tables for column in _columns(table)})
            others = f" (its coordinates are {', '.join(map(repr, coords))})" if coords and not poses else ""
            msg = f"{str(path)!r} is not a DeepLabCut HDF5 file: {EXPECTED}, found {keys}{others}"
            raise BadInput(msg)
        yield poses[0]


def _has_pose(file: h5py.File) -> bool:
    try:
        return any(_has_positions(table) for table in pandas_hdf5.tables(file, LEVELS[1:]))
    except hdf5.Refused:  # reported when it is read
        return True


def _has_positions(table: pandas_hdf5.Table) -> bool:
    return {"x", "y"} <= {column.coord for column in _columns(table)}


def _columns(table: pandas_hdf5.Table) -> list[Column]:
    """What each column of the table holds."""
    level = {name: number for number, name in enumerate(table.levels)}
    return [Column(*(names[level[name]] if name in level else "" for name in LEVELS)) for names in table.columns]


def _pose_columns(table: pandas_hdf5.Table) -> tuple[dict[int, Column], list[str]]:
    """The columns of keypoints by their place in the table, and a note on the others, such as times."""
    columns = _columns(table)
    coords: dict[tuple[str, str], set[str]] = {}
    for column in columns:
        coords.setdefault((column.individual, column.keypoint), set()).add(column.coord)
    others = [owner for owner, own in coords.items() if not {"x", "y"} & own]
    names = ", ".join(repr(keypoint) for _, keypoint in others)
    notes = [f"the columns {names} have no x and y and are left out"] if others else []
    kept = {place: column for place, column in enumerate(columns) if column[:2] not in others}
    return kept, notes
