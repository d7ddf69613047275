"""A support vector machine (Cortes & Vapnik 1995), one against one, with a radial basis function kernel.

scikit-learn fits it on the host. It is stored as arrays: the model file needs no pickle, and the machine predicts on
every array library.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bsoid_gpu.estimators import platt
from bsoid_gpu.estimators.base import CLASSIFIER, Cost, Estimator, JobSize
from bsoid_gpu.estimators.standard_scaler import scale_of, standardise
from bsoid_gpu.estimators.support_vectors import CHUNK_ROWS, SupportVectorMachine
from bsoid_gpu.fields import setting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.typing import Array

FOLDS = 3  # of the bins, for held-out decision values
# for the cost: measured on one core of the reference machine
START_S, PRODUCT_S = 0.05, 1.5e-9


@dataclass(frozen=True)
class SvmSettings:
    """A support vector machine from features to labels."""

    method: ClassVar[str] = "svm"
    c: float = setting(
        1.0, "Penalty of a bin on the wrong side; more fits the training bins closer.", bounds=(1e-6, 1e6)
    )
    gamma: float = setting(
        0.0, "Width of the kernel exp(-gamma |x - y|^2) on standardised features; 0 is 1 / columns.", bounds=(0.0, 1e6)
    )
    most_bins: int = setting(
        1000,
        "Most bins of a label that are fitted, evenly spread over its bins: the time of a fit grows with their square.",
        bounds=(2, 10**7),
    )
    cache_mb: float = setting(200.0, "Memory of a fit for values of the kernel, in MB.", bounds=(1.0, 1e6))


def fit(
    features: Array, labels: Array, n_classes: int, settings: SvmSettings, seed: int, backend: Backend
) -> SupportVectorMachine:
    """Fit a machine that predicts labels from features, on the host.

    The sigmoids of the pairs are fitted to decision values of held-out bins, by three folds: those of the training
    bins are too large.

    Parameters
    ----------
    features
        (bins, columns), in any units, in the order of time.
    labels
        (bins,) integers from 0; classes may be empty. Of a class with many bins, an even sample is fitted.
    n_classes
        Number of classes.
    settings
        Settings of the machine.
    seed
        Seed of the folds.
    backend
        Where the arrays are.
    """
    x, y = backend.to_host(features), backend.to_host(labels)
    chosen = even_sample(y, settings.most_bins)
    x, y = np.asarray(x, dtype=np.float64)[chosen], y[chosen]
    mean, deviation = scale_of(x)
    machine = _machine(x, y, n_classes, settings, (mean, deviation))
    if len(machine.support) > 1:
        machine = _with_sigmoids(machine, x, y, settings, seed)
    return SupportVectorMachine.from_arrays({name: backend.asarray(a) for name, a in machine.arrays().items()})


def even_sample(labels: NDArray[Any], most: int) -> NDArray[np.int64]:
    """Bins of each label, at most so many, evenly spread over those it has: ascending."""
    parts = []
    for label in np.unique(labels):
        bins = np.flatnonzero(labels == label)
        step = max(len(bins) / most, 1.0)
        parts.append(bins[(np.arange(min(len(bins), most)) * step).astype(np.int64)])
    return np.sort(np.concatenate(parts))


def _machine(
    x: NDArray[np.float64],
    y: NDArray[Any],
    n_classes: int,
    settings: SvmSettings,
    scale: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> SupportVectorMachine:
    """A machine without sigmoids: the log odds are the decision values."""
    known = np.unique(y)
    k, columns = len(known), x.shape[1]
    gamma = settings.gamma or 1.0 / columns
    column = np.full(n_classes, k, dtype=np.int64)
    column[known] = np.arange(k)
    intercept = np.zeros((k, k))
    support, coefficients = [np.zeros((0, columns))] * k, [np.zeros((0, k))] * k
    if k > 1:
        intercept, support, coefficients = _support(standardise(x, *scale), y, k, gamma, settings)
    first = np.triu(np.ones((k, k)), 1)  # 1 where the class comes before the other
    return SupportVectorMachine(
        *scale, np.asarray(gamma), column, intercept, first - first.T, np.zeros((k, k)),
        tuple(support), tuple(coefficients),
    )  # fmt: skip


def _support(
    x: NDArray[np.float64], y: NDArray[Any], k: int, gamma: float, settings: SvmSettings
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Intercepts, support vectors and their weights, by scikit-learn.

    It lists the support vectors by class. The weights of one have a row for each other class, in their order.
    """
    from sklearn.svm import SVC

    svc = SVC(C=settings.c, gamma=gamma, cache_size=settings.cache_mb, decision_function_shape="ovo").fit(x, y)
    sign = 1.0 if k > 2 else -1.0  # with two classes, scikit-learn's are positive for the second
    intercept = np.zeros((k, k))
    intercept[np.triu_indices(k, 1)] = sign * svc.intercept_
    ends = np.cumsum(svc.n_support_)[:-1]
    weights = np.split(sign * svc.dual_coef_.T, ends)
    with_itself = [np.insert(part, i, 0.0, axis=1) for i, part in enumerate(weights)]
    return intercept + intercept.T, np.split(svc.support_vectors_, ends), with_itself


