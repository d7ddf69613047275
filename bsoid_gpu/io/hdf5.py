"""HDF5 files, opened by h5py, which runs no code that a file holds."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
DAMAGED = (OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, OverflowError)  # h5py's errors


def is_like(path: Path, test: Callable[[h5py.File], bool]) -> bool:
    """Whether an HDF5 file passes a test of its groups and datasets; False for a file that cannot be opened."""
    import h5py

    try:
        with path.open("rb") as file:
            if file.read(len(SIGNATURE)) != SIGNATURE:
                return False
        with h5py.File(path, "r") as content:
            return bool(test(content))
    except DAMAGED:
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
        It is damaged, or reading it in the block fails as it does in a damaged file.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(data) if isinstance(data, bytes) else data, "r") as content:
            yield content
    except DAMAGED as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        msg = f"{str(path)!r} is not {expected}, or it is damaged: {reason}"
        raise BadInput(msg) from error


def text(value: object) -> str:
    """Text that HDF5 gives as bytes or as a string, which may not be valid UTF-8."""
    encoded = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return encoded.rstrip(b"\0").decode("utf-8", "replace")


def texts(dataset: h5py.Dataset) -> tuple[str, ...]:
    """Texts of a dataset: strings, rows of single characters as netCDF may write them, or numbers."""
    values = dataset[()]
    if dataset.dtype == "S1" and dataset.ndim == 2:
        values = values.astype("S1").view(f"S{dataset.shape[1]}")
    return tuple(text(value) for value in getattr(values, "flat", [values]))


def attribute(item: h5py.Group | h5py.Dataset, name: str) -> Any:
    """The single text or number of an attribute, which may be an array of one; None where there is none."""
    value = item.attrs.get(name)
    values = getattr(value, "flat", [value])
    first = next(iter(values), None)
    return text(first) if isinstance(first, str | bytes) else first
