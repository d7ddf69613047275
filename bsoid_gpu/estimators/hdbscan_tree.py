"""HDBSCAN's tree on the host: one single-linkage tree, cut at any minimum cluster size.

The steps of Campello, Moulavi & Sander (2013), by functions that every release of fast_hdbscan has, with the
same results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Cut(NamedTuple):
    """A clustering: label of each point (-1 for noise), the condensed tree, and its selected nodes, ascending."""

    labels: NDArray[np.int64]
    condensed: Any
    selected: NDArray[np.int64]


def linkage(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Single-linkage tree (points - 1, 4) from the edges (points - 1, 3) of a spanning tree.

    Edges of equal length are ordered by their ends, so that the tree does not depend on the order of the edges.
    """
    from fast_hdbscan.cluster_trees import mst_to_linkage_tree

    ends = np.sort(edges[:, :2], axis=1)
    order = np.lexsort((ends[:, 1], ends[:, 0], edges[:, 2]))
    return np.asarray(mst_to_linkage_tree(np.column_stack([ends, edges[:, 2]])[order]), dtype=np.float64)


def single_linkage(embedding: NDArray[np.float32], min_samples: int) -> NDArray[np.float64]:
    """Single-linkage tree (points - 1, 4) of the mutual reachability distances, by fast_hdbscan's Boruvka.

    On one thread: with two, the tree of equal points sometimes changed, and that of 72,000 points was no faster.
    """
    import numba
    from fast_hdbscan import fast_hdbscan

    points = np.ascontiguousarray(embedding, dtype=np.float64)
    min_samples = max(1, min(min_samples, len(points) - 1))  # as in hdbscan; with more, the tree lacks points
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        # in every release the only access to the spanning tree; one cluster of all points costs nothing to compute
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
        Points of a cluster, at least 2.
    selection
        ``"eom"`` (excess of mass) or ``"leaf"``.
    """
    from fast_hdbscan import cluster_trees as ct

    points = tree.shape[0] + 1
    condensed = ct.condense_tree(tree, min_cluster_size=min_cluster_size)
    cluster_tree = ct.cluster_tree_from_condensed_tree(condensed)
    if len(cluster_tree.parent) == 0:  # no node splits into two clusters
        selected = np.zeros(0, dtype=np.int64)
    elif selection == "leaf":
        selected = np.sort(ct.extract_leaves(condensed))
    else:
        selected = _most_mass(cluster_tree, ct.score_condensed_tree_nodes(condensed))
    labels = ct.get_cluster_label_vector(condensed, selected, 0.0, points)
    return Cut(np.asarray(labels, dtype=np.int64), condensed, selected)


def _most_mass(cluster_tree: Any, scores: Mapping[int, float]) -> NDArray[np.int64]:
    """Nodes with the largest total excess of mass, none an ancestor of another, without the root; ascending.

    fast_hdbscan 0.2.0 drops clusters whose score is negative by rounding; here, as in later releases, it counts as 0.
    """
    parents = dict(zip(cluster_tree.child.tolist(), cluster_tree.parent.tolist(), strict=True))
    below = dict.fromkeys([*parents, *parents.values()], 0.0)
    chosen = set()
    for node in sorted(parents, reverse=True):  # a child's number is larger than its parent's
        score = max(float(scores[node]), 0.0)
        if below[node] <= score:
            chosen.add(node)
        below[parents[node]] += max(below[node], score)
    covered = set(chosen)  # chosen nodes and their descendants
    for node in sorted(parents):
        if parents[node] in covered:
            covered.add(node)
    return np.array([node for node in sorted(chosen) if parents[node] not in covered], dtype=np.int64)
