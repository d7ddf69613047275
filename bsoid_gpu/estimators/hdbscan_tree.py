"""HDBSCAN's tree on the host: one single-linkage tree, cut for any smallest cluster size.

The steps of Campello, Moulavi & Sander (2013), as plain functions of fast_hdbscan: those that every release has and
that give the same in each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Cut(NamedTuple):
    """One clustering: label of each point (-1 noise), the condensed tree, and its selected nodes, ascending."""

    labels: NDArray[np.int64]
    condensed: Any
    selected: NDArray[np.int64]


def linkage(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Single-linkage tree (points - 1, 4) from the edges (points - 1, 3) of a spanning tree.

    Edges of one length are ordered by their ends, so that ties do not depend on the order in which they come.
    """
    from fast_hdbscan.cluster_trees import mst_to_linkage_tree

    ends = np.sort(edges[:, :2], axis=1)
    order = np.lexsort((ends[:, 1], ends[:, 0], edges[:, 2]))
    return np.asarray(mst_to_linkage_tree(np.column_stack([ends, edges[:, 2]])[order]), dtype=np.float64)


def single_linkage(embedding: NDArray[np.float32], min_samples: int) -> NDArray[np.float64]:
    """Single-linkage tree (points - 1, 4) of the mutual reachability distances, by fast_hdbscan's Boruvka.

    On one thread: on two, the tree of equal points was another one now and then, and that of 72,000 points no faster.
    """
    import numba
    from fast_hdbscan import fast_hdbscan

    points = np.ascontiguousarray(embedding, dtype=np.float64)
    min_samples = max(1, min(min_samples, len(points) - 1))  # as hdbscan; beyond, the tree is of too few points
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        # the one way to the spanning tree that every release has; one cluster of all points costs nothing to compute
        results = fast_hdbscan(points, min_samples=min_samples, min_cluster_size=len(points), return_trees=True)
    finally:
        numba.set_num_threads(threads)
    return linkage(np.asarray(results[4], dtype=np.float64))


def cut(tree: NDArray[np.float64], min_cluster_size: int, selection: str) -> Cut:
    """Cut a single-linkage tree into clusters of at least ``min_cluster_size`` points.

    Parameters
    ----------
    tree
        (points - 1, 4), see :func:`linkage`.
    min_cluster_size
        Points of the smallest cluster, at least 2.
    selection
        ``"eom"`` (excess of mass) or ``"leaf"``.
    """
    from fast_hdbscan import cluster_trees as ct

    points = tree.shape[0] + 1
    condensed = ct.condense_tree(tree, min_cluster_size=min_cluster_size)
    of_clusters = ct.cluster_tree_from_condensed_tree(condensed)
    if len(of_clusters.parent) == 0:  # nothing ever splits in two clusters
        selected = np.zeros(0, dtype=np.int64)
    elif selection == "leaf":
        selected = np.sort(ct.extract_leaves(condensed))
    else:
        selected = _most_mass(of_clusters, ct.score_condensed_tree_nodes(condensed))
    labels = ct.get_cluster_label_vector(condensed, selected, 0.0, points)
    return Cut(np.asarray(labels, dtype=np.int64), condensed, selected)


def _most_mass(of_clusters: Any, scores: Mapping[int, float]) -> NDArray[np.int64]:
    """Nodes that together hold the most excess of mass, none above another and never the root; ascending.

    fast_hdbscan 0.2.0 leaves out clusters whose score rounding has made negative, and all of them where nothing else
    is left; later releases take such a score for 0, and so does this.
    """
    parents = dict(zip(of_clusters.child.tolist(), of_clusters.parent.tolist(), strict=True))
    below = dict.fromkeys([*parents, *parents.values()], 0.0)
    chosen = set()
    for node in sorted(parents, reverse=True):  # a child's number is larger than its parent's
        score = max(float(scores[node]), 0.0)
        if below[node] <= score:
            chosen.add(node)
        below[parents[node]] += max(below[node], score)
    covered = set(chosen)  # chosen, or below one that is
    for node in sorted(parents):
        if parents[node] in covered:
            covered.add(node)
    return np.array([node for node in sorted(chosen) if parents[node] not in covered], dtype=np.int64)
