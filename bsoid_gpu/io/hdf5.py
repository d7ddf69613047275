"""HDF5 files, opened by h5py, which runs no code that a file holds."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
DAMAGED = (OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, OverflowError)  # h5py's errors
MAX_COMPRESSION = 1032  # of deflate: 2 bits stand for 258 bytes at most


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
def opened(data: bytes, path: Path, expected: str) -> Iterator[h5py.File]:
    """The content of an HDF5 file.

    Parameters
    ----------
    data
        Content of the file.
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
        with h5py.File(io.BytesIO(data), "r") as content:
            yield content
    except DAMAGED as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        msg = f"{str(path)!r} is not {expected}, or it is damaged: {reason}"
        raise BadInput(msg) from error


def stored(group: h5py.Group, name: str) -> h5py.Dataset:
    """A dataset by name, not yet read.

    Raises
    ------
    KeyError, TypeError, ValueError
        It does not exist, is a group, or is larger than its file can hold; :func:`opened` reports them.
    """
    import h5py

    item = group[name]
    if not isinstance(item, h5py.Dataset):
        msg = f"{name!r} is not a dataset"
        raise TypeError(msg)
    if item.nbytes > MAX_COMPRESSION * item.file.id.get_filesize():
        msg = f"{name!r} has the shape {item.shape}, which is more than the file can hold"
        raise ValueError(msg)
    return item
