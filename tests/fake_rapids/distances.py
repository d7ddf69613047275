"""Distances as cuML computes them: expanded, in float32, of data that is not centred."""

import numpy as np
from threadpoolctl import threadpool_limits

ROWS = 512
SELF = np.float32(1e-3)  # smaller squared distances of points with equal norms count as 0


def blocks(points, queries=None):
    """Blocks of rows of the distance matrix: the rows, and their distances (rows, points).

    The error of a squared distance is about 1e-7 of the squared norms, however near the points are.
    """
    queries = points if queries is None else queries
    norms, others = (np.einsum("ij,ij->i", rows, rows) for rows in (queries, points))
    for start in range(0, len(queries), ROWS):
        rows = slice(start, start + ROWS)
        with threadpool_limits(1, "blas"):
            products = queries[rows] @ points.T
        squared = norms[rows, None] + others - 2 * products
        squared[(np.abs(squared) < SELF) & (norms[rows, None] == others)] = 0
        yield rows, np.sqrt(np.maximum(squared, 0))


def nearest(points, neighbours, order, queries=None, transform=lambda rows, distances: distances):
    """Distances (queries, neighbours) float32, ascending, and indices int64 of the nearest points.

    Of equal distances the selection takes those first in ``order`` (points,), or in no order at all. ``transform``
    changes the distances of a block before the selection.
    """
    size = len(points if queries is None else queries), neighbours
    distances, indices = np.empty(size, dtype=np.float32), np.empty(size, dtype=np.int64)
    for rows, block in blocks(points, queries):
        block = transform(rows, block)[:, order]
        chosen = np.argpartition(block, neighbours - 1, axis=1)[:, :neighbours]
        near = np.take_along_axis(block, chosen, axis=1)
        ranks = np.argsort(near, axis=1, kind="stable")
        distances[rows] = np.take_along_axis(near, ranks, axis=1)
        indices[rows] = order[np.take_along_axis(chosen, ranks, axis=1)]
    return distances, indices


def own_order(size):
    """The order in which cuML takes what is equal: not that of the indices, but the same in every run."""
    return np.random.default_rng(size).permutation(size)
