"""Global heaps of an HDF5 file, which hold its texts of any length; the HDF5 library reads some damaged ones forever.

A heap has a header with its size, and objects that each state their size; see "Global Heap" in the HDF5 file format
specification. An object without a number is free space and ends the heap: at size 0 the library never gets past it.
"""

from __future__ import annotations

import functools
import mmap
import struct
from pathlib import Path
from typing import BinaryIO

SIGNATURE = b"GCOL\x01\0\0\0"  # and version
SIZE = struct.Struct("<Q")
OBJECT = struct.Struct("<H6xQ")  # number and size
HEADER_BYTES = len(SIGNATURE) + SIZE.size
LENGTHS = 2**64  # the library counts bytes modulo it


def is_endless(content: bytes | mmap.mmap) -> bool:
    """Whether the library would read a heap of a file forever."""
    start = content.find(SIGNATURE)
    while start >= 0:
        if _is_endless_at(content, start):
            return True
        start = content.find(SIGNATURE, start + len(SIGNATURE))
    return False


def is_endless_file(file: BinaryIO) -> bool:
    """As :func:`is_endless`, for an open file, which is not loaded."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return is_endless(content)


@functools.lru_cache(maxsize=4096)
def is_endless_path(path: Path, size: int, modified_ns: int) -> bool:
    """As :func:`is_endless`, for a file of this size and date, which is asked about many times."""
    with path.open("rb") as file:
        return is_endless_file(file)


def _is_endless_at(content: bytes | mmap.mmap, start: int) -> bool:
    place = start + HEADER_BYTES
    if place > len(content):
        return False
    (length,) = SIZE.unpack_from(content, start + len(SIGNATURE))
    end = min(start + length, len(content))
    while place + OBJECT.size <= end:
        number, size = OBJECT.unpack_from(content, place)
        step = size if number == 0 else (OBJECT.size + (size + 7) // 8 * 8) % LENGTHS
        if step == 0:
            return True
        place += step
    return False
