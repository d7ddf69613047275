"""Arrays in safetensors files: write, read, and map into memory."""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu.files import DIGEST_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray


def saved(named: Mapping[str, NDArray[Any]], metadata: dict[str, str] | None = None) -> bytes:
    """Bytes of a safetensors file with the arrays, in C order as the format requires."""
    import numpy as np
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array) for name, array in named.items()}, metadata)


def loaded(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Arrays of a file, in memory, and its metadata; ``ValueError`` if the file is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            named = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            return named, file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def digest_of(named: Mapping[str, NDArray[Any]], facts: object = None) -> str:
    """Digest of the arrays' names, types, shapes and bytes, and of facts that JSON can write."""
    import numpy as np

    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for name in sorted(named):
        array = np.ascontiguousarray(named[name])
        hasher.update(f"{name} {array.dtype.str} {array.shape}".encode())
        hasher.update(array.data)
    hasher.update(json.dumps(facts, sort_keys=True).encode())
    return hasher.hexdigest()


def mapped(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of a safetensors file, mapped into memory.

    The file starts with the length of the header (8 bytes) and the header (JSON).
    """
    import numpy as np

    types = {"F64": np.float64, "F32": np.float32, "I64": np.int64, "I32": np.int32, "BOOL": np.bool_}
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {
        name: np.memmap(path, types[entry["dtype"]], "r", 8 + length + entry["data_offsets"][0], tuple(entry["shape"]))
        for name, entry in header.items()
    }


def release(array: NDArray[Any]) -> None:
    """Release the memory of a mapped array, which is read from the file again when it is used.

    Windows has no such call: the system releases mapped arrays when memory is short.
    """
    mapping = getattr(array, "_mmap", None)
    if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)
