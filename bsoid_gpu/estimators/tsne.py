"""t-SNE (van der Maaten 2014) on exact neighbours: by scikit-learn or, in two dimensions on a GPU, by cuML."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from array_api_compat import array_namespace

from bsoid_gpu.backends.cuda import CudaBackend
from bsoid_gpu.estimators.base import EMBEDDER, SILENT, Cost, Estimator, JobSize, Monitor
from bsoid_gpu.estimators.initialisation import small_principal_components
from bsoid_gpu.estimators.umap import exact_neighbours
from bsoid_gpu.fields import setting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.typing import Array

NEIGHBOURS = 3  # times the perplexity: the neighbours that attract a bin
FEWEST_ITERATIONS, ITERATIONS = 250, 1000  # scikit-learn takes no fewer; its default
OF_CUML = 2  # dimensions: cuML has no others
# for the cost: measured on one core of the reference machine
START_S, STEP_S = 1.0, {2: 2.2e-7, 3: 3.7e-7}


@dataclass(frozen=True)
class TsneSettings:
    """t-SNE, with the Barnes-Hut approximation."""

    method: ClassVar[str] = "tsne"
    dimensions: int = setting(3, "Dimensions of the embedding.", bounds=(2, 3))
    perplexity: float = setting(
        30.0, "About as many near neighbours of a bin matter; three times as many attract it.", bounds=(2.0, 340.0)
    )
    learning_rate: float = setting(
        0.0, "Step size; 0 is a quarter of the bins / early_exaggeration, and at least 50.", bounds=(0.0, 1e6)
    )
    early_exaggeration: float = setting(
        12.0, "Factor on the attraction in the first 250 iterations.", bounds=(1.0, 1000.0)
    )
    iterations: int = setting(
        0, "Most iterations, 250 or more; 0 is the default of the library, 1000.", bounds=(0, 100_000)
    )
    repeatable: bool = setting(
        True,
        "Whether the same seed gives the same embedding on any number of cores: on the CPU, that takes one core; "
        "false uses all of them (--seed none).",
    )

    @property
    def neighbours(self) -> int:
        """Neighbours that attract a bin, without itself."""
        return int(NEIGHBOURS * self.perplexity + 1)

    def step_size(self, bins: int) -> float:
        """Step size of a job (Belkina et al. 2019), as scikit-learn chooses it."""
        return self.learning_rate or max(bins / self.early_exaggeration / 4, 50.0)


def fit(scaled: Array, settings: TsneSettings, seed: int, backend: Backend, monitor: Monitor = SILENT) -> Array:
    """t-SNE coordinates of the bins.

    Parameters
    ----------
    scaled
        (bins, columns) standardised features.
    settings
        Settings of t-SNE.
    seed
        Seed of the initialisation's noise, and of cuML.
    backend
        Where to compute. On a GPU, cuML computes two dimensions, from initial positions of its own; three dimensions
        are computed on the host.
    monitor
        Receives messages, and the progress of the neighbours; t-SNE itself is one call, without checkpoints.

    Returns
    -------
    Array
        (bins, dimensions) float32.
    """
    xp = array_namespace(scaled)
    if isinstance(backend, CudaBackend) and settings.dimensions == OF_CUML:
        from bsoid_gpu.estimators.tsne_cuda import embedding_by_cuml

        return embedding_by_cuml(xp.astype(scaled, xp.float32), settings, seed, backend, monitor)
    if isinstance(backend, CudaBackend):
        monitor.message("cuML's t-SNE has two dimensions only: three are computed on the host, by scikit-learn")
    with backend.repeatable():
        initial = backend.to_host(small_principal_components(scaled, settings.dimensions, seed))
    points = np.ascontiguousarray(backend.to_host(xp.astype(scaled, xp.float32)))
    number = min(settings.neighbours + 1, len(points))  # with the bin itself
    neighbours = exact_neighbours(points, number, backend, monitor)
    threads = 1 if settings.repeatable else backend.threads
    monitor.message(f"t-SNE by scikit-learn, on {threads} core{'s' * (threads > 1)}: it reports no progress")
    return backend.asarray(_by_scikit_learn(neighbours, initial, settings, threads))


def _by_scikit_learn(
    neighbours: tuple[NDArray[np.float32], NDArray[np.int32]],
    initial: NDArray[np.float32],
    settings: TsneSettings,
    threads: int,
) -> NDArray[np.float32]:
    """t-SNE from given neighbours (distances and indices) and initial positions.

    On several threads, scikit-learn adds the forces and the error up in an order that depends on their number.
    """
    from scipy.sparse import csr_matrix
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    from bsoid_gpu.estimators.neighbours_cuda import itself_first

    distances, indices = itself_first(*neighbours)
    bins, number = distances.shape
    offsets = np.arange(0, distances.size + 1, number)
    graph = csr_matrix((distances.ravel(), indices.ravel(), offsets), shape=(bins, bins))
    model = TSNE(
        n_components=settings.dimensions,
        perplexity=settings.perplexity,
        early_exaggeration=settings.early_exaggeration,
        learning_rate=settings.step_size(bins),
        init=initial,
        metric="precomputed",
        **most_iterations(TSNE, settings.iterations),
    )
    with threadpool_limits(threads):
        return np.asarray(model.fit_transform(graph), dtype=np.float32)


def most_iterations(kind: Any, iterations: int) -> dict[str, int]:
    """Argument for the number of iterations, which the libraries renamed; none for 0, their default."""
    name = "max_iter" if "max_iter" in inspect.signature(kind).parameters else "n_iter"
    return {name: iterations} if iterations else {}


def cost(size: JobSize, settings: TsneSettings) -> Cost:
    """Each iteration walks a tree for each bin, on one core; the neighbours take less.

    From 2,000 to 12,000 bins the time grew with the power 1.5 of their number.
    """
    n = size.bins
    number = settings.neighbours
    seconds = STEP_S[settings.dimensions] * (settings.iterations or ITERATIONS) * n**1.5
    return Cost(
        serial_s=START_S + (seconds if settings.repeatable else 0.0),
        parallel_s=0.0 if settings.repeatable else seconds,
        product_s=0.0,
        host_bytes=n * (number * 60 + size.columns * 24),
        device_bytes=n * (number * 60 + size.columns * 24),
    )


def problems(settings: TsneSettings) -> list[str]:
    """A sentence for a number of iterations that scikit-learn refuses."""
    if 0 < settings.iterations < FEWEST_ITERATIONS:
        expected = f"expected 0 (the default), or {FEWEST_ITERATIONS} or more"
        return [f"[embedding] iterations = {settings.iterations}; {expected}"]
    return []


def smallest_job(settings: TsneSettings, _: int) -> tuple[int, str]:
    """One bin more than neighbours."""
    return settings.neighbours + 1, f"perplexity = {settings.perplexity:g}"


ESTIMATOR = Estimator(
    role=EMBEDDER,
    name="tsne",
    version=1,
    settings=TsneSettings,
    fit=fit,
    cost=cost,
    problems=problems,
    smallest_job=smallest_job,
)
