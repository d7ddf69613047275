"""UMAP (McInnes, Healy & Melville 2018) on exact neighbours: layout by kernels of our own or, on a GPU, by cuML."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from array_api_compat import array_namespace

from bsoid_gpu.backends.cuda import CudaBackend
from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators.base import EMBEDDER, SILENT, Cost, Estimator, JobSize, Monitor
from bsoid_gpu.estimators.initialisation import components_for, principal_components
from bsoid_gpu.fields import setting

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.kernels.fuzzy_graph import Graph
    from bsoid_gpu.typing import Array

MOST_DIMENSIONS, FEWEST_DIMENSIONS = 50, 2
MOST_NEIGHBOURS = 1023  # the limit of cuML; the same on both backends
# for the cost: measured on one core of the reference machine
EPOCH_S, BIN_S, NEIGHBOUR_S, EVENT_S, PAIR_S = 4e-3, 3e-5, 3.9e-7, 2.4e-8, 3e-11
SMALL_JOB = 10_000  # bins; as in umap-learn, 500 epochs up to there, 200 above


@dataclass(frozen=True)
class UmapSettings:
    """UMAP."""

    method: ClassVar[str] = "umap"
    dimensions: int = setting(
        3,
        "Dimensions of the embedding, 2 or more; 0: as many as principal components have the share 'variance'.",
        bounds=(0, MOST_DIMENSIONS),
    )
    variance: float = setting(
        0.7, "Share of the variance of the standardised features that decides dimensions = 0.", bounds=(0.01, 1.0)
    )
    neighbours: int = setting(
        0, "Nearest neighbours of each bin; 0 is the square root of the number of bins.", bounds=(0, MOST_NEIGHBOURS)
    )
    min_dist: float = setting(0.0, "Smallest distance of two bins in the embedding.", bounds=(0.0, 1.0))
    negative_samples: int = setting(5, "Repelling samples for each attracting one.", bounds=(0, 100))
    learning_rate: float = setting(1.0, "First step size of the layout.", bounds=(1e-6, 100.0))
    epochs: int = setting(0, "Epochs of the layout; 0 is 500 up to 10,000 bins and 200 above.", bounds=(0, 100_000))
    initialisation: str = setting(
        "pca",
        "Initial positions: 'pca' (principal components, the same on every backend) or 'spectral' (slower; on the "
        "CPU it needs umap-learn).",
        choices=("pca", "spectral"),
    )
    layout: str = setting(
        "auto",
        "Layout: 'own' (kernels of this program), 'cuml' (on a GPU), or 'auto': own on the CPU; on a GPU cuML's from "
        "release 26.02 on, own before.",
        choices=("auto", "own", "cuml"),
    )
    repeatable: bool = setting(
        True, "Whether the same seed gives the same embedding; false is faster on a GPU (--seed none)."
    )


def resolved(settings: UmapSettings, bins: int) -> UmapSettings:
    """Settings with neighbours and epochs for the number of bins."""
    return replace(
        settings,
        neighbours=settings.neighbours or min(round(bins**0.5), MOST_NEIGHBOURS),
        epochs=settings.epochs or (500 if bins <= SMALL_JOB else 200),
    )


def with_dimensions(settings: UmapSettings, scaled: Array, backend: Backend, monitor: Monitor = SILENT) -> UmapSettings:
    """Settings with the number of dimensions for the standardised features (bins, columns): at least 2, at most 50."""
    if settings.dimensions:
        return settings
    with backend.repeatable():
        components = int(backend.to_host(components_for(scaled, settings.variance)))
    dimensions = min(max(components, FEWEST_DIMENSIONS), MOST_DIMENSIONS)
    has = "principal component has" if components == 1 else "principal components have"
    share = f"{components} {has} {100 * settings.variance:g} % of the variance"
    monitor.message(f"{share}: the embedding has {dimensions} dimensions")
    return replace(settings, dimensions=dimensions)


def fit(scaled: Array, settings: UmapSettings, seed: int, backend: Backend, monitor: Monitor = SILENT) -> Array:
    """UMAP coordinates of the bins.

    Parameters
    ----------
    scaled
        (bins, columns) standardised features.
    settings
        Settings of UMAP.
    seed
        Seed of the initialisation's noise and of the layout.
    backend
        Where to compute.
    monitor
        Receives the progress; the layout on the CPU resumes from its checkpoint.

    Returns
    -------
    Array
        (bins, dimensions) float32.
    """
    bins = scaled.shape[0]
    settings = with_dimensions(resolved(settings, bins), scaled, backend, monitor)
    if round(bins**0.5) > settings.neighbours == MOST_NEIGHBOURS:
        monitor.message(f"neighbours are limited to {MOST_NEIGHBOURS:,}, the limit of cuML")
    if settings.layout == "cuml" and not isinstance(backend, CudaBackend):
        monitor.warning("[embedding] layout = 'cuml' needs a GPU: the layout is our own")
    initial = None
    if settings.initialisation == "pca":
        with backend.repeatable():
            initial = principal_components(scaled, settings.dimensions, seed)
    xp = array_namespace(scaled)
    points = np.ascontiguousarray(backend.to_host(xp.astype(scaled, xp.float32)))
    neighbours = exact_neighbours(points, settings.neighbours, backend, monitor)
    if isinstance(backend, CudaBackend) and _uses_cuml(settings, backend):
        from bsoid_gpu.estimators.umap_cuda import layout_by_cuml

        return layout_by_cuml(points, neighbours, initial, settings, seed, backend, monitor)
    from bsoid_gpu.kernels.fuzzy_graph import fuzzy_graph

    graph = fuzzy_graph(*neighbours, least=1 / settings.epochs)  # a weaker edge never fires
    if initial is None:
        initial = backend.asarray(_spectral(points, graph, settings.dimensions, seed))
    return _layout(initial, graph, settings, seed, backend, monitor)


def _uses_cuml(settings: UmapSettings, backend: CudaBackend) -> bool:
    """Whether cuML makes the layout."""
    from bsoid_gpu.estimators.umap_cuda import repeats_well

    return settings.layout == "cuml" or (settings.layout == "auto" and repeats_well(backend))


def exact_neighbours(
    points: NDArray[np.float32], neighbours: int, backend: Backend, monitor: Monitor = SILENT
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Distances and indices of the exact neighbours, on the host: the same on every backend."""
    if isinstance(backend, CudaBackend):
        from bsoid_gpu.estimators.neighbours_cuda import nearest_by_cuml

        return nearest_by_cuml(points, neighbours, backend, monitor)
    from bsoid_gpu.kernels.neighbours import nearest

    return nearest(points, neighbours, backend.threads, lambda done, total: monitor.progress("neighbours", done, total))


