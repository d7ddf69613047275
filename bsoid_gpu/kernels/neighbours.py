"""Exact nearest neighbours of all points, by brute force in blocks of matrix products.

With the squared length of a neighbour added, ``|y|^2 - 2 x.y`` is one matrix product, and differs from the squared
distance by a constant of the row. A sample of the points gives each row a limit under which its neighbours surely
lie; what is under it is kept while the product is in the cache, and only of these few the distances are computed and
sorted. Points with equal coordinates are searched once. Blocks are fixed, so that the result does not depend on the
number of threads.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numba
import numpy as np
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROWS, COLUMNS = 512, 2048  # of a product: 4 MB
SAMPLE = 2048  # points that the limits are read from
# Rounding, with u = 2^-24 and d columns (Higham 2002, section 3.1): a squared length is within d u |y|^2 of its value,
# a product of d + 1 terms within (d + 1) u (|x|^2 + 2 |y|^2), a squared distance within 2 (d + 2) u (|x|^2 + |y|^2).
# Together with the sums and comparisons that follow, that is less than 8 (d + 4) u for each of the two squared lengths.
MARGIN = np.float32(8 * 2.0**-24)
TINY = np.float32(2.0**-100)  # squared length whose margin is more than what underflow takes
LANES = 16  # products compared at a time
HALF, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)  # of a word: a squared distance above, an index below


def nearest(
    points: NDArray[np.float32],
    neighbours: int,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Nearest neighbours of each point, the point itself among them.

    Parameters
    ----------
    points
        (points, columns).
    neighbours
        At most as many as there are points.
    threads
        Blocks of points that are searched at a time.
    progress
        Called with the number of blocks that are done and the number of all blocks, in the calling thread.

    Returns
    -------
    tuple
        Euclidean distances (points, neighbours), ascending, and the indices that go with them; of neighbours at one
        distance the one with the lower index comes first. Distances are those that float32 arithmetic gives.
    """
    points = np.ascontiguousarray(points, dtype=np.float32) + np.float32(0.0)  # no -0.0: equal rows have equal bytes
    rows, members, offsets = _distinct(points)
    candidates = _Candidates(rows, min(neighbours, len(rows)))
    distances = np.empty((len(points), neighbours), dtype=np.float32)
    indices = np.empty((len(points), neighbours), dtype=np.int32)

    def block(start: int) -> None:
        _sort(rows, start, *candidates.of(start), candidates.width, members, offsets, distances, indices)

    starts = range(0, len(rows), ROWS)
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(block, starts), start=1):
            if progress is not None:
                progress(done, len(starts))
    return distances, indices


