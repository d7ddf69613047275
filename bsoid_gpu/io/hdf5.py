"""HDF5 files, opened by h5py, which runs no code that a file holds."""

from __future__ import annotations

import contextlib
import io
import mmap
import struct
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    import h5py
    import numpy as np
    from numpy.typing import NDArray

SUFFIXES = (".h5", ".hdf5")
SIGNATURE = b"\x89HDF\r\n\x1a\n"
DAMAGED = (OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, OverflowError)  # h5py's errors
HEAP = b"GCOL\x01\0\0\0"  # begins a heap of strings
MAX_COMPRESSION = 1032  # of deflate: 2 bits stand for 258 bytes at most
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
        if isinstance(data, bytes):
            _check_heaps(data)
        else:
            with mmap.mmap(data.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                _check_heaps(mapped)
        with h5py.File(io.BytesIO(data) if isinstance(data, bytes) else data, "r") as content:
            yield content
    except Refused as error:
        msg = f"{str(path)!r} {error}"
        raise BadInput(msg) from error
    except DAMAGED as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        msg = f"{str(path)!r} is not {expected}, or it is damaged: {reason}"
        raise BadInput(msg) from error


def _check_heaps(data: bytes | mmap.mmap) -> None:
    """Raise ValueError where the heap of strings is damaged so that libhdf5 would read it without end.

    A heap is a list of objects, each with its size in its header of 16 bytes; object 0 is the free space and its size
    includes the header (HDF5 File Format Specification, III.E).
    """
    start = data.find(HEAP)
    while start >= 0:
        size = int.from_bytes(data[start + 8 : start + 16], "little")
        place, end = start + 16, min(start + size, len(data))
        while place + 16 <= end:
            number, object_size = struct.unpack_from("<H6xQ", data, place)
            step = object_size if number == 0 else 16 + (object_size + 7) // 8 * 8
            if step % 2**64 == 0:
                msg = f"the heap of strings at byte {start} is damaged"
                raise ValueError(msg)
            place += step
        start = data.find(HEAP, start + 1)


def _check_type(dtype: np.dtype[Any], name: str) -> None:
    """Raise TypeError for complex numbers, and where h5py may crash: other objects than strings, overlapping fields."""
    import h5py

    fields = sorted((offset, offset + kind.itemsize) for kind, offset, *_ in (dtype.fields or {}).values())
    overlap = any(end > start for (_, end), (start, _) in pairwise(fields))
    if overlap or dtype.kind == "c" or (dtype.hasobject and h5py.check_string_dtype(dtype) is None):
        msg = f"{name!r} holds neither real numbers nor strings"
        raise TypeError(msg)


def stored(group: h5py.Group, name: str) -> h5py.Dataset:
    """A dataset by name, not yet read.

    Raises
    ------
    KeyError, TypeError, ValueError
        It does not exist, is a group, is larger than its file can hold, or holds neither numbers nor strings;
        :func:`opened` reports them.
    """
    import h5py

    item = group[name]
    if not isinstance(item, h5py.Dataset):
        msg = f"{name!r} is not a dataset"
        raise TypeError(msg)
    if item.nbytes > MAX_COMPRESSION * item.file.id.get_filesize():
        msg = f"{name!r} has the shape {item.shape}, which is more than the file can hold"
        raise ValueError(msg)
    _check_type(item.dtype, name)
    return item


def dataset(group: h5py.Group, name: str) -> h5py.Dataset:
    """A dataset of this file; links, which may lead to other files, are not followed."""
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink) or not isinstance(group[name], h5py.Dataset):
        msg = f"{group.name} has no dataset {name!r}"
        raise KeyError(msg)
    return group[name]


def values(dataset: h5py.Dataset) -> NDArray[Any]:
    """All values of a dataset.

    Raises
    ------
    Refused
        They are compressed by a filter that is not installed.
    ValueError
        They are not in this file.
    """
    import h5py

    layout = dataset.id.get_create_plist()
    for number in range(layout.get_nfilters()):
        code, _, _, name = layout.get_filter(number)
        if not h5py.h5z.filter_avail(code):
            msg = (
                f"is compressed with {name.decode('utf-8', 'replace') or code!r}, which cannot be read "
                "here: open it with the program that wrote it, and save it as CSV or compressed with zlib"
            )
            raise Refused(msg)
    if dataset.external or dataset.is_virtual:
        msg = f"the values of {dataset.name} are in another file"
        raise ValueError(msg)
    if dataset.size * dataset.dtype.itemsize > MAX_RATIO * dataset.id.get_storage_size():
        msg = f"{dataset.name} claims {dataset.size:,} values and does not hold them"
        raise ValueError(msg)
    return dataset[()]


def text(value: object) -> str:
    """Text that HDF5 gives as bytes or as a string, which may not be valid UTF-8."""
    encoded = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return encoded.rstrip(b"\0").decode("utf-8", "replace")


def texts(dataset: h5py.Dataset) -> tuple[str, ...]:
    """Texts of a dataset: strings, rows of single characters as netCDF may write them, or numbers."""
    _check_type(dataset.dtype, dataset.name)
    values = dataset[()]
    if dataset.dtype == "S1" and dataset.ndim == 2:
        values = values.astype("S1").view(f"S{dataset.shape[1]}")
    return tuple(text(value) for value in getattr(values, "flat", [values]))


def dimension_scales(variable: h5py.Dataset) -> list[h5py.Dataset | None]:
    """The first scale of each dimension, None where there is none.

    Raises
    ------
    TypeError, ValueError
        The list of scales is damaged: libhdf5, which reads it without a check, would crash.
    """
    import h5py

    if "DIMENSION_LIST" not in variable.attrs:
        return [None] * variable.ndim
    listed = variable.attrs.get_id("DIMENSION_LIST")
    kind = h5py.check_vlen_dtype(listed.dtype)
    if listed.shape != (variable.ndim,) or kind is None or h5py.check_ref_dtype(kind) is not h5py.Reference:
        msg = f"the dimensions of {variable.name!r} are damaged"
        raise TypeError(msg)
    return [variable.file[scales[0]] if len(scales) else None for scales in variable.attrs["DIMENSION_LIST"]]


def attribute(item: h5py.Group | h5py.Dataset, name: str) -> Any:
    """The single text or number of an attribute, which may be an array of one; None where there is none."""
    if name in item.attrs:
        _check_type(item.attrs.get_id(name).dtype, name)
    value = item.attrs.get(name)
    values = getattr(value, "flat", [value])
    first = next(iter(values), None)
    return text(first) if isinstance(first, str | bytes) else first
