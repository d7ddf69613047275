"""The fuzzy graph of UMAP (McInnes, Healy & Melville 2018, section 3): how strongly neighbours belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRECISION = 1e-5  # of the sum that a bandwidth is fitted to
BISECTIONS = 64
SMALLEST = 1e-3  # share of the mean distance that a bandwidth has at least
NONE = np.iinfo(np.int32).max  # beyond every index


class Graph(NamedTuple):
    """A symmetric graph by rows: ``columns`` and ``weights`` of row i are at ``offsets[i]`` to ``offsets[i + 1]``.

    Columns ascend in each row; weights are in (0, 1].
    """

    offsets: NDArray[np.int64]
    columns: NDArray[np.int32]
    weights: NDArray[np.float32]


def fuzzy_graph(distances: NDArray[np.float32], indices: NDArray[np.int32], least: float = 0.0) -> Graph:
    """Join each point's fuzzy set of neighbours, ``a + b - a b`` where two points are neighbours of each other.

    The membership of a neighbour at distance d is ``exp(-(d - rho) / sigma)``, 1 up to rho: the smallest distance
    above 0. The bandwidth sigma is the one with which a point's memberships add up to the binary logarithm of the
    number of neighbours.

    Parameters
    ----------
    distances, indices
        (points, neighbours) as :func:`bsoid_gpu.kernels.neighbours.nearest` gives them. Both are used up: they are the
        largest arrays of a job, and what is computed of them takes their place.
    least
        Edges of a smaller weight are left out.
    """
    _to_memberships(distances, indices, float(np.mean(distances)))
    weights = distances
    _sort_by_index(indices, weights)
    back = _transposed(indices, weights)
    offsets = np.concatenate([[0], np.cumsum(_union_sizes(indices, weights, *back, np.float32(least)))])
    return Graph(offsets, *_union(indices, weights, *back, np.float32(least), offsets))


@numba.njit(parallel=True, cache=True)
def _to_memberships(distances, indices, mean_of_all):  # type: ignore[no-untyped-def]
    """Put the membership of each neighbour in the place of its distance."""
    points, neighbours = distances.shape
    target = np.log2(neighbours)
    for i in numba.prange(points):
        own = distances[i]
        rho = 0.0
        for distance in own:
            if distance > 0.0:
                rho = distance
                break
        low, high, sigma = 0.0, np.inf, 1.0
        for _ in range(BISECTIONS):
            total = 0.0
            for j in range(1, neighbours):
                total += np.exp(-(own[j] - rho) / sigma) if own[j] > rho else 1.0
            if abs(total - target) < PRECISION:
                break
            if total > target:
                high = sigma
                sigma = (low + high) / 2.0
            else:
                low = sigma
                sigma = sigma * 2.0 if high == np.inf else (low + high) / 2.0
        sigma = max(sigma, SMALLEST * (own.mean() if rho > 0.0 else mean_of_all))
        for j in range(neighbours):
            beyond = own[j] - rho
            if indices[i, j] == i:
                own[j] = 0.0
            elif beyond <= 0.0 or sigma == 0.0:
                own[j] = 1.0
            else:
                own[j] = np.exp(-beyond / sigma)


@numba.njit(parallel=True, cache=True)
def _sort_by_index(indices, weights):  # type: ignore[no-untyped-def]
    """Bring the neighbours of each point into the order of their indices."""
    for i in numba.prange(len(indices)):
        order = np.argsort(indices[i])
        indices[i], weights[i] = indices[i][order], weights[i][order]


@numba.njit(cache=True)
def _transposed(indices, weights):  # type: ignore[no-untyped-def]
    """For each point, the points whose neighbour it is, ascending, and how much."""
    points, neighbours = indices.shape
    offsets = np.zeros(points + 1, dtype=np.int64)
    for i in range(points):
        for j in range(neighbours):
            if weights[i, j] > 0.0:
                offsets[indices[i, j] + 1] += 1
    offsets = np.cumsum(offsets)
    sources, theirs = np.empty(offsets[-1], dtype=np.int32), np.empty(offsets[-1], dtype=np.float32)
    place = offsets[:-1].copy()
    for i in range(points):
        for j in range(neighbours):
            if weights[i, j] > 0.0:
                at = place[indices[i, j]]
                sources[at], theirs[at] = i, weights[i, j]
                place[indices[i, j]] = at + 1
    return offsets, sources, theirs


@numba.njit(parallel=True, cache=True)
def _union_sizes(indices, weights, offsets, sources, theirs, least):  # type: ignore[no-untyped-def]
    sizes = np.empty(len(indices), dtype=np.int64)
    for i in numba.prange(len(indices)):
        back = slice(offsets[i], offsets[i + 1])
        columns, joined = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32)
        sizes[i] = _merge(indices[i], weights[i], sources[back], theirs[back], least, columns, joined)
    return sizes


@numba.njit(parallel=True, cache=True)
def _union(indices, weights, offsets, sources, theirs, least, places):  # type: ignore[no-untyped-def]
    columns, joined = np.empty(places[-1], dtype=np.int32), np.empty(places[-1], dtype=np.float32)
    for i in numba.prange(len(indices)):
        back, own = slice(offsets[i], offsets[i + 1]), slice(places[i], places[i + 1])
        _merge(indices[i], weights[i], sources[back], theirs[back], least, columns[own], joined[own])
    return columns, joined


@numba.njit(cache=True)
def _merge(mine, my_weights, others, their_weights, least, columns, joined):  # type: ignore[no-untyped-def]
    """Join two ascending lists; counts what is joined, and writes it where there is room."""
    a, b, size = 0, 0, 0
    while a < len(mine) or b < len(others):
        first = mine[a] if a < len(mine) else NONE
        second = others[b] if b < len(others) else NONE
        mutual, one = np.float32(0.0), np.float32(0.0)
        if first <= second:
            mutual = my_weights[a]
            a += 1
        if second <= first:
            one = their_weights[b]
            b += 1
        weight = mutual + one - mutual * one
        if weight > 0.0 and weight >= least:
            if size < len(columns):
                columns[size], joined[size] = min(first, second), weight
            size += 1
    return size
