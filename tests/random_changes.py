"""Random damage to files of every format, for tests: bytes, tables, JSON, HDF5, NumPy arrays and folders."""

from __future__ import annotations

import io
import json
import random
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bsoid_gpu.io import freemocap

CELLS = ("", "nan", "NaN", "inf", "-1", "0", "1e400", "1e300", "-5.5", "x", "1,5", '"', "0x10", "1_0", " ", "٣", "\x00")
VALUES: tuple[Any, ...] = (None, True, "x", "", -1, 0, 1e300, float("nan"), 2**70, [], {}, [[]], [1, "x"], "0.5")
Rng = random.Random


def change_bytes(path: Path, rng: Rng) -> str:
    """Flip bits, cut, repeat or insert bytes."""
    data = bytearray(path.read_bytes())
    kind = rng.choice(
        ("flip", "flip at the beginning", "cut", "cut the beginning", "repeat", "insert", "empty", "zero")
    )
    at, size = rng.randrange(max(len(data), 1)), rng.choice((1, 2, 8, 100, 4096))
    if kind.startswith("flip"):
        for _ in range(rng.choice((1, 3, 30))):
            if data:
                data[rng.randrange(len(data) if kind == "flip" else min(len(data), 3000))] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del data[at:]
    elif kind == "cut the beginning":
        del data[: min(at, size)]
    elif kind == "repeat":
        data[at:at] = data[at : at + size]
    elif kind == "insert":
        data[at:at] = rng.randbytes(size)
    elif kind == "zero":
        data[at : at + size] = bytes(len(data[at : at + size]))
    else:
        data.clear()
    path.write_bytes(data)
    return f"bytes: {kind}"


def change_table(path: Path, rng: Rng) -> str:
    """Change rows, columns, cells or the header of a comma-separated file."""
    rows = [line.split(",") for line in path.read_text(encoding="utf-8", errors="replace").split("\n")]
    kind, newline, separator, encoding = rng.choice(TABLE_CHANGES), "\n", ",", "utf-8"
    row, other = rng.randrange(len(rows)), rng.randrange(len(rows))
    column, header = rng.randrange(max(map(len, rows))), rng.randrange(min(4, len(rows)))
    if kind == "repeat a row":
        rows.insert(other, list(rows[row]))
    elif kind == "leave out a row":
        del rows[row]
    elif kind == "exchange rows":
        rows[row], rows[other] = rows[other], rows[row]
    elif kind == "leave out rows":
        del rows[min(row, other) : max(row, other)]
    elif kind == "repeat a column":
        rows = [[*cells[:column], *cells[column : column + 1], *cells[column:]] for cells in rows]
    elif kind == "leave out a column":
        rows = [cells[:column] + cells[column + 1 :] for cells in rows]
    elif kind == "leave out a header row":
        del rows[header]
    elif kind == "repeat a header row":
        rows.insert(other, list(rows[header]))
    elif kind == "blank rows":
        rows[row:row] = [[""]] * rng.choice((1, 3)) if rng.random() < 0.5 else [[""] * len(rows[row])]
    elif kind in ("cells", "cells of the header", "cells of one column"):
        for _ in range(rng.choice((1, 1, 5))):
            place = header if kind == "cells of the header" else rng.randrange(len(rows))
            cells = rows[place]
            cells[min(column, len(cells) - 1) if "column" in kind else rng.randrange(len(cells))] = rng.choice(CELLS)
    elif kind == "short rows":
        for _ in range(rng.choice((1, 5))):
            cells = rows[rng.randrange(len(rows))]
            del cells[rng.randrange(len(cells)) :]
    elif kind == "long row":
        rows[row] += [rng.choice(CELLS)] * rng.choice((1, 4))
    else:
        newline = rng.choice(("\r\n", "\r", "\n"))
        separator = rng.choice((";", "\t", ",", ", "))
        encoding = rng.choice(("utf-16", "utf-8-sig", "latin-1", "utf-8"))
    text = newline.join(separator.join(cells) for cells in rows)
    path.write_bytes(text.encode(encoding, errors="replace"))
    return f"table: {kind}"


