"""Membership vectors on the host, and whether two clusterings are of the same clusters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.tree import Cut


def membership_vectors(embedding: NDArray[np.float32], cut: Cut, min_samples: int) -> NDArray[np.float64]:
    """Membership of each bin in each cluster of a cut, by hdbscan.

    Parameters
    ----------
    embedding
        (bins, dimensions).
    cut
        Of the tree of these bins, with at least 2 clusters or with 1.
    min_samples
        Neighbours that make a bin a core point.

    Returns
    -------
    NDArray
        (bins, clusters), clusters in the order of ``cut.selected``.
    """
    from hdbscan.prediction import PredictionData, all_points_membership_vectors

    condensed = _HdbscanTree(cut)
    points = np.ascontiguousarray(embedding, dtype=np.float64)
    clusterer = SimpleNamespace(
        condensed_tree_=condensed, prediction_data_=PredictionData(points, condensed, min_samples)
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # a point that no cluster attracts has a sum of 0
        vectors = all_points_membership_vectors(clusterer)
    return np.asarray(vectors, dtype=np.float64)


class _HdbscanTree:
    """A cut tree in the form that hdbscan's membership vectors ask for."""

    def __init__(self, cut: Cut) -> None:
        fields = [("parent", np.intp), ("child", np.intp), ("lambda_val", np.float64), ("child_size", np.intp)]
        self._raw_tree = np.empty(len(cut.condensed.parent), dtype=fields)
        for name, _ in fields:
            self._raw_tree[name] = getattr(cut.condensed, name)
        self._selected = [int(node) for node in cut.selected]

    def _select_clusters(self) -> list[int]:
        return self._selected


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
