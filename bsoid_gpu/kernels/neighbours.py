"""Exact nearest neighbours of all points, by brute force in blocks of matrix products.

With the squared length of a neighbour added, ``|y|^2 - 2 x.y`` is one matrix product, and differs from the squared
distance by a constant of the row. A sample of the points gives each row a limit under which its neighbours surely
lie; what is under it is kept while the product is in the cache, and only of these few the distances are computed and
sorted. Blocks are fixed, so that the result does not depend on the number of threads.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from bsoid_gpu.log import progress
from bsoid_gpu.machine import cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS, COLUMNS = 512, 2048  # of a product: 4 MB
SAMPLE = 2048  # points that the limits are read from
MARGIN = np.float32(1e-4)  # share of a squared length by which rounding may move a product, and more
LANES = 16  # products compared at a time


def nearest(points: NDArray[np.float32], neighbours: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Nearest neighbours of each point, the point itself among them.

    Parameters
    ----------
    points
        (points, columns).
    neighbours
        At most as many as there are points.

    Returns
    -------
    tuple
        Euclidean distances (points, neighbours), ascending, and the indices that go with them; of neighbours at one
        distance the one with the lower index comes first.
    """
    points = np.ascontiguousarray(points, dtype=np.float32)
    n, columns = points.shape
    squares = np.einsum("ij,ij->i", points, points)
    right = np.empty((columns + 1, n), dtype=np.float32)
    right[:columns], right[columns] = points.T, squares
    sample = np.ascontiguousarray(right[:, :: max(1, n // SAMPLE)])
    expected = sample.shape[1] * neighbours / n
    rank = min(sample.shape[1] - 1, math.ceil(expected + 4 * math.sqrt(expected) + 4))
    room = min(n, math.ceil((rank + 5 * math.sqrt(rank)) * n / sample.shape[1]) + neighbours)
    distances = np.empty((n, neighbours), dtype=np.float32)
    indices = np.empty((n, neighbours), dtype=np.int32)

    def block(start: int) -> None:
        rows = points[start : start + ROWS]
        left = np.column_stack([-2 * rows, np.ones(len(rows), dtype=np.float32)])
        limit = np.partition(left @ sample, rank, axis=1)[:, rank]
        found, products = np.empty((len(rows), room), dtype=np.int32), np.empty((len(rows), room), dtype=np.float32)
        count = np.zeros(len(rows), dtype=np.int64)
        for first in range(0, n, COLUMNS):
            _sift(left @ right[:, first : first + COLUMNS], first, limit, found, products, count)
        margin = MARGIN * squares[start : start + ROWS]
        _sort(points, start, found, products, count, limit, margin, distances, indices)

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(cores()) as pool:
        starts = range(0, n, ROWS)
        for _ in progress(pool.map(block, starts), "neighbours", len(starts)):
            pass
    return distances, indices


@numba.njit(nogil=True, cache=True)
def _sift(block, first, limit, found, products, count):  # type: ignore[no-untyped-def]
    """Append the columns whose product is within the row's limit; a row that is full counts on."""
    rows, columns = block.shape
    room = found.shape[1]
    for i in range(rows):
        bound, kept = limit[i], count[i]
        for begin in range(0, columns, LANES):
            if begin + LANES <= columns:
                least = block[i, begin]
                for lane in range(1, LANES):  # of fixed length, so that it becomes one instruction
                    least = min(least, block[i, begin + lane])
                if least > bound:
                    continue
            for j in range(begin, min(begin + LANES, columns)):
                if block[i, j] <= bound:
                    if kept < room:
                        found[i, kept], products[i, kept] = first + j, block[i, j]
                    kept += 1
        count[i] = kept


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})  # sums in any order: several at a time
def _squared(points, i, j):  # type: ignore[no-untyped-def]
    total = np.float32(0.0)
    for column in range(points.shape[1]):
        difference = points[i, column] - points[j, column]
        total += difference * difference
    return total


@numba.njit(nogil=True, cache=True)
def _sort(points, start, found, products, count, limit, margin, distances, indices):  # type: ignore[no-untyped-def]
    """The nearest of the found ones; of all points where too few or too many were found to be sure."""
    neighbours = distances.shape[1]
    for i in range(found.shape[0]):
        number, bound = count[i], np.float32(np.inf)
        if neighbours <= number <= found.shape[1]:
            bound = np.partition(products[i, :number], neighbours - 1)[neighbours - 1] + margin[i]
        if bound < limit[i]:
            ordered = _ordered(points, start + i, found[i, :number][products[i, :number] <= bound])
        else:
            ordered = _ordered(points, start + i, np.arange(points.shape[0], dtype=np.int32))
        for place in range(neighbours):
            distances[start + i, place] = math.sqrt(_as_float(ordered[place]))
            indices[start + i, place] = ordered[place] & np.uint64(0xFFFFFFFF)


@numba.njit(nogil=True, cache=True)
def _ordered(points, i, others):  # type: ignore[no-untyped-def]
    """Squared distance and index of others, ascending: the bits of both in one word, of which the distance is the head.

    The bits of floats that are not negative are in the order of the floats.
    """
    squared = np.empty(len(others), dtype=np.float32)
    for c in range(len(others)):
        squared[c] = _squared(points, i, others[c])
    bits = squared.view(np.uint32)
    words = np.empty(len(others), dtype=np.uint64)
    for c in range(len(others)):
        words[c] = np.uint64(bits[c]) << np.uint64(32) | np.uint64(others[c])
    words.sort()
    return words


@numba.njit(nogil=True, cache=True)
def _as_float(word):  # type: ignore[no-untyped-def]
    bits = np.empty(1, dtype=np.uint32)
    bits[0] = word >> np.uint64(32)
    return bits.view(np.float32)[0]
