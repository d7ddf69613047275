"""HDBSCAN's tree and memberships by cuML, from release 23.12 on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.backends import device_memory
from bsoid_gpu.estimators import hdbscan_membership

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.cuda import CudaBackend
    from bsoid_gpu.estimators.base import Monitor
    from bsoid_gpu.estimators.hdbscan import HdbscanSettings
    from bsoid_gpu.estimators.hdbscan_tree import Cut
    from bsoid_gpu.typing import Array


def single_linkage_by_cuml(embedding: Array, min_samples: int, backend: CudaBackend) -> NDArray[np.float64]:
    """Single-linkage tree by cuML's HDBSCAN; it does not depend on the minimum cluster size."""
    model = fitted(embedding, max(2, min_samples), min_samples, "eom", backend, prediction_data=False)
    return np.asarray(model.single_linkage_tree_.to_numpy(), dtype=np.float64)


def memberships_by_cuml(
    embedding: Array,
    cut: Cut,
    min_cluster_size: int,
    settings: HdbscanSettings,
    backend: CudaBackend,
    monitor: Monitor,
) -> NDArray[np.float64]:
    """Membership vectors by cuML, their columns in the order of the clusters of the cut."""
    bins, clusters = embedding.shape[0], len(cut.selected)
    batch = device_memory.membership_batch(backend.free_bytes(), bins)
    model = fitted(embedding, min_cluster_size, settings.min_samples, settings.selection, backend, prediction_data=True)
    order = hdbscan_membership.same_clusters(cut.labels, backend.to_host(model.labels_))
    if order is None:  # ties of distances let two fits differ
        monitor.warning("the second fit of cuML has other clusters than the first: computing memberships on the CPU")
        return hdbscan_membership.membership_vectors(backend.to_host(embedding), cut)
    needed = device_memory.membership(bins, clusters, batch)
    with backend.room(f"memberships of {bins:,} bins in {clusters} clusters", needed):
        compute = backend.library("cuml.cluster.hdbscan").all_points_membership_vectors
        vectors = compute(model, batch_size=batch)
    return backend.to_host(vectors).astype(np.float64)[:, order]


def fitted(
    embedding: Array,
    min_cluster_size: int,
    min_samples: int,
    selection: str,
    backend: CudaBackend,
    *,
    prediction_data: bool,
) -> Any:
    """CuML's HDBSCAN, fitted."""
    bins, dimensions = embedding.shape
    with backend.room(f"HDBSCAN of {bins:,} bins", device_memory.hdbscan(bins, dimensions, min_samples)):
        return (
            backend.library("cuml.cluster")
            .HDBSCAN(
                min_cluster_size=min_cluster_size,
                min_samples=min_samples,  # the default is min_cluster_size, which needs more memory
                cluster_selection_method=selection,
                prediction_data=prediction_data,
                output_type="cupy",
            )
            .fit(backend.cupy.ascontiguousarray(embedding, dtype=np.float32))
        )