def _with_sigmoids(
    machine: SupportVectorMachine, x: NDArray[np.float64], y: NDArray[Any], settings: SvmSettings, seed: int
) -> SupportVectorMachine:
    """The machine with a sigmoid for each pair."""
    k, place = len(machine.support), machine.column[y]
    values = np.full((len(y), k), np.nan)  # of the pair of the bin's own class and each other class
    fold = _folds(y, seed)
    for held_out in range(FOLDS):
        training, others = fold != held_out, np.flatnonzero(fold == held_out)
        part = _machine(x[training], y[training], machine.n_classes, settings, (machine.mean, machine.deviation))
        others = others[part.column[y[others]] < len(part.support)]
        if len(others):
            known = machine.column[np.flatnonzero(part.column < len(part.support))]
            values[np.ix_(others, known)] = _own_values(part, x[others], part.column[y[others]])
    own, other = place[:, None], np.arange(k)[None, :]
    firsts, seconds = np.triu_indices(k, 1)
    number = np.zeros((k, k), dtype=np.int64)
    number[firsts, seconds] = number[seconds, firsts] = np.arange(len(firsts))
    pair, positive = number[own, other], own < other
    known = np.isfinite(values) & (own != other)
    both = np.bincount(pair[known & positive], minlength=len(firsts)) > 0
    both &= np.bincount(pair[known & ~positive], minlength=len(firsts)) > 0
    if not both.all():  # a class with a single bin has no held-out value
        instead = ~both[pair] & (own != other)
        values = np.where(instead, _own_values(machine, x, place), values)
        known |= instead
    slopes, offsets = platt.sigmoids(values[known], positive[known], pair[known], len(firsts))
    slope, offset = np.zeros((k, k)), np.zeros((k, k))
    slope[firsts, seconds], offset[firsts, seconds] = -slopes, -offsets
    return replace(machine, slope=slope - slope.T, offset=offset - offset.T)


def _folds(y: NDArray[Any], seed: int) -> NDArray[np.int64]:
    """Fold of each bin, at random; each label has nearly as many bins in each."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(y), dtype=np.int64)
    for label in np.unique(y):
        bins = np.flatnonzero(y == label)
        fold[bins] = rng.permutation(len(bins)) % FOLDS
    return fold


def _own_values(machine: SupportVectorMachine, x: NDArray[np.float64], own: NDArray[np.int64]) -> NDArray[np.float64]:
    """Decision value of each bin's own class and each other class: (bins, k)."""
    parts = []
    for i in range(0, len(x), CHUNK_ROWS):
        rows = slice(i, i + CHUNK_ROWS)
        parts.append(machine.decision_values(x[rows])[np.arange(len(own[rows])), own[rows]])
    return np.concatenate(parts)


def cost(size: JobSize, settings: SvmSettings) -> Cost:
    """The pairs of labels together compare each two bins about twice, on one core; the folds as often again."""
    fitted = min(size.bins, settings.most_bins * size.labels)
    vectors = 8 * fitted * (size.columns + size.labels)
    return Cost(
        serial_s=START_S + PRODUCT_S * fitted * fitted * size.columns,
        parallel_s=0.0,
        product_s=0.0,
        host_bytes=1e6 * settings.cache_mb + 2 * vectors + 8 * CHUNK_ROWS * size.labels**2,
        device_bytes=vectors + 8 * CHUNK_ROWS * (settings.most_bins + 4 * size.labels**2),
    )


ESTIMATOR = Estimator(
    role=CLASSIFIER,
    name="svm",
    version=1,
    settings=SvmSettings,
    fit=fit,
    cost=cost,
    from_arrays=SupportVectorMachine.from_arrays,
)
