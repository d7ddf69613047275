"""Exact nearest neighbours of all points, by brute force in blocks of matrix products.

With the squared length of a neighbour added, ``|y|^2 - 2 x.y`` is one matrix product, and differs from the squared
distance by a constant of the row. A sample of the points gives each row a limit below which its neighbours are
expected. Columns below it are the candidates, collected while the product is in the cache; distances are computed and
sorted for candidates only, or for all points where the limit was wrong. Equal points are searched once. Blocks have a
fixed size, so that the result does not depend on the number of threads.

Another search may give the candidates instead, such as one on a GPU: the result is the same.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from bsoid_gpu.kernels.neighbour_selection import Distinct, as_float, nearest_of, write_neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Search = Callable[[NDArray[np.float32], int], tuple[NDArray[np.int32], NDArray[np.float32]]]

ROWS, COLUMNS = 512, 2048  # of a product: 4 MB
SAMPLE = 2048  # points that the limits are estimated from
# Rounding, with u = 2^-24 and d columns (Higham 2002, section 3.1): a squared length is within d u |y|^2 of its value,
# a product of d + 1 terms within (d + 1) u (|x|^2 + 2 |y|^2), a squared distance within 2 (d + 2) u (|x|^2 + |y|^2).
# Together with the sums and comparisons that follow, that is less than 8 (d + 4) u for each of the two squared lengths.
MARGIN = np.float32(8 * 2.0**-24)
SPARE = 32  # candidates of another search beyond the neighbours: ties and rounding seldom reach further
TINY = np.float32(2.0**-100)  # squared length whose margin exceeds the loss by underflow
LANES = 16  # products compared at a time


def nearest(
    points: NDArray[np.float32],
    neighbours: int,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Nearest neighbours of each point, including the point itself.

    Parameters
    ----------
    points
        (points, columns).
    neighbours
        Number of neighbours, at most the number of points.
    threads
        Blocks of points that are searched in parallel.
    progress
        Called in the calling thread with the number of finished blocks and the number of all blocks.

    Returns
    -------
    tuple
        Euclidean distances (points, neighbours), ascending, and the indices of the neighbours (points, neighbours).
        Ties are ordered by index. Distances are computed in float32.
    """
    distinct = _distinct(points)
    candidates = _Candidates(distinct.rows, min(neighbours, len(distinct.rows)))

    def select(start: int, distances: NDArray[np.float32], indices: NDArray[np.int32]) -> None:
        _select(distinct, start, *candidates.of_block(start), candidates.width, distances, indices)

    return _in_blocks(select, distinct, neighbours, threads, progress)


def nearest_among(
    points: NDArray[np.float32],
    neighbours: int,
    search: Search,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The same as :func:`nearest`, with candidates from another search, whose distances may be rounded.

    Parameters
    ----------
    points, neighbours, threads, progress
        See :func:`nearest`.
    search
        ``search(rows, number)`` returns, for all rows (rows, columns), the indices of about as many nearest rows (rows,
        candidates) int32, and the largest of their distances (rows,), computed in float32 as
        ``sqrt(|x|^2 + |y|^2 - 2 x.y)`` or more precisely. Where more rows may be as near, all are searched.
    """
    distinct = _distinct(points)
    rows = distinct.rows
    columns, largest = search(rows, min(neighbours + SPARE, len(rows)))
    if columns.shape[1] == len(rows):
        limit = np.full(len(rows), np.inf, dtype=np.float32)
    else:
        # a row y that is no candidate has a computed distance L or more: d^2 >= L^2 - e (|x|^2 + |y|^2), with
        # |y|^2 <= 2 (|x|^2 + d^2)
        error = float(MARGIN) * (rows.shape[1] + 4)
        squares = np.einsum("ij,ij->i", rows, rows).astype(np.float64) + float(TINY)
        limit = ((largest.astype(np.float64) ** 2 - 3 * error * squares) / (1 + 3 * error)).astype(np.float32)

    def select(start: int, distances: NDArray[np.float32], indices: NDArray[np.int32]) -> None:
        block = slice(start, start + ROWS)
        _select_among(distinct, start, columns[block], limit[block], distances, indices)

    return _in_blocks(select, distinct, neighbours, threads, progress)


def _in_blocks(
    select: Callable[[int, NDArray[np.float32], NDArray[np.int32]], None],
    distinct: Distinct,
    neighbours: int,
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Distances and indices of all points; ``select`` writes those of a block of rows."""
    shape = (len(distinct.members), neighbours)
    distances, indices = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.int32)
    starts = range(0, len(distinct.rows), ROWS)
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(lambda start: select(start, distances, indices), starts), start=1):
            if progress is not None:
                progress(done, len(starts))
    return distances, indices


