"""Membership vectors on the host, and whether two clusterings are of the same clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.machine import cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.estimators.hdbscan_tree import Cut

TINY = 1e-8  # keeps a ratio of densities finite, as in hdbscan


def membership_vectors(embedding: NDArray[np.float32], cut: Cut) -> NDArray[np.float64]:
    """Membership of each bin in each cluster of a cut.

    hdbscan's soft clustering: nearness to the exemplars of each cluster, times how late in the tree the bin parts from
    it, in shares that add up to the probability that the bin is in a cluster at all.

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
    tree = _Condensed(cut)
    parting = np.where(np.isnan(tree.parting), tree.density[:, None], tree.parting)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        lateness = np.exp(np.exp(-(tree.densest[tree.leaving] + TINY)[:, None] / parting))
        shares = _nearness(embedding, tree) * (lateness / lateness.sum(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        nearest = tree.densest[cut.selected - tree.root][np.argmax(parting, axis=1)]
        return shares * (parting.max(axis=1) / np.maximum(nearest, tree.density))[:, None]


class _Condensed:
    """What a condensed tree tells: nodes are numbered from 0, the root; densities are lambdas, 1 / distance.

    ``leaving`` (bins,) the node that a bin is the last in, and ``density`` at which it leaves it; ``densest`` (nodes,)
    at which a node loses its last bin; ``parting`` (bins, clusters) the density at which a bin's node parts from a
    cluster, NaN where one is part of the other; ``exemplars`` of each cluster: the last bins of its leaves.
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
        lines = [_line(node, above) for node in range(nodes)]
        selected = [int(node) - self.root for node in cut.selected]
        of_nodes = np.asarray([[_parting(line, lines[cluster], birth) for cluster in selected] for line in lines])
        self.parting = of_nodes[self.leaving]
        is_leaf = np.ones(nodes, dtype=bool)
        is_leaf[above[inner]] = False
        last = is_leaf[self.leaving] & (self.density == self.densest[self.leaving])
        self.exemplars = []
        for cluster in selected:
            below = np.asarray([cluster in line for line in lines])
            self.exemplars.append(np.flatnonzero(last & below[self.leaving]))


def _line(node: int, above: NDArray[np.int64]) -> list[int]:
    """A node and those that it is part of, the root first."""
    line = [node]
    while above[line[0]] >= 0:
        line.insert(0, int(above[line[0]]))
    return line


def _parting(one: list[int], other: list[int], birth: NDArray[np.float64]) -> float:
    """Density at which two lines part; NaN where one is the beginning of the other."""
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return float(birth[mine])
    return np.nan


def _nearness(embedding: NDArray[np.float32], tree: _Condensed) -> NDArray[np.float64]:
    """Shares of the clusters in the inverse distances to their nearest exemplar: (bins, clusters)."""
    from scipy.spatial import cKDTree

    points = np.asarray(embedding, dtype=np.float64)
    distance = np.column_stack([cKDTree(points[own]).query(points, workers=cores())[0] for own in tree.exemplars])
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
    found = np.argmax(shared, axis=1)
    own = np.bincount(labels[labels >= 0], minlength=clusters)
    of_others = np.bincount(others[others >= 0], minlength=clusters)
    most = shared[np.arange(clusters), found]
    return found if np.all(2 * most > own) and np.all(2 * most > of_others[found]) else None
