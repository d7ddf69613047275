"""HDBSCAN's tree and memberships by cuML, from release 23.12 on, without the package hdbscan.

cuML's squared distances are float32 in the form ``|x|^2 + |y|^2 - 2 x.y``, whose error grows with ``|x|^2``: the
embedding is centred first. Its tree is the minimum spanning tree of the graph of ``min_samples + 1`` neighbours, whose
components are joined afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.backends import device_memory
from bsoid_gpu.estimators import hdbscan_membership, hdbscan_tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.cuda import CudaBackend
    from bsoid_gpu.estimators.base import Monitor
    from bsoid_gpu.estimators.hdbscan import HdbscanSettings
    from bsoid_gpu.estimators.hdbscan_tree import Cut


def single_linkage_by_cuml(
    embedding: NDArray[np.float32], min_samples: int, backend: CudaBackend
) -> NDArray[np.float64]:
    """Single-linkage tree by cuML's HDBSCAN; it does not depend on the minimum cluster size."""
    model = fitted(embedding, max(2, min_samples), min_samples, "eom", backend, prediction_data=False)
    return hdbscan_tree.linkage(canonical_edges(_merges(model, backend)))


def _merges(model: Any, backend: CudaBackend) -> NDArray[np.float64]:
    """Merged nodes, height and points of each merge, ascending: (points - 1, 4).

    The public ``single_linkage_tree_`` needs the package hdbscan, in every release. The arrays that it is made from do
    not: one array from release 25.8 on, three before.
    """
    tree = getattr(model, "_single_linkage_tree", None)
    if tree is not None:
        return np.asarray(tree, dtype=np.float64)
    children, heights, sizes = (
        backend.to_host(backend.cupy.asarray(array)) for array in (model.children_, model.lambdas_, model.sizes_)
    )
    rows = np.column_stack([children[0], children[1], heights, sizes]).astype(np.float64)
    return rows[: children.shape[1] - 1]


def canonical_edges(merges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of a spanning tree (points - 1, 3) with the clusters of a single-linkage tree at every height.

    They do not depend on the order of merges of equal height: a cluster is represented by its first point, and an edge
    joins the first point of a cluster below a height to the first point of the one that contains it at that height.
    """
    points = len(merges) + 1
    first = list(range(points))  # point of each node
    joined, height_of = {}, {}  # of a first point: the first point of the cluster that it was merged into, and where
    for left, right, height, _ in merges.tolist():
        stays, goes = sorted((first[int(left)], first[int(right)]))
        first.append(stays)
        joined[goes], height_of[goes] = stays, height
    for point in reversed(list(joined)):  # what a point was merged into was merged later itself, or never
        other = joined[point]
        if height_of.get(other) == height_of[point]:
            joined[point] = joined[other]
    return np.array([(joined[point], point, height_of[point]) for point in joined], dtype=np.float64)


def memberships_by_cuml(
    embedding: NDArray[np.float32],
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
        return hdbscan_membership.membership_vectors(embedding, cut)
    needed = device_memory.membership(bins, clusters, batch)
    with backend.room(f"memberships of {bins:,} bins in {clusters} clusters", needed):
        compute = backend.library("cuml.cluster.hdbscan").all_points_membership_vectors
        vectors = compute(model, batch_size=batch)
    return backend.to_host(vectors).astype(np.float64)[:, order]


def fitted(
    embedding: NDArray[np.float32],
    min_cluster_size: int,
    min_samples: int,
    selection: str,
    backend: CudaBackend,
    *,
    prediction_data: bool,
) -> Any:
    """CuML's HDBSCAN, fitted."""
    bins, dimensions = embedding.shape
    centred = embedding - np.mean(embedding, axis=0, dtype=np.float64).astype(np.float32)
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
            .fit(backend.asarray(centred))
        )