def _distinct(points: NDArray[np.float32]) -> Distinct:
    points = np.ascontiguousarray(points, dtype=np.float32) + np.float32(0.0)  # no -0.0: equal rows have equal bytes
    as_bytes = points.view(np.dtype((np.void, points.shape[1] * points.itemsize))).ravel()
    _, first, group = np.unique(as_bytes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    row = np.argsort(order)[group]
    members = np.argsort(row, kind="stable").astype(np.int32)
    return Distinct(points[first[order]], members, np.concatenate([[0], np.cumsum(np.bincount(row))]))


class _Candidates:
    """Columns of the products that may be neighbours of a row.

    A product is ``|y|^2 - 2 x.y`` less the margin of ``|y|^2``: the computed squared distance, less ``|x|^2``, is
    between ``product - width[x] / 2`` and ``product + width[y] + width[x] / 2``.
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
        self.capacity = min(n, math.ceil((self.rank + 5 * math.sqrt(self.rank)) * n / sampled) + neighbours)

    def of_block(
        self, start: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        """Candidates of a block of rows: their columns, products and number, and the limit of each row."""
        rows = self.rows[start : start + ROWS]
        left = np.column_stack([-2 * rows, np.ones(len(rows), dtype=np.float32)])
        limit = np.partition(left @ self.sample, self.rank, axis=1)[:, self.rank]
        columns = np.empty((len(rows), self.capacity), dtype=np.int32)
        products = np.empty((len(rows), self.capacity), dtype=np.float32)
        count = np.zeros(len(rows), dtype=np.int64)
        for first in range(0, len(self.rows), COLUMNS):
            _append_candidates(left @ self.right[:, first : first + COLUMNS], first, limit, columns, products, count)
        return columns, products, count, limit


@numba.njit(nogil=True, cache=True)
def _append_candidates(block, first, limit, columns, products, count):  # type: ignore[no-untyped-def]
    """Append the columns whose product is within the row's limit; a full row only counts them."""
    capacity = columns.shape[1]
    for i in range(block.shape[0]):
        bound, number = limit[i], count[i]
        for begin in range(0, block.shape[1], LANES):
            if begin + LANES <= block.shape[1]:
                least = block[i, begin]
                for lane in range(1, LANES):  # a fixed length, so that the loop is vectorised
                    least = min(least, block[i, begin + lane])
                if least > bound:
                    continue
            for j in range(begin, min(begin + LANES, block.shape[1])):
                if block[i, j] <= bound:
                    if number < capacity:
                        columns[i, number], products[i, number] = first + j, block[i, j]
                    number += 1
        count[i] = number


@numba.njit(nogil=True, cache=True)
def _select(distinct, start, columns, products, count, limit, width, distances, indices):  # type: ignore[no-untyped-def]
    """Select the nearest candidates; search all rows where the candidates are too few or too many to be certain."""
    rows = distinct.rows
    neighbours = min(distances.shape[1], rows.shape[0])
    for i in range(columns.shape[0]):
        number, bound = count[i], np.float32(np.inf)
        if neighbours <= number <= columns.shape[1]:
            largest = products[i, :number] + width[columns[i, :number]]
            bound = np.partition(largest, neighbours - 1)[neighbours - 1] + width[start + i]
        if bound < limit[i]:
            words = nearest_of(rows, start + i, columns[i, :number][products[i, :number] <= bound], neighbours)
        else:
            words = nearest_of(rows, start + i, np.arange(rows.shape[0], dtype=np.int32), neighbours)
        write_neighbours(words, distinct, start + i, distances, indices)


@numba.njit(nogil=True, cache=True)
def _select_among(distinct, start, columns, limit, distances, indices):  # type: ignore[no-untyped-def]
    """Select the nearest candidates; search all rows where others may be below the limit of squared distances."""
    rows = distinct.rows
    neighbours = min(distances.shape[1], rows.shape[0])
    for i in range(columns.shape[0]):
        words = nearest_of(rows, start + i, columns[i], neighbours)
        if not as_float(words[-1]) < limit[i]:
            words = nearest_of(rows, start + i, np.arange(rows.shape[0], dtype=np.int32), neighbours)
        write_neighbours(words, distinct, start + i, distances, indices)