TABLE_CHANGES = (
    *("repeat a row", "leave out a row", "exchange rows", "leave out rows", "repeat a column", "leave out a column"),
    *("leave out a header row", "repeat a header row", "blank rows", "cells", "cells of the header"),
    *("cells of one column", "short rows", "long row", "encoding"),
)


def change_json(path: Path, rng: Rng) -> str:
    """Change, leave out, repeat or rename a value at a random place."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError:  # damaged before
        return change_bytes(path, rng)
    parent, key, place = _place(content, rng)
    if parent is None:
        return change_bytes(path, rng)
    kind = rng.choice(("value", "value", "leave out", "repeat", "rename", "exchange"))
    if kind == "leave out":
        del parent[key]
    elif kind == "repeat" and isinstance(parent, list):
        parent.insert(rng.randrange(len(parent) + 1), parent[key])
    elif kind == "rename" and isinstance(parent, dict):
        parent[rng.choice(("x", "keypoints", "", key.upper()))] = parent.pop(key)
    elif kind == "exchange":
        other = rng.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
        parent[key], parent[other] = parent[other], parent[key]
    else:
        parent[key] = rng.choice(VALUES)
    path.write_text(json.dumps(content))
    return f"json: {kind} at {place}"


def _place(content: Any, rng: Rng) -> tuple[Any, Any, str]:
    """A container, a key of it, and the path to it; high in the file as often as deep in it."""
    parent, key, place, depth = None, None, "", rng.randrange(1, 8)
    while depth and isinstance(content, dict | list) and content:
        key = rng.choice(list(content) if isinstance(content, dict) else range(len(content)))
        parent, content, depth, place = content, content[key], depth - 1, f"{place}/{key}"
    return parent, key, place


def change_hdf5(path: Path, rng: Rng) -> str:
    """Leave out, rename, retype or resize an object or an attribute."""
    try:
        with h5py.File(path, "r+") as file:
            names: list[str] = []
            file.visit(names.append)
            name = rng.choice(names)
            kind = rng.choice(("leave out", "rename", "retype", "resize", "values", "attribute", "another kind"))
            HDF5_CHANGES[kind](file, name, rng)
    except (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError):  # not for this object
        return change_bytes(path, rng)
    return f"hdf5: {kind} {name}"


def _leave_out(file: h5py.File, name: str, rng: Rng) -> None:
    del file[name]


def _rename(file: h5py.File, name: str, rng: Rng) -> None:
    file.move(name, rng.choice((f"{name}x", "x/y", "tracks_2")))


def _replaced(file: h5py.File, name: str, values: Any) -> None:
    attributes = dict(file[name].attrs)
    del file[name]
    file[name] = values
    for key, value in attributes.items():
        if key not in ("DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME"):
            file[name].attrs[key] = value


def _retype(file: h5py.File, name: str, rng: Rng) -> None:
    kind = rng.choice(("f4", "f2", "i2", "u1", "S8", "complex", ">f8", "bool"))
    _replaced(file, name, np.nan_to_num(file[name][()]).astype(kind))


def _resize(file: h5py.File, name: str, rng: Rng) -> None:
    values = file[name][()]
    axis = rng.randrange(values.ndim)
    change = rng.choice(("shorter", "empty", "longer", "transpose", "flat", "more axes", "scalar"))
    _replaced(
        file,
        name,
        {
            "shorter": lambda: np.take(values, range(values.shape[axis] - 1), axis=axis),
            "empty": lambda: np.take(values, [], axis=axis),
            "longer": lambda: np.concatenate([values, values], axis=axis),
            "transpose": lambda: values.T,
            "flat": values.ravel,
            "more axes": lambda: values[None],
            "scalar": lambda: values.ravel()[0],
        }[change](),
    )


def _values(file: h5py.File, name: str, rng: Rng) -> None:
    values = file[name][()]
    flat = values.reshape(-1)
    at = rng.randrange(len(flat))
    number = rng.choice((0, 1, -1, 255, 1e30, float("nan"), float("inf"), 2**40))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flat[at : at + rng.choice((1, 10, len(flat)))] = np.float64(number).astype(flat.dtype)
    _replaced(file, name, values)


def _attribute(file: h5py.File, name: str, rng: Rng) -> None:
    item = file[name] if file[name].attrs else file
    key = rng.choice(sorted(item.attrs))
    value = rng.choice((None, "x", 0, -1.5, np.zeros((2, 2)), b"cos\nsystem\n(S'exit 1'\ntR.", float("nan"), "é"))
    if value is None:
        del item.attrs[key]
    else:
        item.attrs[key] = value


def _another_kind(file: h5py.File, name: str, rng: Rng) -> None:
    """A group where there was a dataset, a dataset where there was a group, or a link to nowhere."""
    group = isinstance(file[name], h5py.Group)
    del file[name]
    if rng.random() < 0.3:
        file[name] = rng.choice((h5py.SoftLink("/nowhere"), h5py.ExternalLink("none.h5", "/"), h5py.SoftLink("/")))
    elif group:
        file[name] = np.arange(5)
    else:
        file.create_group(name)


HDF5_CHANGES = {
    "leave out": _leave_out,
    "rename": _rename,
    "retype": _retype,
    "resize": _resize,
    "values": _values,
    "attribute": _attribute,
    "another kind": _another_kind,
}


def change_array(path: Path, rng: Rng) -> str:
    """Change the shape, the type or the values of a NumPy array."""
    try:
        array = np.load(io.BytesIO(path.read_bytes()))
        kind = rng.choice(("type", "shape", "values", "order"))
        if kind == "type":
            with np.errstate(all="ignore"):
                array = np.nan_to_num(array).astype(rng.choice(("f4", "f2", "i4", "S4", "c16", ">f8")))
        elif kind == "shape":
            array = rng.choice((array[:, :-1], array[..., :2], array[None], array.T, array[:0], array[:1], array[0]))
        elif kind == "values":
            array[rng.randrange(len(array)) :] = rng.choice((0.0, np.inf, -1.0, np.nan, 1e300))
        else:
            array = np.asfortranarray(array)
    except (*freemocap.DAMAGED, IndexError, OSError):  # damaged before
        return change_bytes(path, rng)
    np.save(path, array)
    return f"array: {kind}"


def change_folder(folder: Path, rng: Rng) -> str:
    """Change a file of a folder, leave files out, rename them or add some."""
    inside = sorted(path for path in folder.iterdir() if path.is_file())
    one, other = rng.choice(inside), rng.choice(inside)
    kind = rng.choice(("content", "content", "leave out", "leave out many", "rename", "exchange", "add", "subfolder"))
    if kind == "content":
        return change_json(one, rng)
    if kind.startswith("leave out"):
        for path in [one] if kind == "leave out" else rng.sample(inside, len(inside) // 2):
            path.unlink()
    elif kind == "rename":
        number = rng.choice(("0", "99999", "000000000007", str(2**80), "-3", "x"))
        one.rename(folder / f"walk_{number}_keypoints.json")
    elif kind == "exchange":
        first = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(first)
    elif kind == "add":
        name = rng.choice(("notes.txt", "walk_1_keypoints.json", "other_000000000400_keypoints.json", ".DS_Store"))
        shutil.copy(one, folder / name)
    else:
        one.unlink()
        one.mkdir()
    return f"folder: {kind}"


Change = Callable[[Path, Rng], str]
CHANGES: dict[str, tuple[Change, ...]] = {  # by suffix
    "": (change_folder,),
    ".csv": (change_table, change_table, change_table, change_bytes),
    ".json": (change_json, change_json, change_bytes),
    ".npy": (change_array, change_bytes),
    **dict.fromkeys((".h5", ".slp", ".nwb", ".nc"), (change_hdf5, change_hdf5, change_hdf5, change_bytes)),
}
