"""Clusters of the embedding, and a soft label for every bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bsoid_gpu.estimators import registry
from bsoid_gpu.estimators.base import CLUSTERER, SILENT, ClusterFit, Monitor

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Settings


@dataclass(frozen=True)
class Clustering:
    """Labels numbered by the size of the soft clusters, 0 the largest.

    ``hard`` (bins,) int64 with -1 for noise, ``soft`` (bins,) int64, ``membership`` (bins, labels) float32,
    ``sweep`` one row for each clustering that was compared, ``tree`` (bins - 1, 4) the single-linkage tree, if there is
    one that the labels come from, and ``cuts`` (rows of ``sweep``, bins) int32 its hard labels, numbered as they come.
    """

    hard: NDArray[Any]
    soft: NDArray[Any]
    membership: NDArray[Any]
    sweep: pd.DataFrame
    tree: NDArray[Any] | None = None
    cuts: NDArray[Any] | None = None


def cluster(
    embedding: NDArray[np.float32], bin_s: float, settings: Settings, backend: Backend, monitor: Monitor = SILENT
) -> Clustering:
    """Cluster the embedding (bins, dimensions), which is on the host, and label every bin.

    ``bin_s`` is the time between successive bins, in seconds.

    Raises
    ------
    BadInput
        No clusters.
    """
    clusterer = registry.of(CLUSTERER, settings.clusters)
    fitted = clusterer.fit(embedding, settings.clusters, settings.seed, backend, monitor, bin_s)
    return _by_size(fitted, _most_likely(fitted, embedding))


def _most_likely(fitted: ClusterFit, embedding: NDArray[np.float32]) -> NDArray[np.int64]:
    """Cluster with the largest membership; a bin without memberships gets the cluster of the nearest labelled bin."""
    membership = fitted.membership
    has_membership = np.isfinite(membership).all(axis=1) & (membership.max(axis=1) > 0)
    soft = np.where(has_membership, np.argmax(membership, axis=1), fitted.hard)
    unlabelled = soft < 0
    if unlabelled.any():
        from scipy.spatial import cKDTree

        labelled = np.flatnonzero(~unlabelled)
        soft[unlabelled] = soft[labelled[cKDTree(embedding[labelled]).query(embedding[unlabelled])[1]]]
    return soft.astype(np.int64)


def _by_size(fitted: ClusterFit, soft: NDArray[np.int64]) -> Clustering:
    """Number the clusters by their soft size, the largest first; clusters without soft bins are dropped."""
    clusters = fitted.membership.shape[1]
    counts = np.bincount(soft, minlength=clusters)
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    number = np.full(clusters + 1, -1)  # the last entry is for noise, -1
    number[order] = np.arange(len(order))
    membership = np.nan_to_num(fitted.membership[:, order], nan=0.0).astype(np.float32)
    return Clustering(
        number[fitted.hard], number[soft], membership, pd.DataFrame(fitted.sweep), fitted.tree, fitted.cuts
    )
