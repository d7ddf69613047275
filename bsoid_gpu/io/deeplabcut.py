"""DeepLabCut files: CSV and HDF5, of one animal and of several; Lightning Pose writes the same CSV.

The header names a scorer, [an individual,] a body part and a coordinate for each column; then there is one row per
frame, which begins with the frame's number. Who scored is not looked at: some programs number the names.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io.csv_numbers import read_numbers
from bsoid_gpu.log import logger
from bsoid_gpu.pose import Pose, unknown_keypoint

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.typing import Array

HEADER_BYTES = 1 << 20  # the header lies within
SHARED = "single"  # DeepLabCut's name for body parts, such as corners of the arena, that belong to no animal
EXPECTED = "expected the header rows 'scorer', 'bodyparts', 'coords', or with 'individuals' before 'bodyparts'"
NO_FRAMES = "has a header but no frames"
TOLD = 5  # bad cells that a message lists


class Column(NamedTuple):
    """What one column holds."""

    individual: str
    keypoint: str
    coord: str


def looks_like_csv(path: Path) -> bool:
    """Whether the file begins as a DeepLabCut table does; a file that cannot be read is left to the reader."""
    try:
        with path.open("rb") as file:
            return (
                file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip(b'"').startswith(b"scorer")
                or not path.stat().st_size
            )
    except OSError:
        return True


def parse_csv(data: bytes, path: Path, fps: float, backend: Backend, keypoints: Sequence[str] = ()) -> Pose:
    """Parse a CSV file: the header by hand, the body by the backend; see :func:`bsoid_gpu.io.parse_pose`."""
    columns, skip_rows, cells = csv_header(data, path)
    layout = _layout(columns, keypoints, path)
    told = f"{str(path)!r}: not all cells are numbers:"
    if cells != len(columns) + 1:  # a table that is too wide or too narrow all the way down is regular to a parser
        raise_all(_bad_cells(data, skip_rows, columns), heading=told)
    try:
        numbers = read_numbers(data, skip_rows, [place + 1 for place in layout.places], backend)
    except ValueError as error:
        raise_all(_bad_cells(data, skip_rows, columns), heading=told)
        msg = f"{str(path)!r} is no table of numbers: {error}"
        raise BadInput(msg) from error
    return _pose(numbers, layout, path, fps, backend)


def csv_header(data: bytes, path: Path) -> tuple[list[Column], int, int]:
    """What each column after the first holds, the number of header lines, and of cells in the first frame."""
    reader = csv.reader(line.decode("utf-8-sig") for line in data[:HEADER_BYTES].splitlines())
    try:
        lines = list(islice(((row, reader.line_num) for row in reader if row), 5))
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{str(path)!r} is no table in UTF-8 text: {error}; {EXPECTED}"
        raise BadInput(msg) from error
    rows = {row[0].strip(): row[1:] for row, _ in lines[:4]}
    names = list(rows)
    wanted = ["scorer", "individuals", "bodyparts", "coords"]
    if names[:3] == [wanted[0], *wanted[2:]]:
        wanted.remove("individuals")
    if names[: len(wanted)] != wanted:
        found = ", ".join(repr(name[:40]) for name in names) or "nothing"
        msg = f"{str(path)!r} is no DeepLabCut file: its first lines begin with {found}; {EXPECTED}"
        raise BadInput(msg)
    header = [rows[name] for name in wanted]
    if len({len(row) for row in header}) != 1 or not header[0]:
        lengths = ", ".join(str(len(row)) for row in header)
        msg = f"{str(path)!r}: its header rows have {lengths} columns; expected as many in each"
        raise BadInput(msg)
    if len(lines) == len(wanted):
        msg = f"{str(path)!r} {NO_FRAMES}"
        raise BadInput(msg)
    individuals = rows["individuals"] if "individuals" in wanted else [""] * len(header[0])
    columns = [Column(*names) for names in zip(individuals, rows["bodyparts"], rows["coords"], strict=True)]
    return columns, lines[len(wanted) - 1][1], len(lines[len(wanted)][0])


def parse_hdf5(data: bytes, path: Path, fps: float, backend: Backend, keypoints: Sequence[str] = ()) -> Pose:
    """Parse an HDF5 file as pandas writes it, in table or fixed format, under any key."""
    table = hdf5_table(data, path)
    columns = hdf5_columns(table)
    layout = _layout(columns, keypoints, path)
    try:
        numbers = table.iloc[:, layout.places].to_numpy(dtype=float)
    except (ValueError, TypeError) as error:
        msg = f"{str(path)!r}: not all cells are numbers: {error}"
        raise BadInput(msg) from error
    return _pose(backend.asarray(numbers), layout, path, fps, backend)


def hdf5_table(data: bytes, path: Path) -> pd.DataFrame:
    """The one table with body parts in the file."""
    import pandas as pd
    import tables

    builtin = (OSError, ValueError, TypeError, LookupError, AttributeError, SystemError)
    damaged = (*builtin, tables.HDF5ExtError, tables.NodeError)
    name = f"{path.name}.in-memory"  # HDF5 wants a name that no file has
    try:
        with pd.HDFStore(name, "r", driver="H5FD_CORE", driver_core_image=data, driver_core_backing_store=0) as store:
            found = {key: store[key] for key in store.keys()}  # noqa: SIM118 - iterating it is deprecated
    except damaged as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        msg = f"{str(path)!r} is no HDF5 file of DeepLabCut, or it is damaged: {reason}"
        raise BadInput(msg) from error
    poses = {
        key: table
        for key, table in found.items()
        if isinstance(table, pd.DataFrame) and {"bodyparts", "coords"} <= set(table.columns.names)
    }
    if len(poses) != 1:
        keys = ", ".join(map(repr, poses)) or "none"
        msg = f"{str(path)!r} is no HDF5 file of DeepLabCut: expected one table with body parts, found {keys}"
        raise BadInput(msg)
    return next(iter(poses.values()))


def hdf5_columns(table: pd.DataFrame) -> list[Column]:
    """What each column holds."""
    levels = ("individuals", "bodyparts", "coords")
    there = table.columns.names
    named = [table.columns.get_level_values(level) if level in there else [""] * table.shape[1] for level in levels]
    return [Column(*map(str, names)) for names in zip(*named, strict=True)]


class _Layout(NamedTuple):
    """Which columns to take, ascending, and where each belongs."""

    individuals: tuple[str, ...]
    keypoints: tuple[str, ...]
    space: tuple[str, ...]
    has_likelihood: bool
    places: list[int]  # columns to take
    order: list[int]  # of those, by individual, keypoint and coordinate
    notes: tuple[str, ...]


def _layout(columns: list[Column], wanted: Sequence[str], path: Path) -> _Layout:
    """Find the columns of the wanted keypoints; every problem of the header is told at once."""
    notes: list[str] = []
    individuals = tuple(dict.fromkeys(column.individual for column in columns))
    if SHARED in individuals and len(individuals) > 1:
        individuals = tuple(name for name in individuals if name != SHARED)
        notes.append(f"the body parts of {SHARED!r}, which belong to no animal, are left out")
    named = {name: tuple(dict.fromkeys(c.keypoint for c in columns if c.individual == name)) for name in individuals}
    available = named[individuals[0]]
    problems = [
        f"the individual {name!r} has the keypoints {', '.join(map(repr, own))}, {individuals[0]!r} has "
        f"{', '.join(map(repr, available))}; expected the same"
        for name, own in named.items()
        if sorted(own) != sorted(available)
    ]
    problems += [unknown_keypoint(name, available) for name in wanted if name not in available]
    twice = sorted({name for name in wanted if wanted.count(name) > 1})
    problems += [f"the keypoint {name!r} is asked for {wanted.count(name)} times; name it once" for name in twice]
    keypoints = tuple(wanted) or available
    coords = tuple(dict.fromkeys(column.coord for column in columns))
    space = tuple(coord for coord in ("x", "y", "z") if coord in coords)
    if not {"x", "y"} <= set(coords) <= {"x", "y", "z", "likelihood"}:
        problems.append(f"the coordinates are {', '.join(map(repr, coords))}; expected x, y and likelihood")
    if not problems:
        problems += _repeats(columns, individuals, keypoints, coords)
    raise_all(problems, heading=f"{str(path)!r}: a header that cannot be used:")
    if unasked := [name for name in available if name not in keypoints]:
        logger.info("%s: keypoints that are not asked for are left out: %s", path.stem, ", ".join(map(repr, unasked)))
    if "likelihood" not in coords:
        notes.append("there is no likelihood: every position counts as certain, and nothing is filtered")
    first = {column: place for place, column in reversed(list(enumerate(columns)))}
    taken = [
        first[Column(i, k, c)] for i in individuals for k in keypoints for c in (*space, "likelihood") if c in coords
    ]
    places = sorted(taken)
    rank = {place: i for i, place in enumerate(places)}
    return _Layout(
        tuple(name or "individual" for name in individuals),
        keypoints,
        space,
        "likelihood" in coords,
        places,
        [rank[place] for place in taken],
        tuple(notes),
    )


def _repeats(
    columns: list[Column], individuals: Sequence[str], keypoints: Sequence[str], coords: Sequence[str]
) -> list[str]:
    problems = []
    for individual in individuals:
        for keypoint in keypoints:
            own = [c.coord for c in columns if (c.individual, c.keypoint) == (individual, keypoint)]
            if sorted(own) != sorted(coords):
                whose = f" of {individual!r}" if individual else ""
                twice = ": is it named twice?" if len(set(own)) < len(own) else ""
                problems.append(
                    f"the keypoint {keypoint!r}{whose} has the columns {', '.join(own)}; expected "
                    f"{', '.join(coords)}, each once{twice}"
                )
    return problems


def _pose(numbers: Array, layout: _Layout, path: Path, fps: float, backend: Backend) -> Pose:
    """Arrange (frames, columns) numbers by individual and keypoint, and mark what is missing."""
    xp = array_namespace(numbers)
    frames = numbers.shape[0]
    if frames == 0:
        msg = f"{str(path)!r} {NO_FRAMES}"
        raise BadInput(msg)
    if layout.order != list(range(len(layout.order))):
        numbers = xp.take(numbers, xp.asarray(layout.order, dtype=xp.int64, device=device_of(numbers)), axis=1)
    shape = (frames, len(layout.individuals), len(layout.keypoints), -1)
    values = xp.reshape(numbers, shape)
    position = values[..., : len(layout.space)]
    likelihood = values[..., -1] if layout.has_likelihood else xp.full_like(values[..., 0], xp.nan)
    known = xp.isfinite(likelihood)
    unscored = ~xp.any(known, axis=0)  # an empty column does not doubt its positions
    zero = xp.all(position == 0, axis=-1) & (likelihood == 0)  # how several animals' files say missing
    seen = xp.all(xp.isfinite(position), axis=-1) & (known | unscored) & ~zero
    confidence = xp.where(unscored, xp.ones_like(likelihood), likelihood)
    counts = xp.stack([xp.sum(xp.astype(~seen, xp.int64), axis=0), xp.astype(unscored, xp.int64)])
    missing, empty = backend.to_host(counts)  # the one way off the device: a few numbers for the notes
    return Pose(
        name=path.stem,
        position=xp.where(seen[..., None], position, xp.nan),
        confidence=xp.where(seen, confidence, xp.zeros_like(confidence)),
        individuals=layout.individuals,
        keypoints=layout.keypoints,
        fps=fps,
        source=str(path),
        notes=(*layout.notes, *_frame_notes(missing, empty, frames, layout)),
    )


def _frame_notes(missing: NDArray[np.int64], empty: NDArray[np.int64], frames: int, layout: _Layout) -> list[str]:
    """A sentence for each keypoint of each individual without a likelihood or with frames without a position."""
    notes = []
    for i, individual in enumerate(layout.individuals):
        for k, keypoint in enumerate(layout.keypoints):
            who = f"{individual} {keypoint}" if len(layout.individuals) > 1 else keypoint
            if layout.has_likelihood and empty[i, k] and missing[i, k] < frames:
                notes.append(
                    f"{who}: the likelihood column is empty: every position counts as certain, and nothing is filtered"
                )
            if missing[i, k]:
                notes.append(
                    f"{who}: {missing[i, k]:,} of {frames:,} frames have no position and take that of the nearest "
                    "good frame before, or else after"
                )
    return notes


def _bad_cells(data: bytes, skip_rows: int, columns: list[Column]) -> list[str]:
    """The first cells that are no numbers and rows of another length; slow, and only when parsing has failed."""
    found = list(islice(_each_bad_cell(data, skip_rows, columns), TOLD + 1))
    return found if len(found) <= TOLD else [*found[:TOLD], "there are more"]


def _each_bad_cell(data: bytes, skip_rows: int, columns: list[Column]) -> Iterator[str]:
    lines = csv.reader(line.decode("utf-8", errors="replace") for line in data.splitlines())
    try:
        for row in lines:
            if lines.line_num <= skip_rows or not row:
                continue
            if len(row) != len(columns) + 1:
                yield f"line {lines.line_num} has {len(row)} cells; expected {len(columns) + 1}: is the file cut short?"
                continue
            for cell, column in zip(row[1:], columns, strict=True):
                try:
                    float(cell or "nan")
                except ValueError:
                    whose = " ".join(filter(None, column))
                    yield f"line {lines.line_num}, {whose}: {cell[:40]!r} is no number"
    except csv.Error as error:
        yield f"line {lines.line_num}: {error}"
