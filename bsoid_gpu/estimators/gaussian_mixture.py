"""A Gaussian mixture: clusters are the components with the largest share of a bin.

Expectation maximisation finds a local maximum: of several starts, the likeliest is used. On the CPU, scikit-learn does
it; on a GPU, array code of our own.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bsoid_gpu.backends.cuda import CudaBackend
from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators import expectation_maximisation as em
from bsoid_gpu.estimators.base import CLUSTERER, SILENT, ClusterFit, Cost, Estimator, JobSize, Monitor
from bsoid_gpu.fields import setting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.estimators.expectation_maximisation import Maximised, Mixture

TINY = 2.0**-60  # variance of positions that are all equal
# for the cost: measured on one core of the reference machine
START_S, STEP_S, TYPICAL_ITERATIONS = 0.5, 2.5e-7, 40


@dataclass(frozen=True)
class GaussianMixtureSettings:
    """A Gaussian mixture with full covariances, fitted by expectation maximisation."""

    method: ClassVar[str] = "gaussian_mixture"
    components: int = setting(30, "Components at first; empty ones are dropped.", bounds=(1, 1000))
    starts: int = setting(10, "Starts, from centres by k-means++; the likeliest is used.", bounds=(1, 1000))
    max_iterations: int = setting(200, "Most iterations of a start.", bounds=(1, 100_000))
    tolerance: float = setting(
        1e-3, "Smallest change of the mean log likelihood that is worth another iteration.", bounds=(1e-12, 1.0)
    )
    regularisation: float = setting(
        1e-6, "Added to the variances, as a share of the mean variance of the embedding.", bounds=(1e-9, 1.0)
    )
    smallest_share: float = setting(
        0.001, "Components with a smaller weight are dropped, as are those that are the likeliest of no bin.",
        bounds=(0.0, 0.5),
    )  # fmt: skip
    min_probability: float = setting(
        0.0, "Bins whose likeliest cluster has a smaller probability are noise; 0: none are.", bounds=(0.0, 1.0)
    )


def fit(
    embedding: NDArray[np.float32],
    settings: GaussianMixtureSettings,
    seed: int,
    backend: Backend,
    monitor: Monitor = SILENT,
    bin_s: float = 0.1,
) -> ClusterFit:
    """Fit the mixture from several starts, and use the likeliest, the first in a tie.

    Parameters
    ----------
    embedding
        (bins, dimensions) float32, on the host.
    settings
        Settings of the mixture.
    seed
        Seed of the centres.
    backend
        Where to compute.
    monitor
        Receives the progress and a warning if a start did not converge; the checkpoint has the complete starts.
    bin_s
        Ignored: no setting is a time.

    Raises
    ------
    BadInput
        Every component was dropped.
    """
    points = embedding.astype(np.float64)
    points -= points.mean(axis=0)  # the sums of squares lose fewer digits
    fits = _fits(points, settings, seed, backend, monitor)
    best = max(range(len(fits)), key=lambda start: fits[start].log_likelihood)
    unfinished = sum(not one.converged for one in fits)
    if unfinished:
        monitor.warning(
            f"{unfinished} of {settings.starts} starts of the mixture still improved after {settings.max_iterations} "
            "iterations: raise [clusters] max_iterations or tolerance"
        )
    kept = [_kept(points, one.mixture, settings) for one in fits]
    sweep = [
        {
            "start": start,
            "clusters": int(kept[start].sum()),
            "log_likelihood": round(one.log_likelihood, 6),
            "iterations": one.iterations,
            "chosen": start == best,
        }
        for start, one in enumerate(fits)
    ]
    if not kept[best].any():
        msg = (
            f"no component of the mixture has a weight of {settings.smallest_share:g}: lower [clusters] smallest_share"
        )
        raise BadInput(msg)
    membership = _shares(points, fits[best].mixture, kept[best])
    hard = np.argmax(membership, axis=1)
    hard[membership.max(axis=1) < settings.min_probability] = -1
    return ClusterFit(hard.astype(np.int64), membership, sweep)


def _kept(points: NDArray[np.float64], mixture: Mixture, settings: GaussianMixtureSettings) -> NDArray[np.bool_]:
    """Components that are the likeliest of a bin, and have enough weight: (components,)."""
    likeliest = np.argmax(em.weighted_log_densities(points, mixture), axis=1)
    bins = np.bincount(likeliest, minlength=len(mixture.weights))
    return np.asarray((bins > 0) & (mixture.weights >= settings.smallest_share))


def _shares(points: NDArray[np.float64], mixture: Mixture, kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Probability of each kept component at each point: rows sum to 1."""
    weighted = em.weighted_log_densities(points, em.Mixture(*(part[kept] for part in mixture)))
    return np.asarray(np.exp(weighted - em.log_of_sum(weighted)[:, None]))