def _distinct(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int64]]:
    """Each different row once, in the order of their first points, and which points are equal to it.

    The points of row r are ``members[offsets[r]:offsets[r + 1]]``, ascending.
    """
    as_bytes = points.view(np.dtype((np.void, points.shape[1] * points.itemsize))).ravel()
    _, first, group = np.unique(as_bytes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    row = np.argsort(order)[group]
    members = np.argsort(row, kind="stable").astype(np.int32)
    return points[first[order]], members, np.concatenate([[0], np.cumsum(np.bincount(row))])


class _Candidates:
    """Columns of the products that may be neighbours of a row.

    A product is the smallest that rounding may have made of ``|y|^2 - 2 x.y``, but for the margin of ``|x|^2``: the
    squared distance that is computed, less ``|x|^2``, is from ``product - width[x] / 2`` to
    ``product + width[y] + width[x] / 2``.
    """

    def __init__(self, rows: NDArray[np.float32], neighbours: int) -> None:
        n, columns = rows.shape
        squares = np.einsum("ij,ij->i", rows, rows)
        margin = MARGIN * np.float32(columns + 4) * (squares + TINY)
        self.width, self.rows = 2 * margin, rows
        self.right = np.empty((columns + 1, n), dtype=np.float32)
        self.right[:columns], self.right[columns] = rows.T, squares - margin
        self.sample = np.ascontiguousarray(self.right[:, :: max(1, n // SAMPLE)])
        sampled = self.sample.shape[1]
        expected = sampled * neighbours / n
        self.rank = min(sampled - 1, math.ceil(expected + 4 * math.sqrt(expected) + 4))
        self.room = min(n, math.ceil((self.rank + 5 * math.sqrt(self.rank)) * n / sampled) + neighbours)

    def of(self, start: int) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        """Of a block of rows: the columns within the limit, their products, how many there are, and the limit."""
        rows = self.rows[start : start + ROWS]
        left = np.column_stack([-2 * rows, np.ones(len(rows), dtype=np.float32)])
        limit = np.partition(left @ self.sample, self.rank, axis=1)[:, self.rank]
        columns = np.empty((len(rows), self.room), dtype=np.int32)
        products = np.empty((len(rows), self.room), dtype=np.float32)
        count = np.zeros(len(rows), dtype=np.int64)
        for first in range(0, len(self.rows), COLUMNS):
            _sift(left @ self.right[:, first : first + COLUMNS], first, limit, columns, products, count)
        return columns, products, count, limit


@numba.njit(nogil=True, cache=True)
def _sift(block, first, limit, columns, products, count):  # type: ignore[no-untyped-def]
    """Append the columns whose product is within the row's limit; a row that is full counts on."""
    room = columns.shape[1]
    for i in range(block.shape[0]):
        bound, kept = limit[i], count[i]
        for begin in range(0, block.shape[1], LANES):
            if begin + LANES <= block.shape[1]:
                least = block[i, begin]
                for lane in range(1, LANES):  # of fixed length, so that it becomes one instruction
                    least = min(least, block[i, begin + lane])
                if least > bound:
                    continue
            for j in range(begin, min(begin + LANES, block.shape[1])):
                if block[i, j] <= bound:
                    if kept < room:
                        columns[i, kept], products[i, kept] = first + j, block[i, j]
                    kept += 1
        count[i] = kept


@numba.njit(nogil=True, cache=True)
def _sort(rows, start, columns, products, count, limit, width, members, offsets, distances, indices):  # type: ignore[no-untyped-def]
    """The nearest of the candidates; of all rows where too few or too many are candidates to be sure."""
    neighbours = min(distances.shape[1], rows.shape[0])
    for i in range(columns.shape[0]):
        number, bound = count[i], np.float32(np.inf)
        if neighbours <= number <= columns.shape[1]:
            largest = products[i, :number] + width[columns[i, :number]]
            bound = np.partition(largest, neighbours - 1)[neighbours - 1] + width[start + i]
        if bound < limit[i]:
            words = _nearest_of(rows, start + i, columns[i, :number][products[i, :number] <= bound], neighbours)
        else:
            words = _nearest_of(rows, start + i, np.arange(rows.shape[0], dtype=np.int32), neighbours)
        words = _members_of(words, members, offsets, distances.shape[1])
        for place in range(distances.shape[1]):
            distance, index = math.sqrt(_as_float(words[place])), words[place] & LOW
            for point in members[offsets[start + i] : offsets[start + i + 1]]:
                distances[point, place], indices[point, place] = distance, index


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})  # sums in any order: several at a time
def _squared(points, i, j):  # type: ignore[no-untyped-def]
    total = np.float32(0.0)
    for column in range(points.shape[1]):
        difference = points[i, column] - points[j, column]
        total += difference * difference
    return total


@numba.njit(nogil=True, cache=True)
def _nearest_of(points, i, others, neighbours):  # type: ignore[no-untyped-def]
    """Squared distance and index of the nearest others, ascending: the bits of both in one word, distance first.

    The bits of floats that are not negative are in the order of the floats.
    """
    squared = np.empty(len(others), dtype=np.float32)
    for c in range(len(others)):
        squared[c] = _squared(points, i, others[c])
    bits = squared.view(np.uint32)
    words = np.empty(len(others), dtype=np.uint64)
    for c in range(len(others)):
        words[c] = np.uint64(bits[c]) << HALF | np.uint64(others[c])
    return _least(words, neighbours)


@numba.njit(nogil=True, cache=True)
def _members_of(words, members, offsets, neighbours):  # type: ignore[no-untyped-def]
    """Words of the nearest points, from those of the nearest rows.

    As many rows as neighbours are enough: the first points of these come before every point of any other row.
    """
    size, used = 0, 0
    while used < len(words) and (size < neighbours or words[used] >> HALF == words[used - 1] >> HALF):
        row = words[used] & LOW
        size += min(offsets[row + 1] - offsets[row], neighbours)
        used += 1
    expanded, size = np.empty(size, dtype=np.uint64), 0
    for word in words[:used]:
        row = word & LOW
        for point in members[offsets[row] : min(offsets[row + 1], offsets[row] + neighbours)]:
            expanded[size] = word & ~LOW | np.uint64(point)
            size += 1
    return expanded if size == used else _least(expanded, neighbours)


@numba.njit(nogil=True, cache=True)
def _least(words, number):  # type: ignore[no-untyped-def]
    """The smallest words, ascending."""
    if number < len(words):
        words = np.partition(words, number)[:number]
    words.sort()
    return words


@numba.njit(nogil=True, cache=True)
def _as_float(word):  # type: ignore[no-untyped-def]
    bits = np.empty(1, dtype=np.uint32)
    bits[0] = word >> HALF
    return bits.view(np.float32)[0]
