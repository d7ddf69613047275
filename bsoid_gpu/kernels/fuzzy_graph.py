"""The fuzzy graph of UMAP (McInnes, Healy & Melville 2018, section 3): weighted edges between neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRECISION = 1e-5  # of the sum of memberships when a bandwidth is fitted
BISECTIONS = 64
MIN_BANDWIDTH = 1e-3  # as a share of the mean distance
END = np.iinfo(np.int32).max  # of a list of indices: larger than every index


class Graph(NamedTuple):
    """A symmetric graph in CSR format: row i is at ``offsets[i]:offsets[i + 1]`` of ``columns`` and ``weights``.

    Columns are ascending in each row; weights are in (0, 1].
    """

    offsets: NDArray[np.int64]
    columns: NDArray[np.int32]
    weights: NDArray[np.float32]


def fuzzy_graph(distances: NDArray[np.float32], indices: NDArray[np.int32], least: float = 0.0) -> Graph:
    """Fuzzy union of the neighbour sets of all points: weight ``a + b - a b`` for memberships a and b of an edge.

    The membership of a neighbour at distance d is ``exp(-(d - rho) / sigma)``, and 1 up to rho, the smallest
    distance above 0. The bandwidth sigma is chosen so that a point's memberships sum to the binary logarithm of the
    number of neighbours.

    Parameters
    ----------
    distances, indices
        (points, neighbours) from :func:`bsoid_gpu.kernels.neighbours.nearest`. Both are overwritten to save memory:
        they are the largest arrays of a build.
    least
        Edges with a smaller weight are dropped.
    """
    _to_memberships(distances, indices, float(np.mean(distances)))
    weights = distances
    _sort_by_index(indices, weights)
    transposed = _transpose(indices, weights)
    offsets = np.concatenate([[0], np.cumsum(_union_sizes(indices, weights, *transposed, np.float32(least)))])
    return Graph(offsets, *_union(indices, weights, *transposed, np.float32(least), offsets))


@numba.njit(parallel=True, cache=True)
def _to_memberships(distances, indices, overall_mean):  # type: ignore[no-untyped-def]
    """Replace the distance of each neighbour by its membership."""
    points, neighbours = distances.shape
    target = np.log2(neighbours)
    for i in numba.prange(points):
        row = distances[i]
        rho = 0.0
        for distance in row:
            if distance > 0.0:
                rho = distance
                break
        low, high, sigma = 0.0, np.inf, 1.0
        for _ in range(BISECTIONS):
            total = 0.0
            for j in range(1, neighbours):
                total += np.exp(-(row[j] - rho) / sigma) if row[j] > rho else 1.0
            if abs(total - target) < PRECISION:
                break
            if total > target:
                high = sigma
                sigma = (low + high) / 2.0
            else:
                low = sigma
                sigma = sigma * 2.0 if high == np.inf else (low + high) / 2.0
        sigma = max(sigma, MIN_BANDWIDTH * (row.mean() if rho > 0.0 else overall_mean))
        for j in range(neighbours):
            beyond = row[j] - rho
            if indices[i, j] == i:
                row[j] = 0.0
            elif beyond <= 0.0 or sigma == 0.0:
                row[j] = 1.0
            else:
                row[j] = np.exp(-beyond / sigma)


@numba.njit(parallel=True, cache=True)
def _sort_by_index(indices, weights):  # type: ignore[no-untyped-def]
    """Sort the neighbours of each point by index."""
    for i in numba.prange(len(indices)):
        order = np.argsort(indices[i])
        indices[i], weights[i] = indices[i][order], weights[i][order]


@numba.njit(cache=True)
def _transpose(indices, weights):  # type: ignore[no-untyped-def]
    """Transpose the memberships to CSR: for each point, the points that have it as a neighbour, ascending."""
    points, neighbours = indices.shape
    offsets = np.zeros(points + 1, dtype=np.int64)
    for i in range(points):
        for j in range(neighbours):
            if weights[i, j] > 0.0:
                offsets[indices[i, j] + 1] += 1
    offsets = np.cumsum(offsets)
    sources, memberships = np.empty(offsets[-1], dtype=np.int32), np.empty(offsets[-1], dtype=np.float32)
    free = offsets[:-1].copy()  # next free entry of each row
    for i in range(points):
        for j in range(neighbours):
            if weights[i, j] > 0.0:
                entry = free[indices[i, j]]
                sources[entry], memberships[entry] = i, weights[i, j]
                free[indices[i, j]] = entry + 1
    return offsets, sources, memberships


@numba.njit(parallel=True, cache=True)
def _union_sizes(indices, weights, offsets, sources, memberships, least):  # type: ignore[no-untyped-def]
    """Number of edges of each point."""
    sizes = np.empty(len(indices), dtype=np.int64)
    for i in numba.prange(len(indices)):
        row = slice(offsets[i], offsets[i + 1])
        columns, united = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32)
        sizes[i] = _merge(indices[i], weights[i], sources[row], memberships[row], least, columns, united)
    return sizes


@numba.njit(parallel=True, cache=True)
def _union(indices, weights, offsets, sources, memberships, least, places):  # type: ignore[no-untyped-def]
    """Columns and weights of the edges, those of point i at ``places[i]:places[i + 1]``."""
    columns, united = np.empty(places[-1], dtype=np.int32), np.empty(places[-1], dtype=np.float32)
    for i in numba.prange(len(indices)):
        row, edges = slice(offsets[i], offsets[i + 1]), slice(places[i], places[i + 1])
        _merge(indices[i], weights[i], sources[row], memberships[row], least, columns[edges], united[edges])
    return columns, united


@numba.njit(cache=True)
def _merge(indices_a, weights_a, indices_b, weights_b, least, columns, united):  # type: ignore[no-untyped-def]
    """Fuzzy union of two ascending lists: count its edges, and write them if ``columns`` has entries."""
    i, j, size = 0, 0, 0
    while i < len(indices_a) or j < len(indices_b):
        index_a = indices_a[i] if i < len(indices_a) else END
        index_b = indices_b[j] if j < len(indices_b) else END
        a, b = np.float32(0.0), np.float32(0.0)
        if index_a <= index_b:
            a = weights_a[i]
            i += 1
        if index_b <= index_a:
            b = weights_b[j]
            j += 1
        weight = a + b - a * b
        if weight > 0.0 and weight >= least:
            if size < len(columns):
                columns[size], united[size] = min(index_a, index_b), weight
            size += 1
    return size