def _fits(
    points: NDArray[np.float64], settings: GaussianMixtureSettings, seed: int, backend: Backend, monitor: Monitor
) -> list[Maximised]:
    """The mixture of each start, from the checkpoint or computed; on the host."""
    from sklearn.exceptions import ConvergenceWarning

    saved = monitor.read()  # keys are START/ARRAY
    fits = [_restored(saved, start) for start in range(len(saved) // len(_ARRAYS))]
    regularisation = settings.regularisation * max(float(points.var(axis=0).mean()), TINY)
    jobs = [
        partial(_single, points, settings, regularisation, (seed, start), backend)
        for start in range(len(fits), settings.starts)
    ]
    with backend.repeatable(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # reported with the result
        for one in backend.map(jobs):
            fits.append(one)
            monitor.progress("starts of the mixture", len(fits), settings.starts)
            monitor.save(lambda: _arrays(fits))
    return fits


_ARRAYS = (*em.Mixture._fields, "course")  # of a start in the checkpoint


def _arrays(fits: list[Maximised]) -> dict[str, NDArray[Any]]:
    named: dict[str, NDArray[Any]] = {}
    for start, one in enumerate(fits):
        course = np.array([one.log_likelihood, one.iterations, one.converged], dtype=np.float64)
        named |= {f"{start}/{name}": part for name, part in zip(_ARRAYS, (*one.mixture, course), strict=True)}
    return named


def _restored(saved: dict[str, NDArray[Any]], start: int) -> Maximised:
    *mixture, course = (saved[f"{start}/{name}"] for name in _ARRAYS)
    return em.Maximised(em.Mixture(*mixture), float(course[0]), int(course[1]), bool(course[2]))


def first_mixture(
    points: NDArray[np.float64], components: int, regularisation: float, seed: tuple[int, int]
) -> Mixture:
    """Mixture of the points nearest to each of some centres, which are chosen by k-means++."""
    from sklearn.cluster import kmeans_plusplus

    random = np.random.RandomState(np.random.SeedSequence(seed).generate_state(1)[0])  # scikit-learn requires this one
    centres, _ = kmeans_plusplus(points, components, random_state=random)
    return em.mixture_of(points, em.nearest(points, centres), regularisation)


def _single(
    points: NDArray[np.float64],
    settings: GaussianMixtureSettings,
    regularisation: float,
    seed: tuple[int, int],
    backend: Backend,
) -> Maximised:
    """The mixture of one start, on the host."""
    first = first_mixture(points, settings.components, regularisation, seed)
    if isinstance(backend, CudaBackend):
        return _by_array_code(points, first, settings, regularisation, backend)
    return by_scikit_learn(points, first, settings, regularisation)


def by_scikit_learn(
    points: NDArray[np.float64], first: Mixture, settings: GaussianMixtureSettings, regularisation: float
) -> Maximised:
    """The mixture from a first one, by scikit-learn."""
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        settings.components,
        tol=settings.tolerance,
        reg_covar=regularisation,
        max_iter=settings.max_iterations,
        init_params="random",  # replaced by the following, and the fastest
        weights_init=first.weights,
        means_init=first.means,
        precisions_init=np.linalg.inv(first.covariances),
        random_state=0,
    ).fit(points)
    mixture = em.Mixture(model.weights_, model.means_, model.covariances_)
    return em.Maximised(mixture, float(model.lower_bound_), int(model.n_iter_), bool(model.converged_))


def _by_array_code(
    points: NDArray[np.float64],
    first: Mixture,
    settings: GaussianMixtureSettings,
    regularisation: float,
    backend: CudaBackend,
) -> Maximised:
    """The mixture from a first one, on the device."""
    bins, dimensions = points.shape
    needed = 8 * bins * settings.components * (4 * dimensions + 4)
    with backend.room(f"a mixture of {settings.components} components on {bins:,} bins", needed):
        result = em.maximised(
            backend.asarray(points),
            em.Mixture(*(backend.asarray(part) for part in first)),
            regularisation,
            settings.tolerance,
            settings.max_iterations,
            backend.to_host,
        )
    return result._replace(mixture=em.Mixture(*(backend.to_host(part) for part in result.mixture)))


def cost(size: JobSize, settings: GaussianMixtureSettings) -> Cost:
    """Each iteration passes over all bins for each component; a start is on one core.

    The embedding is taken to have three dimensions.
    """
    n, components = size.bins, settings.components
    iterations = min(settings.max_iterations, TYPICAL_ITERATIONS)
    return Cost(
        serial_s=START_S,
        parallel_s=STEP_S * settings.starts * iterations * n * components,
        product_s=0.0,
        host_bytes=8 * n * (components * 8 + 12),
        device_bytes=8 * n * components * 16,
    )


ESTIMATOR = Estimator(
    role=CLUSTERER,
    name="gaussian_mixture",
    version=1,
    settings=GaussianMixtureSettings,
    fit=fit,
    cost=cost,
    smallest_job=lambda settings, _: (settings.components, f"components = {settings.components}"),
)
