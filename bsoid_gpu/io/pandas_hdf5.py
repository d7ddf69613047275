"""Tables that pandas wrote to HDF5 with PyTables, read by h5py alone: no code that a file holds is run.

A group with the attribute ``pandas_type`` is a table. pandas has two formats; both keep columns of one type together,
in blocks.

- ``frame_table``: ``table`` is a dataset of records with the fields ``index`` and ``values_block_N``. Attributes hold
  names, as pickles: ``non_index_axes`` the columns, ``values_block_N_kind`` those of a block, and ``info`` the names of
  the levels of the columns.
- ``frame``: ``axis0`` are the columns, ``axis1`` is the index, ``blockN_items`` are the columns of a block and
  ``blockN_values`` its numbers. An axis with levels is stored as the names of each level (``axis0_levelN``) and a
  number for each column (``axis0_labelN``; -1 for no name).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bsoid_gpu.io import hdf5, restricted_pickle
from bsoid_gpu.io.hdf5 import DAMAGED, Refused
from bsoid_gpu.io.restricted_pickle import Plain

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

NUMBERS = "fiub"  # kinds of NumPy dtypes
REMEDY = (
    "opening it could run any command, so it is refused. If you trust where the file comes from, save its table as "
    "CSV, in Python: pandas.read_hdf('FILE.h5').to_csv('FILE.csv')"
)


class Table(NamedTuple):
    """A table in an open file.

    ``levels`` are the names of the levels of the columns, and ``columns`` the name of each column in each level.
    ``read`` gives the index, (rows,) numbers or texts, and (rows, columns) float64 of the columns at the given places.
    """

    key: str
    levels: tuple[str, ...]
    columns: list[tuple[str, ...]]
    rows: int
    read: Callable[[Sequence[int]], tuple[NDArray[Any], NDArray[np.float64]]]


class Block(NamedTuple):
    """Columns of one type: their places in the table, and (rows, columns) values."""

    places: list[int]
    values: Callable[[], NDArray[Any]]


def tables(file: h5py.File, levels: Collection[str]) -> list[Table]:
    """Tables whose columns have these levels; nothing is read of the others but the names of their levels.

    Raises
    ------
    Refused
        A table is damaged, its names are Python objects, or they are compressed by a filter that is not there.
    """
    import h5py

    groups: list[h5py.Group] = [file]
    file.visititems(lambda _, node: groups.append(node) if isinstance(node, h5py.Group) else None)
    listed = [_table(group, set(levels)) for group in groups if "pandas_type" in group.attrs]
    return [table for table in listed if table]


def _table(group: h5py.Group, levels: set[str]) -> Table | None:
    """The table of a group; None if it has other levels, or is no table."""
    formats = {"frame_table": (_record_levels, _record_table), "frame": (_axis_levels, _block_table)}
    try:
        kind = _attribute(group, "pandas_type")
        if not isinstance(kind, str) or kind not in formats:
            return None
        levels_of, table_of = formats[kind]
        own = levels_of(group)
        return table_of(group, own) if levels <= set(own) else None
    except DAMAGED as error:
        msg = f"has a damaged table {group.name!r}: {error}"
        raise Refused(msg) from error


def _record_levels(group: h5py.Group) -> tuple[str, ...]:
    info = _attribute(group, "info")
    if not isinstance(info, dict):
        msg = f"the attribute 'info' is {str(info)[:40]!r}; expected a dict"
        raise TypeError(msg)
    return tuple(map(_text, _sequence(info.get(1, {}).get("names", ()))))


def _record_table(group: h5py.Group, levels: tuple[str, ...]) -> Table:
    """A table in the format ``frame_table``."""
    dataset = hdf5.dataset(group, "table", objects=True)
    ((_, names),) = _sequence(_attribute(group, "non_index_axes"))
    columns = _column_names(names)
    fields = [name for name in dataset.dtype.names if name.startswith("values_block_")]
    places = {field: _places(_column_names(_attribute(dataset, f"{field}_kind")), columns) for field in fields}

    def read(chosen: Sequence[int]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        records = _values(dataset)
        index = _index(records["index"], str(_attribute(dataset, "index_kind")))
        kinds = {field: _kind(dataset, f"{field}_dtype", f"{field}_meta") for field in fields}
        blocks = [Block(places[field], partial(_numbers, records[field], kinds[field])) for field in fields]
        return index, _gathered(blocks, chosen, len(records))

    return Table(group.name, levels, columns, len(dataset), read)


def _axis_levels(group: h5py.Group) -> tuple[str, ...]:
    return tuple(_text(_attribute(level, "name")) for level in _levels(group, "axis0"))


def _block_table(group: h5py.Group, levels: tuple[str, ...]) -> Table:
    """A table in the format ``frame``."""
    columns = list(_axis(group, "axis0"))
    index = hdf5.dataset(group, "axis1_label0" if _levels(group, "axis1") else "axis1", objects=True)
    rows = 0 if _is_empty(index) else len(index)

    def read(chosen: Sequence[int]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        if rows == 0:
            return np.empty(0), np.empty((0, len(chosen)))
        blocks = [
            Block(_places(list(_axis(group, f"block{number}_items")), columns), partial(_block_values, group, number))
            for number in range(_count(group, "nblocks"))
        ]
        return _index_of_axis(group), _gathered(blocks, chosen, rows)

    return Table(group.name, levels, columns, rows, read)


def _block_values(group: h5py.Group, number: int) -> NDArray[Any]:
    """(rows, columns) of a block."""
    dataset = hdf5.dataset(group, f"block{number}_values", objects=True)
    values = _numbers(_values(dataset), _kind(dataset, "value_type"))
    return values if "transposed" in dataset.attrs and _attribute(dataset, "transposed") else values.T


def _levels(group: h5py.Group, axis: str) -> list[h5py.Dataset]:
    """Datasets of the names of each level of an axis; none for an axis without levels."""
    if _attribute(group, f"{axis}_variety") != "multi":
        return []
    return [
        hdf5.dataset(group, f"{axis}_level{level}", objects=True) for level in range(_count(group, f"{axis}_nlevels"))
    ]


def _axis(group: h5py.Group, axis: str) -> Iterator[tuple[str, ...]]:
    """Names along an axis with levels."""
    named = []
    for number, level in enumerate(_levels(group, axis)):
        names = [*map(_text, _values(level).tolist()), "nan"]
        codes = hdf5.dataset(group, f"{axis}_label{number}", objects=True)
        named.append([] if _is_empty(codes) else [names[max(code, -1)] for code in _values(codes).tolist()])
    return zip(*named, strict=True)


def _index_of_axis(group: h5py.Group) -> NDArray[Any]:
    if _levels(group, "axis1"):  # folder and file of an image
        return np.asarray(["/".join(parts) for parts in _axis(group, "axis1")])
    dataset = hdf5.dataset(group, "axis1", objects=True)
    return _index(_values(dataset), str(_attribute(dataset, "kind")))


def _index(values: NDArray[Any], kind: str) -> NDArray[Any]:
    """The index as numbers or texts."""
    if kind == "string":
        return np.asarray([_text(value) for value in values.tolist()])
    if kind not in ("integer", "float"):
        msg = (
            f"numbers its rows by {kind!r}; expected the number of the frame in the video: number the rows from 0 on "
            "(in pandas: table.reset_index(drop=True))"
        )
        raise Refused(msg)
    return values


def _gathered(blocks: Sequence[Block], chosen: Sequence[int], rows: int) -> NDArray[np.float64]:
    """(rows, columns) at the chosen places."""
    numbers = np.empty((rows, len(chosen)))
    filled: set[int] = set()
    for block in blocks:
        source = {place: number for number, place in enumerate(block.places)}
        target = [number for number, place in enumerate(chosen) if place in source]
        if target:  # other blocks are not read
            values = block.values()
            if len(values) != rows:
                msg = f"a block has {len(values)} rows; expected {rows}"
                raise ValueError(msg)
            numbers[:, target] = values[:, [source[chosen[number]] for number in target]]
            filled.update(target)
    if len(filled) != len(chosen):
        msg = f"{len(chosen) - len(filled)} columns have no values"
        raise ValueError(msg)
    return numbers


def _places(names: Sequence[tuple[str, ...]], columns: Sequence[tuple[str, ...]]) -> list[int]:
    place = {column: number for number, column in enumerate(columns)}
    return [place[name] for name in names]


def _kind(dataset: h5py.Dataset, *attributes: str) -> str:
    """What pandas calls the type of the values, which are numbers in the file also where they stand for others."""
    return " ".join(str(_attribute(dataset, name)) for name in attributes if name in dataset.attrs)


def _numbers(values: NDArray[Any], kind: str) -> NDArray[Any]:
    """Values that are numbers; ``kind`` is what pandas calls their type."""
    if values.dtype.kind not in NUMBERS or any(word in kind for word in ("time", "period", "category")):
        first = repr(_text(values.ravel()[0]))[:60] if values.dtype.kind == "S" and values.size else kind
        msg = f"has columns whose cells are not all numbers: {first}; expected positions in px"
        raise Refused(msg)
    return values


def _is_empty(dataset: h5py.Dataset) -> bool:
    """Whether it stands for an empty array, whose shape pandas keeps in an attribute."""
    return "shape" in dataset.attrs


def _values(dataset: h5py.Dataset) -> NDArray[Any]:
    """All values of a dataset, which are no Python objects."""
    if dataset.dtype.hasobject:
        msg = f"holds a Python object (in {dataset.name!r}): {REMEDY}"
        raise Refused(msg)
    return dataset[()]


def _attribute(node: h5py.Group | h5py.Dataset, name: str) -> Plain:
    """An attribute: a number, a text, or the plain value of a pickle, which PyTables stores as text ending in `.`."""
    value = node.attrs[name]
    if not isinstance(value, bytes | str):
        return value.item() if isinstance(value, np.generic) else ""  # h5py's Empty
    stored = value.encode() if isinstance(value, str) else bytes(value)
    if stored.endswith(b"."):
        try:
            return restricted_pickle.loads(stored)
        except restricted_pickle.PythonObject as error:
            msg = f"holds a Python object ({str(error)!r} in {node.name!r}, {name}): {REMEDY}"
            raise Refused(msg) from error
        except ValueError:
            pass  # a text
    return _text(stored)


def _count(node: h5py.Group, name: str) -> int:
    value = _attribute(node, name)
    if not isinstance(value, int):
        msg = f"the attribute {name!r} is {value!r}; expected a number"
        raise TypeError(msg)
    return value


def _column_names(value: Plain) -> list[tuple[str, ...]]:
    return [tuple(map(_text, _sequence(names))) for names in _sequence(value)]


def _sequence(value: Plain) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        msg = "expected a list"
        raise TypeError(msg)
    return value


def _text(value: Any) -> str:
    """A name as text, which PyTables may store in Latin-1."""
    if isinstance(value, list | tuple | dict):
        msg = "expected a name"
        raise TypeError(msg)
    try:
        return hdf5.text(value)
    except UnicodeDecodeError:
        return value.decode("latin-1") if isinstance(value, bytes) else str(value)
