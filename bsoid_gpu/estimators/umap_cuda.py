"""UMAP by cuML, from release 23.12 on."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.backends import device_memory

if TYPE_CHECKING:
    from bsoid_gpu.backends.cuda import CudaBackend
    from bsoid_gpu.estimators.base import Monitor
    from bsoid_gpu.estimators.umap import UmapSettings
    from bsoid_gpu.typing import Array

FIRST_WITH_INITIALISATION = (26, 2)  # release whose UMAP takes initial positions; its signature does not show it


def fit_by_cuml(
    scaled: Array, initial: Array | None, settings: UmapSettings, seed: int, backend: CudaBackend, monitor: Monitor
) -> Array:
    """UMAP by cuML, on exact neighbours if it has to be repeatable; in one call, without checkpoints."""
    bins, columns = scaled.shape
    what = f"UMAP of {bins:,} bins with {settings.neighbours:,} neighbours"
    needed = device_memory.umap(bins, columns, settings.neighbours, settings.dimensions)
    with backend.room(what, needed, f"lower [embedding] neighbours, {device_memory.FEWER}"):
        data = backend.cupy.ascontiguousarray(scaled, dtype=np.float32)
        model = backend.library("cuml.manifold").UMAP(**arguments(initial, settings, seed, backend, monitor))
        return backend.cupy.ascontiguousarray(model.fit_transform(data), dtype=np.float32)


def arguments(
    initial: Array | None, settings: UmapSettings, seed: int, backend: CudaBackend, monitor: Monitor
) -> dict[str, Any]:
    """Arguments of cuML's UMAP in the installed release."""
    init: Any = "random"  # the spectral initialisation of older releases loses the global structure
    if backend.release >= FIRST_WITH_INITIALISATION:
        init = "spectral" if initial is None else backend.cupy.ascontiguousarray(initial, dtype=np.float32)
    else:
        monitor.warning(
            f"cuML {backend.library('cuml').__version__} takes no initial positions: UMAP starts at random positions"
        )
    keywords = {
        "n_neighbors": settings.neighbours,
        "n_components": settings.dimensions,
        "n_epochs": settings.epochs,
        "learning_rate": settings.learning_rate,
        "min_dist": settings.min_dist,
        "negative_sample_rate": settings.negative_samples,
        "init": init,
        "output_type": "cupy",
    }
    if settings.repeatable:
        keywords["random_state"] = seed
        if "build_algo" in inspect.signature(backend.library("cuml.manifold").UMAP).parameters:
            keywords["build_algo"] = "brute_force_knn"
    return keywords
