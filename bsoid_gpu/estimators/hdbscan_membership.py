"""Membership vectors on the host, and a comparison of two clusterings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.machine import cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bsoid_gpu.estimators.hdbscan_tree import Cut

TINY = 1e-8  # keeps a ratio of densities finite, as in hdbscan
FEW = 64  # a search in a tree takes as long as so many comparisons
ENTRIES = 1 << 22  # distances in memory for each thread: 32 MB


def membership_vectors(embedding: NDArray[np.float32], cut: Cut) -> NDArray[np.float64]:
    """Membership of each bin in each cluster of a cut.

    Soft clustering of hdbscan: the nearness to the exemplars of each cluster times the lateness of the separation from
    it in the tree, normalised to sum to the probability that the bin is in any cluster.

    Parameters
    ----------
    embedding
        (bins, dimensions).
    cut
        A cut of the tree of these bins.

    Returns
    -------
    NDArray
        (bins, clusters), clusters in the order of ``cut.selected``; NaN for a bin without memberships.
    """
    points = np.asarray(embedding, dtype=np.float64)
    tree = _Condensed(cut)
    distances = _distances_to(points, tree.exemplars)
    densest = tree.densest[cut.selected - tree.root]
    vectors = np.empty((len(points), len(cut.selected)))

    def fill(bins: slice) -> None:
        leaving, density = tree.leaving[bins], tree.density[bins]
        separation = tree.separation[leaving]
        separation = np.where(np.isnan(separation), density[:, None], separation)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            lateness = np.exp(np.exp(-(tree.densest[leaving] + TINY)[:, None] / separation))
            shares = _nearness(distances(points[bins])) * (lateness / lateness.sum(axis=1, keepdims=True))
            shares /= shares.sum(axis=1, keepdims=True)
            nearest = densest[np.argmax(separation, axis=1)]
            vectors[bins] = shares * (separation.max(axis=1) / np.maximum(nearest, density))[:, None]

    rows = max(1, ENTRIES // (FEW * len(cut.selected)))
    with ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(fill, [slice(start, start + rows) for start in range(0, len(points), rows)]):
            pass
    return vectors


class _Condensed:
    """A condensed tree. Nodes are numbered from 0, the root; densities are lambdas, 1 / distance.

    ``leaving`` (bins,) is the last node of a bin, and ``density`` (bins,) that at which the bin leaves it; ``densest``
    (nodes,) is the density at which a node loses its last bin; ``separation`` (nodes, clusters) that at which a node
    separates from a cluster, NaN if one is part of the other; ``exemplars`` are the last bins of a cluster's leaves.
    """

    def __init__(self, cut: Cut) -> None:
        parent, child, density = (np.asarray(part) for part in cut.condensed[:3])
        self.root = int(parent.min())
        size = int(max(parent.max(), child.max())) - self.root + 1
        is_bin = child < self.root
        self.leaving = np.empty(self.root, dtype=np.int64)
        self.density = np.empty(self.root, dtype=np.float64)
        self.leaving[child[is_bin]], self.density[child[is_bin]] = parent[is_bin] - self.root, density[is_bin]
        self.densest = np.zeros(size)
        np.maximum.at(self.densest, parent - self.root, density)
        parents, birth = np.full(size, -1), np.zeros(size)
        inner = child[~is_bin] - self.root
        parents[inner], birth[inner] = parent[~is_bin] - self.root, density[~is_bin]
        begin, end = _intervals(parents)

        def within(nodes: NDArray[np.int64], node: int) -> NDArray[np.bool_]:
            return (begin[node] <= begin[nodes]) & (begin[nodes] < end[node])

        clusters = cut.selected - self.root
        self.separation = np.full((size, len(clusters)), np.nan)
        for node in range(1, size):  # a node is separate from whatever its parent is separate from
            beside = within(clusters, parents[node]) & (clusters != parents[node]) & ~within(clusters, node)
            self.separation[node] = np.where(beside, birth[node], self.separation[parents[node]])
        is_leaf = np.ones(size, dtype=bool)
        is_leaf[parents[inner]] = False
        last = np.flatnonzero(is_leaf[self.leaving] & (self.density == self.densest[self.leaving]))
        self.exemplars = [last[within(self.leaving[last], cluster)] for cluster in clusters]


def _intervals(parents: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Begin and end of each node's interval, which contains the intervals of its children one after the other.

    ``parents`` has the parent of each node, whose number is smaller.
    """
    sizes = np.ones(len(parents), dtype=np.int64)
    for node in range(len(parents) - 1, 0, -1):
        sizes[parents[node]] += sizes[node]
    begin = np.zeros(len(parents), dtype=np.int64)
    free = begin + 1  # where the interval of the next child begins
    for node in range(1, len(parents)):
        begin[node] = free[parents[node]]
        free[parents[node]] += sizes[node]
        free[node] = begin[node] + 1
    return begin, begin + sizes


def _distances_to(
    points: NDArray[np.float64], exemplars: list[NDArray[np.int64]]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Function from positions (bins, dimensions) to distances (bins, clusters) from each cluster's nearest exemplar.

    If clusters have few exemplars, computing all distances is faster than a search in one tree per cluster.
    """
    from scipy.spatial import cKDTree
    from scipy.spatial.distance import cdist

    sizes = [len(rows) for rows in exemplars]
    if sum(sizes) > FEW * len(sizes):
        trees = [cKDTree(points[rows]) for rows in exemplars]
        return lambda positions: np.column_stack([tree.query(positions)[0] for tree in trees])
    together, starts = points[np.concatenate(exemplars)], np.cumsum([0, *sizes[:-1]])
    return lambda positions: np.minimum.reduceat(cdist(positions, together), starts, axis=1)


def _nearness(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse distances, normalised to sum to 1."""
    inverse = np.where(distance > 0, 1 / distance, np.finfo(np.float64).max / distance.shape[1])
    return inverse / inverse.sum(axis=1, keepdims=True)


def same_clusters(labels: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The cluster of ``others`` that equals each cluster of ``labels``; None if the clusters differ.

    Two clusters are equal if each has most of the other's bins. Both arguments are (bins,), -1 is noise.
    """
    clusters = int(labels.max(initial=-1)) + 1
    if clusters != int(others.max(initial=-1)) + 1:
        return None
    both = (labels >= 0) & (others >= 0)
    shared = np.zeros((clusters, clusters), dtype=np.int64)
    np.add.at(shared, (labels[both], others[both]), 1)
    partner = np.argmax(shared, axis=1)
    sizes = np.bincount(labels[labels >= 0], minlength=clusters)
    other_sizes = np.bincount(others[others >= 0], minlength=clusters)
    most = shared[np.arange(clusters), partner]
    return partner if np.all(2 * most > sizes) and np.all(2 * most > other_sizes[partner]) else None
