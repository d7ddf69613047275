"""UMAP's layout by cuML, from release 23.12 on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.backends import device_memory
from bsoid_gpu.backends.cuda_diagnosis import GOOD_LAYOUT
from bsoid_gpu.estimators.neighbours_cuda import itself_first

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from bsoid_gpu.backends.cuda import CudaBackend
    from bsoid_gpu.estimators.base import Monitor
    from bsoid_gpu.estimators.umap import UmapSettings
    from bsoid_gpu.kernels.fuzzy_graph import Graph
    from bsoid_gpu.typing import Array


def repeats_well(backend: CudaBackend) -> bool:
    """Whether the installed cuML has a good repeatable layout."""
    return backend.release >= GOOD_LAYOUT


def room_for_layout(positions: Array, graph: Graph, backend: CudaBackend) -> AbstractContextManager[None]:
    """Context of our own layout, which needs memory for the edges of the graph."""
    bins, dimensions = positions.shape
    needed = device_memory.own_layout(bins, len(graph.columns), dimensions)
    return backend.room(f"the layout of {bins:,} bins", needed, device_memory.FEWER_NEIGHBOURS)


def layout_by_cuml(
    points: NDArray[np.float32],
    neighbours: tuple[NDArray[np.float32], NDArray[np.int32]],
    initial: Array | None,
    settings: UmapSettings,
    seed: int,
    backend: CudaBackend,
    monitor: Monitor,
) -> Array:
    """UMAP by cuML on given neighbours (distances and indices); in one call, without checkpoints."""
    bins, columns = points.shape
    what = f"UMAP of {bins:,} bins with {settings.neighbours:,} neighbours"
    needed = device_memory.umap(bins, columns, settings.neighbours, settings.dimensions, backend.release)
    distances, indices = itself_first(*neighbours)
    with backend.room(what, needed, device_memory.FEWER_NEIGHBOURS):
        model = backend.library("cuml.manifold").UMAP(**arguments(initial, settings, seed, backend, monitor))
        graph = backend.asarray(indices.astype(np.int64)), backend.asarray(distances)
        positions = model.fit_transform(backend.asarray(points), knn_graph=graph)
        return backend.cupy.ascontiguousarray(positions, dtype=np.float32)


def arguments(
    initial: Array | None, settings: UmapSettings, seed: int, backend: CudaBackend, monitor: Monitor
) -> dict[str, Any]:
    """Arguments of cuML's UMAP in the installed release."""
    good, release = repeats_well(backend), backend.library("cuml").__version__
    init: Any = "random"  # the spectral initialisation of older releases loses the global structure
    if good:
        init = "spectral" if initial is None else backend.cupy.ascontiguousarray(initial, dtype=np.float32)
    else:
        monitor.warning(f"cuML {release} takes no initial positions: UMAP starts at random positions")
    if settings.repeatable and not good:
        monitor.warning(
            f"cuML {release} has no good repeatable layout: this embedding is another one each time; "
            "[embedding] layout = 'own' repeats"
        )
    return {
        "n_neighbors": settings.neighbours,
        "n_components": settings.dimensions,
        "n_epochs": settings.epochs,
        "learning_rate": settings.learning_rate,
        "min_dist": settings.min_dist,
        "negative_sample_rate": settings.negative_samples,
        "init": init,
        "output_type": "cupy",
    } | ({"random_state": seed} if settings.repeatable and good else {})
