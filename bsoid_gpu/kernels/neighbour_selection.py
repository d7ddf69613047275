"""The nearest of some candidates, exactly: distances by differences in float32, ties ordered by index."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

INDEX_BITS, INDEX_MASK = np.uint64(32), np.uint64(0xFFFFFFFF)  # of a word: squared distance, then index


class Distinct(NamedTuple):
    """The distinct rows, in the order of their first occurrence, and the points equal to each.

    The points equal to row r are ``members[offsets[r]:offsets[r + 1]]``, ascending.
    """

    rows: NDArray[np.float32]
    members: NDArray[np.int32]
    offsets: NDArray[np.int64]


@numba.njit(nogil=True, cache=True)
def write_neighbours(words, distinct, row, distances, indices):  # type: ignore[no-untyped-def]
    """Write the neighbours of all points equal to a row."""
    words = _expand(words, distinct.members, distinct.offsets, distances.shape[1])
    for place in range(distances.shape[1]):
        distance, index = math.sqrt(as_float(words[place])), words[place] & INDEX_MASK
        for point in distinct.members[distinct.offsets[row] : distinct.offsets[row + 1]]:
            distances[point, place], indices[point, place] = distance, index


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})  # sums in any order: vectorised
def _squared(points, i, j):  # type: ignore[no-untyped-def]
    total = np.float32(0.0)
    for column in range(points.shape[1]):
        difference = points[i, column] - points[j, column]
        total += difference * difference
    return total


@numba.njit(nogil=True, cache=True)
def nearest_of(points, i, others, neighbours):  # type: ignore[no-untyped-def]
    """Words of the nearest others, ascending: the bits of the squared distance, then those of the index.

    The bits of non-negative floats sort like the floats.
    """
    squared = np.empty(len(others), dtype=np.float32)
    for c in range(len(others)):
        squared[c] = _squared(points, i, others[c])
    bits = squared.view(np.uint32)
    words = np.empty(len(others), dtype=np.uint64)
    for c in range(len(others)):
        words[c] = np.uint64(bits[c]) << INDEX_BITS | np.uint64(others[c])
    return _smallest(words, neighbours)


@numba.njit(nogil=True, cache=True)
def _expand(words, members, offsets, neighbours):  # type: ignore[no-untyped-def]
    """Words of the nearest points, from those of the nearest rows.

    As many rows as neighbours suffice: the first point of each is nearer than every point of any other row.
    """
    size, used = 0, 0
    while used < len(words) and (size < neighbours or words[used] >> INDEX_BITS == words[used - 1] >> INDEX_BITS):
        row = words[used] & INDEX_MASK
        size += min(offsets[row + 1] - offsets[row], neighbours)
        used += 1
    expanded, size = np.empty(size, dtype=np.uint64), 0
    for word in words[:used]:
        row = word & INDEX_MASK
        for point in members[offsets[row] : min(offsets[row + 1], offsets[row] + neighbours)]:
            expanded[size] = word & ~INDEX_MASK | np.uint64(point)
            size += 1
    return expanded if size == used else _smallest(expanded, neighbours)


@numba.njit(nogil=True, cache=True)
def _smallest(words, number):  # type: ignore[no-untyped-def]
    """The smallest words, ascending."""
    if number < len(words):
        words = np.partition(words, number)[:number]
    words.sort()
    return words


@numba.njit(nogil=True, cache=True)
def as_float(word):  # type: ignore[no-untyped-def]
    """Squared distance of a word."""
    bits = np.empty(1, dtype=np.uint32)
    bits[0] = word >> INDEX_BITS
    return bits.view(np.float32)[0]
