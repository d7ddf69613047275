"""The clusters of the embedding, and a soft label for every bin."""

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
    from bsoid_gpu.typing import Array


@dataclass(frozen=True)
class Clustering:
    """Labels numbered by the size of the soft clusters, 0 the largest.

    ``hard`` (bins,) int64 with -1 for noise, ``soft`` (bins,) int64, ``membership`` (bins, labels) float32,
    ``sweep`` a row for each choice that the clusterer compared.
    """

    hard: NDArray[Any]
    soft: NDArray[Any]
    membership: NDArray[Any]
    sweep: pd.DataFrame


def cluster(embedding: Array, settings: Settings, backend: Backend, monitor: Monitor = SILENT) -> Clustering:
    """Cluster the embedding (bins, dimensions), and label every bin.

    Raises
    ------
    BadInput
        No clusters.
    """
    clusterer = registry.of(CLUSTERER, settings.clusters)
    fitted = clusterer.fit(embedding, settings.clusters, settings.seed, backend, monitor)
    return _by_size(fitted, _most_likely(fitted, backend.to_host(embedding)))


def _most_likely(fitted: ClusterFit, embedding: NDArray[np.float32]) -> NDArray[np.int64]:
    """Cluster with the largest membership; a bin that no cluster attracts takes that of the nearest bin with one."""
    membership = fitted.membership
    attracted = np.isfinite(membership).all(axis=1) & (membership.max(axis=1) > 0)
    soft = np.where(attracted, np.argmax(membership, axis=1), fitted.hard)
    without = soft < 0
    if without.any():
        from scipy.spatial import cKDTree

        known = np.flatnonzero(~without)
        soft[without] = soft[known[cKDTree(embedding[known]).query(embedding[without])[1]]]
    return soft.astype(np.int64)


def _by_size(fitted: ClusterFit, soft: NDArray[np.int64]) -> Clustering:
    """Number the clusters by their soft size, the largest first; one that is nowhere the likeliest is dropped."""
    clusters = fitted.membership.shape[1]
    counts = np.bincount(soft, minlength=clusters)
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    number = np.full(clusters + 1, -1)  # the last place is that of noise, -1
    number[order] = np.arange(len(order))
    membership = np.nan_to_num(fitted.membership[:, order], nan=0.0).astype(np.float32)
    return Clustering(number[fitted.hard], number[soft], membership, pd.DataFrame(fitted.sweep))
