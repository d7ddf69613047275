"""HDF5 files, opened by h5py, which runs no code that a file holds.

Everything is read through :func:`item` and :func:`dataset`: they open no other file, and the values of a dataset are in
this one.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import hdf5_heaps
from bsoid_gpu.io.messages import reason

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

SUFFIXES = (".h5", ".hdf5")
SIGNATURE = b"\x89HDF\r\n\x1a\n"
DAMAGED = (OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, OverflowError)  # h5py's errors
MAX_RATIO = 1100  # zlib compresses to 1/1032 at best: whatever claims to be larger was never written


class Refused(Exception):
    """Content that cannot be read or must not be; the message continues after the name of the file."""


def is_like(path: Path, test: Callable[[h5py.File], bool]) -> bool:
    """Whether an HDF5 file passes a test of its groups and datasets; False for a file that cannot be opened."""
    import h5py

    try:
        with path.open("rb") as file:
            if file.read(len(SIGNATURE)) != SIGNATURE:
                return False
        about = path.stat()
        if hdf5_heaps.is_endless_path(path, about.st_size, about.st_mtime_ns):
            return False
        with h5py.File(path, "r") as content:
            return bool(test(content))
    except (*DAMAGED, Refused):
        return False


@contextlib.contextmanager
def opened(data: bytes | BinaryIO, path: Path, expected: str) -> Iterator[h5py.File]:
    """The content of an HDF5 file.

    Parameters
    ----------
    data
        Content of the file, or the file opened for reading.
    path
        Its path, for messages.
    expected
        What the file should be, in messages, for example ``"a SLEAP analysis file"``.

    Raises
    ------
    BadInput
        It is damaged, reading it in the block fails as it does in a damaged file, or its content is refused.
    """
    import h5py

    try:
        if hdf5_heaps.is_endless(data) if isinstance(data, bytes) else hdf5_heaps.is_endless_file(data):
            msg = "a heap of texts has an object of size 0"
            raise ValueError(msg)
        with h5py.File(io.BytesIO(data) if isinstance(data, bytes) else data, "r") as content:
            yield content
    except Refused as error:
        msg = f"{str(path)!r} {error}"
        raise BadInput(msg) from error
    except DAMAGED as error:
        msg = f"{str(path)!r} is not {expected}, or it is damaged: {reason(error)}"
        raise BadInput(msg) from error


def _check_type(dtype: np.dtype[Any], name: str) -> None:
    """Raise TypeError for complex numbers, and where h5py may crash: other objects than strings, overlapping fields."""
    import h5py

    if _overlap(dtype) or dtype.kind == "c" or (dtype.hasobject and h5py.check_string_dtype(dtype) is None):
        msg = f"{name!r} holds neither real numbers nor strings"
        raise TypeError(msg)


def _overlap(dtype: np.dtype[Any]) -> bool:
    """Whether fields overlap."""
    fields = sorted((offset, offset + kind.itemsize) for kind, offset, *_ in (dtype.fields or {}).values())
    return any(end > start for (_, end), (start, _) in pairwise(fields))


def item(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset | None:
    """A group or dataset by its path; None if there is none.

    Raises
    ------
    ValueError
        It is in another file, which is not opened.
    """
    import h5py

    place = group.file if name.startswith("/") else group
    for part in name.split("/"):
        if part in ("", "."):
            continue
        link = place.get(part, getlink=True) if isinstance(place, h5py.Group) else None
        if isinstance(link, h5py.HardLink):
            place = place[part]
        elif isinstance(link, h5py.SoftLink):
            place = item(place, link.path)
        elif isinstance(link, h5py.ExternalLink):
            msg = f"{name!r} of {group.name} is in another file"
            raise ValueError(msg)
        else:
            return None
    return place


def dataset(group: h5py.Group, name: str, *, objects: bool = False) -> h5py.Dataset:
    """A dataset by its path, not yet read; its values are in this file and can be read.

    They are numbers or strings; with ``objects`` the caller checks their type.

    Raises
    ------
    KeyError
        There is none.
    Refused
        It is compressed by a filter that is not installed.
    TypeError
        It holds neither numbers nor strings.
    ValueError
        It or its values are in another file, or it claims more values than were ever written.
    """
    import h5py

    own = item(group, name)
    if not isinstance(own, h5py.Dataset):
        msg = f"{group.name} has no dataset {name!r}"
        raise KeyError(msg)
    if not objects:
        _check_type(own.dtype, own.name)
    layout = own.id.get_create_plist()
    for number in range(layout.get_nfilters()):
        code, _, _, filter_name = layout.get_filter(number)
        if not h5py.h5z.filter_avail(code):
            msg = (
                f"is compressed with {filter_name.decode('utf-8', 'replace') or code!r}, which cannot be read "
                "here: open it with the program that wrote it, and save it as CSV or compressed with zlib"
            )
            raise Refused(msg)
    if own.external or own.is_virtual:
        msg = f"the values of {own.name} are in another file"
        raise ValueError(msg)
    if own.size * own.dtype.itemsize > MAX_RATIO * own.id.get_storage_size():
        msg = f"{own.name} of shape {own.shape} claims {own.size:,} values and does not hold them"
        raise ValueError(msg)
    return own


def optional(group: h5py.Group, name: str) -> h5py.Dataset | None:
    """As :func:`dataset`; None where nothing has the name."""
    return None if item(group, name) is None else dataset(group, name)


def numbers(values: NDArray[Any], kinds: str = "fiu", dtype: type[Any] = np.float64) -> NDArray[Any]:
    """Numbers of a dataset as a type.

    Raises
    ------
    TypeError
        They are of another kind than the given ones (letters of :attr:`numpy.dtype.kind`).
    """
    if values.dtype.kind not in kinds:
        expected = "numbers" if "f" in kinds else "whole numbers"
        msg = f"values of type {values.dtype} stand where {expected} are expected"
        raise TypeError(msg)
    with np.errstate(all="ignore"):  # numbers too large for the type are infinite
        return values.astype(dtype)


def text(value: object) -> str:
    """Text that HDF5 gives as bytes or as a string; ValueError where it is not valid UTF-8."""
    encoded = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return encoded.rstrip(b"\0").decode("utf-8")


def texts(source: h5py.Dataset) -> tuple[str, ...]:
    """Texts of a dataset: strings, rows of single characters as netCDF may write them, or numbers."""
    _check_type(source.dtype, source.name)
    values = source[()]
    if source.dtype == "S1" and source.ndim == 2:
        values = values.astype("S1").view(f"S{source.shape[1]}")
    return tuple(text(value) for value in getattr(values, "flat", [values]))


def dimension_scales(variable: h5py.Dataset) -> list[h5py.Dataset | None]:
    """The scale of each dimension among the datasets of the same group, None where there is none.

    They are taken from what each scale is attached to. The list of scales that a variable has as well is left alone:
    its entries state their own lengths, and libhdf5 crashes where one is damaged.

    Raises
    ------
    IndexError, TypeError
        What a scale is attached to is damaged.
    """
    import h5py

    scales: list[h5py.Dataset | None] = [None] * variable.ndim
    group = variable.parent
    for name in group:
        node = group[name] if isinstance(group.get(name, getlink=True), h5py.HardLink) else None
        for reference, axis in _attached(node) if isinstance(node, h5py.Dataset) else ():
            if variable.file[reference] == variable:
                scales[axis] = node
    return scales


def _attached(scale: h5py.Dataset) -> list[tuple[h5py.Reference, int]]:
    """Datasets that a scale is attached to, and the dimension of each; none for a dataset that is no scale."""
    import h5py

    if "REFERENCE_LIST" not in scale.attrs:
        return []
    kind = scale.attrs.get_id("REFERENCE_LIST").dtype
    reference, number = (
        kind[name] if name in (kind.names or ()) else np.dtype("V1") for name in ("dataset", "dimension")
    )
    listed = []
    if h5py.check_ref_dtype(reference) is h5py.Reference and number.kind in "iu" and not _overlap(kind):
        listed = [(entry["dataset"], int(entry["dimension"])) for entry in np.ravel(scale.attrs["REFERENCE_LIST"])]
    if not listed or any(axis < 0 for _, axis in listed):
        msg = f"what {scale.name!r} is attached to is damaged"
        raise TypeError(msg)
    return listed


def attribute(node: h5py.Group | h5py.Dataset, name: str) -> Any:
    """The single text or number of an attribute, which may be an array of one; None where there is none."""
    if name in node.attrs:
        _check_type(node.attrs.get_id(name).dtype, name)
    value = node.attrs.get(name)
    values = getattr(value, "flat", [value])
    first = next(iter(values), None)
    return text(first) if isinstance(first, str | bytes) else first
