"""Membership vectors on the host, and whether two clusterings are of the same clusters."""

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
FEW = 64  # exemplars that are compared one by one in the time of one search in a tree
ENTRIES = 1 << 22  # distances that a thread holds at a time: 32 MB


def membership_vectors(embedding: NDArray[np.float32], cut: Cut) -> NDArray[np.float64]:
    """Membership of each bin in each cluster of a cut.

    hdbscan's soft clustering: nearness to the exemplars of each cluster, times how late in the tree the bin is
    separated from it, in shares that add up to the probability that the bin is in a cluster at all.

    Parameters
    ----------
    embedding
        (bins, dimensions).
    cut
        Of the tree of these bins.

    Returns
    -------
    NDArray
        (bins, clusters), clusters in the order of ``cut.selected``; NaN where no cluster attracts a bin.
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
    """A condensed tree: nodes are numbered from 0, the root; densities are lambdas, 1 / distance.

    ``leaving`` (bins,) the node that a bin is the last in, and ``density`` at which it leaves it; ``densest`` (nodes,)
    at which a node loses its last bin; ``separation`` (nodes, clusters) the density at which a node is separated from
    a cluster, NaN where one is part of the other; ``exemplars`` of each cluster: the last bins of its leaves.
    """

    def __init__(self, cut: Cut) -> None:
        parent, child, density = (np.asarray(part) for part in cut.condensed[:3])
        self.root = int(parent.min())
        nodes = int(max(parent.max(), child.max())) - self.root + 1
        is_bin = child < self.root
        self.leaving = np.empty(self.root, dtype=np.int64)
        self.density = np.empty(self.root, dtype=np.float64)
        self.leaving[child[is_bin]], self.density[child[is_bin]] = parent[is_bin] - self.root, density[is_bin]
        self.densest = np.zeros(nodes)
        np.maximum.at(self.densest, parent - self.root, density)
        above, birth = np.full(nodes, -1), np.zeros(nodes)
        inner = child[~is_bin] - self.root
        above[inner], birth[inner] = parent[~is_bin] - self.root, density[~is_bin]
        begin, end = _intervals(above)

        def within(those: NDArray[np.int64], node: int) -> NDArray[np.bool_]:
            return (begin[node] <= begin[those]) & (begin[those] < end[node])

        clusters = cut.selected - self.root
        self.separation = np.full((nodes, len(clusters)), np.nan)
        for node in range(1, nodes):  # what is separate from the node above is separate from this one, as early
            beside = within(clusters, above[node]) & (clusters != above[node]) & ~within(clusters, node)
            self.separation[node] = np.where(beside, birth[node], self.separation[above[node]])
        is_leaf = np.ones(nodes, dtype=bool)
        is_leaf[above[inner]] = False
        last = np.flatnonzero(is_leaf[self.leaving] & (self.density == self.densest[self.leaving]))
        self.exemplars = [last[within(self.leaving[last], cluster)] for cluster in clusters]


def _intervals(above: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Begin and end of each node's interval: those of its parts are inside it, one after the other.

    ``above`` holds the node that each is a part of, whose number is the smaller one.
    """
    sizes = np.ones(len(above), dtype=np.int64)
    for node in range(len(above) - 1, 0, -1):
        sizes[above[node]] += sizes[node]
    begin = np.zeros(len(above), dtype=np.int64)
    free = begin + 1  # where the next part of a node begins
    for node in range(1, len(above)):
        begin[node] = free[above[node]]
        free[above[node]] += sizes[node]
        free[node] = begin[node] + 1
    return begin, begin + sizes


def _distances_to(
    points: NDArray[np.float64], exemplars: list[NDArray[np.int64]]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Function of places (bins, dimensions): distances (bins, clusters) to the nearest exemplar of each cluster.

    Where clusters have few exemplars, all distances take less time than a search in each cluster's own tree.
    """
    from scipy.spatial import cKDTree
    from scipy.spatial.distance import cdist

    sizes = [len(own) for own in exemplars]
    if sum(sizes) > FEW * len(sizes):
        trees = [cKDTree(points[own]) for own in exemplars]
        return lambda places: np.column_stack([tree.query(places)[0] for tree in trees])
    together, starts = points[np.concatenate(exemplars)], np.cumsum([0, *sizes[:-1]])
    return lambda places: np.minimum.reduceat(cdist(places, together), starts, axis=1)


def _nearness(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of the clusters in the inverse distances."""
    inverse = np.where(distance > 0, 1 / distance, np.finfo(np.float64).max / distance.shape[1])
    return inverse / inverse.sum(axis=1, keepdims=True)


def same_clusters(labels: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """For each cluster of ``labels``, which of ``others`` it is; None where they are not the same clusters.

    Two clusters are the same where each holds most of the other's bins. Both are (bins,), -1 is noise.
    """
    clusters = int(labels.max(initial=-1)) + 1
    if clusters != int(others.max(initial=-1)) + 1:
        return None
    both = (labels >= 0) & (others >= 0)
    shared = np.zeros((clusters, clusters), dtype=np.int64)
    np.add.at(shared, (labels[both], others[both]), 1)
    partner = np.argmax(shared, axis=1)
    own = np.bincount(labels[labels >= 0], minlength=clusters)
    of_others = np.bincount(others[others >= 0], minlength=clusters)
    most = shared[np.arange(clusters), partner]
    return partner if np.all(2 * most > own) and np.all(2 * most > of_others[partner]) else None