def _layout(
    initial: Array, graph: Graph, settings: UmapSettings, seed: int, backend: Backend, monitor: Monitor
) -> Array:
    """Our own layout, from its checkpoint if there is one: the same on any number of threads."""
    from bsoid_gpu.kernels import umap_layout

    layout = umap_layout.layout
    room: AbstractContextManager[None] = contextlib.nullcontext()
    if isinstance(backend, CudaBackend):
        from bsoid_gpu.estimators import umap_cuda
        from bsoid_gpu.kernels import umap_layout_cuda

        layout, room = umap_layout_cuda.layout, umap_cuda.room_for_layout(initial, graph, backend)
    checkpoint = monitor.read()
    positions = backend.asarray(checkpoint["positions"]) if checkpoint else initial
    first = int(checkpoint["epoch"][0]) if checkpoint else 0
    a, b = umap_layout.curve(settings.min_dist)
    epochs = layout(
        positions, graph, a, b, settings.epochs, settings.negative_samples, settings.learning_rate, seed, first
    )
    with room:
        for epoch, positions in epochs:
            monitor.progress("layout", epoch, settings.epochs)
            monitor.save(lambda: {"positions": backend.to_host(positions), "epoch": np.array([epoch])})  # noqa: B023 - called at once
    return positions


def _spectral(data: NDArray[np.float32], graph: Graph, dimensions: int, seed: int) -> NDArray[np.float32]:
    """Initial positions from the graph's Laplacian, computed and scaled by umap-learn."""
    from scipy.sparse import csr_matrix

    try:
        from umap.spectral import spectral_layout
        from umap.umap_ import noisy_scale_coords
    except ImportError as error:
        msg = "[embedding] initialisation = 'spectral' needs umap-learn: pip install 'bsoid-gpu[spectral]'"
        raise BadInput(msg) from error
    random = np.random.RandomState(seed)  # umap-learn requires this generator
    adjacency = csr_matrix((graph.weights, graph.columns, graph.offsets), shape=(len(data), len(data)))
    positions = noisy_scale_coords(
        spectral_layout(data, adjacency, dimensions, random), random, max_coord=10, noise=0.0001
    )
    low, high = positions.min(axis=0), positions.max(axis=0)
    return np.asarray(10.0 * (positions - low) / (high - low), dtype=np.float32)


def cost(size: JobSize, settings: UmapSettings) -> Cost:
    """Exact neighbours by products of all pairs, the graph, and the events of the layout."""
    from bsoid_gpu.backends import device_memory

    n, d, _ = size
    method = resolved(settings, n)
    k, epochs = method.neighbours, method.epochs
    # dimensions = 0 depends on the data; correlated features need about the square root of their number
    dimensions = method.dimensions or max(FEWEST_DIMENSIONS, round(d**0.5))
    events = n * epochs * math.log2(max(k, 2)) * (2 + method.negative_samples)  # log2(k) edges of a point fire an epoch
    return Cost(
        serial_s=EPOCH_S * epochs + BIN_S * n,
        parallel_s=NEIGHBOUR_S * n * k + EVENT_S * events,
        product_s=PAIR_S * n * n * (d + 20),  # comparing a product takes as long as 20 of its columns
        host_bytes=n * (k * 27 + d * 24),
        device_bytes=device_memory.umap(n, d, k, dimensions),
    )


def problems(settings: UmapSettings) -> list[str]:
    """A sentence if there is one dimension."""
    one = settings.dimensions == 1
    return ["[embedding] dimensions = 1; expected 0 (chosen by 'variance'), or 2 to 50"] if one else []


def smallest_job(settings: UmapSettings, bins: int) -> tuple[int, str]:
    """One bin more than neighbours."""
    neighbours = resolved(settings, bins).neighbours
    return neighbours + 1, f"neighbours = {neighbours}"


ESTIMATOR = Estimator(
    role=EMBEDDER,
    name="umap",
    version=1,
    settings=UmapSettings,
    fit=fit,
    cost=cost,
    problems=problems,
    smallest_job=smallest_job,
)
