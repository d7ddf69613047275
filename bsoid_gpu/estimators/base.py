"""Interfaces: estimators, their cost, and the progress and checkpoints of a long fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from array_api_compat import array_namespace
from numpy.typing import NDArray

from bsoid_gpu.typing import Array

EMBEDDER, CLUSTERER, CLASSIFIER = "embedder", "clusterer", "classifier"


class Cost(NamedTuple):
    """Expected cost of a fit: seconds on one core of the reference machine, and bytes.

    ``serial_s`` runs on one core; ``parallel_s`` (compiled loops) and ``product_s`` (matrix products) are divided among
    the cores. ``host_bytes`` is memory of the host, ``device_bytes`` memory of the GPU.
    """

    serial_s: float
    parallel_s: float
    product_s: float
    host_bytes: float
    device_bytes: float


class JobSize(NamedTuple):
    """Size of a fit, as far as it is known: bins, feature columns, labels."""

    bins: int
    columns: int
    labels: int


@dataclass(frozen=True)
class Estimator:
    """A method for one step.

    Parameters
    ----------
    role
        ``"embedder"``, ``"clusterer"`` or ``"classifier"``.
    name
        Value of the setting ``method`` that selects it.
    version
        Part of the key of its results; raise it whenever they change.
    settings
        Dataclass of its settings, with the name as the class variable ``method``.
    fit
        Embedder: ``fit(scaled, settings, seed, backend, monitor)`` returns positions (bins, dimensions) float32.
        Clusterer: ``fit(embedding, settings, seed, backend, monitor, bin_s)``, with the embedding on the host and the
        time between successive bins in seconds, returns a :class:`ClusterFit`.
        Classifier: ``fit(features, labels, n_classes, settings, seed, backend)`` returns a :class:`Classifier`.
    cost
        ``cost(size, settings)`` returns the :class:`Cost` of one fit of a :class:`JobSize`.
    from_arrays
        Restores a fitted classifier from its arrays; None for other roles.
    fit_parts
        Fits a classifier to each of several parts of the bins at once, if it can:
        ``fit_parts(features, labels, n_classes, settings, seed, backend, parts)`` with the bins (rows,) int64 of each
        part returns in their order what ``fit`` returns for the bins of each part, up to rounding.
    problems
        Returns a sentence for each setting that contradicts another.
    smallest_job
        ``smallest_job(settings, bins)`` returns the fewest bins that a fit needs, and the setting that determines them.
    """

    role: str
    name: str
    version: int
    settings: type[Any]
    fit: Callable[..., Any]
    cost: Callable[[JobSize, Any], Cost]
    from_arrays: Callable[[dict[str, Array]], Classifier] | None = None
    fit_parts: Callable[..., Sequence[Classifier]] | None = None
    problems: Callable[[Any], list[str]] = lambda _: []
    smallest_job: Callable[[Any, int], tuple[int, str]] = lambda _settings, _bins: (1, "")


class Classifier(Protocol):
    """A fitted classifier, with its arrays on the host or on the device."""

    def predict_proba(self, features: Array) -> Array:
        """Probability of each class: (rows, classes) float32 from (rows, columns)."""
        ...

    def arrays(self) -> dict[str, Array]:
        """Every array by name, for the model file."""
        ...

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        ...


def predict(classifier: Classifier, features: Array) -> Array:
    """Most probable class of each row: (rows,) int64."""
    return array_namespace(features).argmax(classifier.predict_proba(features), axis=1)


@dataclass(frozen=True)
class ClusterFit:
    """Result of a clusterer, on the host.

    ``hard`` (bins,) int64, -1 for noise; ``membership`` (bins, clusters) float64, NaN or 0 for a bin without any;
    ``sweep`` one row for each clustering that was compared, with the column ``chosen``; ``tree`` (bins - 1, 4) is the
    single-linkage tree of the bins, if there is one, and ``cuts`` (rows of ``sweep``, bins) int32 are its hard labels.
    """

    hard: NDArray[Any]
    membership: NDArray[Any]
    sweep: list[dict[str, Any]]
    tree: NDArray[Any] | None = None
    cuts: NDArray[Any] | None = None


class Monitor:
    """Receives the progress of a long computation and stores its checkpoints; this one does nothing."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` steps of the work called ``what`` are complete."""

    def message(self, text: str) -> None:
        """Report information."""

    def warning(self, text: str) -> None:
        """Report a warning."""

    def read(self) -> dict[str, NDArray[Any]]:
        """The last arrays that an interrupted computation saved; empty if there are none."""
        return {}

    def save(self, gather: Callable[[], dict[str, NDArray[Any]]]) -> None:
        """Save the result of ``gather`` if the last checkpoint is old enough; call it as often as you like."""


SILENT = Monitor()
