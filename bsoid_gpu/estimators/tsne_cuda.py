"""t-SNE in two dimensions by cuML, from release 23.12 on."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.backends import device_memory

if TYPE_CHECKING:
    from bsoid_gpu.backends.cuda import CudaBackend
    from bsoid_gpu.estimators.base import Monitor
    from bsoid_gpu.estimators.tsne import TsneSettings
    from bsoid_gpu.typing import Array

PRINCIPAL = (24, 8)  # release of cuML with an initialisation by principal components; random before
RENAMED = (25, 12)  # release whose number of iterations is max_iter; n_iter before
REPEATS = (26, 8)  # release from which the same seed gives the same embedding
GRID_BYTES = 1 << 28  # of the interpolation, for any number of bins


def embedding_by_cuml(
    points: Array, settings: TsneSettings, seed: int, backend: CudaBackend, monitor: Monitor
) -> Array:
    """t-SNE coordinates (bins, 2) float32 of the bins (bins, columns) float32, by interpolation on a grid.

    cuML takes no initial positions: it computes principal components itself.
    """
    bins, columns = points.shape
    version = backend.library("cuml").__version__
    if backend.release < PRINCIPAL:
        monitor.warning(f"cuML {version} takes no initial positions: t-SNE starts at random positions")
    if settings.repeatable and backend.release < REPEATS:
        monitor.warning(f"the t-SNE of cuML {version} does not repeat: this embedding is another one each time")
    needed = device_memory.umap(bins, columns, settings.neighbours + 1, settings.dimensions) + GRID_BYTES
    kind = backend.library("cuml.manifold").TSNE
    with backend.room(f"t-SNE of {bins:,} bins", needed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Starting from version 22.04", UserWarning)  # of a default that is not used
        model = kind(**arguments(bins, settings, seed, backend.release))
        positions = model.fit_transform(backend.cupy.ascontiguousarray(points, dtype=np.float32))
        return backend.cupy.ascontiguousarray(positions, dtype=np.float32)


def arguments(bins: int, settings: TsneSettings, seed: int, release: tuple[int, ...]) -> dict[str, Any]:
    """Arguments of cuML's TSNE in a release.

    Its own choice of step size and neighbours by the number of bins is off, so that the settings hold; after the early
    exaggeration it doubles the step size.
    """
    iterations = {"max_iter" if release >= RENAMED else "n_iter": settings.iterations} if settings.iterations else {}
    common = {
        "n_components": settings.dimensions,
        "perplexity": settings.perplexity,
        "n_neighbors": min(settings.neighbours + 1, bins),  # with the bin itself
        "early_exaggeration": settings.early_exaggeration,
        "learning_rate": settings.step_size(bins),
        "learning_rate_method": "none",
        "init": "pca" if release >= PRINCIPAL else "random",
        "method": "fft",
        "output_type": "cupy",
    }
    return common | iterations | ({"random_state": seed} if settings.repeatable else {})
