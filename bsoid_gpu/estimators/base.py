"""What an estimator is, what a long fit reports, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from array_api_compat import array_namespace
from numpy.typing import NDArray

from bsoid_gpu.typing import Array

EMBEDDER, CLUSTERER, CLASSIFIER = "embedder", "clusterer", "classifier"


class Cost(NamedTuple):
    """Expected cost of a fit: seconds on one core of the reference machine, and bytes.

    ``serial_s`` is work of one core; ``parallel_s`` (compiled loops) and ``product_s`` (matrix products) are divided
    among the cores. ``host_bytes`` is the memory of the host, ``device_bytes`` that of a GPU.
    """

    serial_s: float
    parallel_s: float
    product_s: float
    host_bytes: float
    device_bytes: float


class JobSize(NamedTuple):
    """What the cost of a fit follows from: bins, feature columns, and labels, as far as they are known."""

    bins: int
    columns: int
    labels: int


@dataclass(frozen=True)
class Estimator:
    """One way to do a step of the method.

    Parameters
    ----------
    role
        ``"embedder"``, ``"clusterer"`` or ``"classifier"``.
    name
        What the setting ``method`` calls it.
    version
        Part of the key of its results: raised by hand whenever they change.
    settings
        Dataclass of its settings; its class variable ``method`` is the name.
    fit
        Embedder: ``fit(scaled, settings, seed, backend, monitor)`` gives positions (bins, dimensions) float32.
        Clusterer: ``fit(embedding, settings, seed, backend, monitor)`` gives a :class:`ClusterFit`.
        Classifier: ``fit(features, labels, n_classes, settings, seed, backend)`` gives a :class:`Classifier`.
    cost
        ``cost(size, settings)`` gives the :class:`Cost` of one fit to a :class:`JobSize`.
    from_arrays
        Of a classifier: what was fitted, from its arrays.
    problems
        A sentence for each setting that contradicts another one.
    smallest_job
        ``smallest_job(settings, bins)`` gives the fewest bins that a fit needs, and the setting that it follows from.
    """

    role: str
    name: str
    version: int
    settings: type[Any]
    fit: Callable[..., Any]
    cost: Callable[[JobSize, Any], Cost]
    from_arrays: Callable[[dict[str, Array]], Classifier] | None = None
    problems: Callable[[Any], list[str]] = lambda _: []
    smallest_job: Callable[[Any, int], tuple[int, str]] = lambda _settings, _bins: (1, "")


class Classifier(Protocol):
    """A fitted classifier; its arrays are those of the backend that it was fitted on or moved to."""

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
    """The likeliest class of each row: (rows,) int64."""
    return array_namespace(features).argmax(classifier.predict_proba(features), axis=1)


@dataclass(frozen=True)
class ClusterFit:
    """What a clusterer gives, on the host.

    ``hard`` (bins,) int64 with -1 for noise; ``membership`` (bins, clusters) float64, NaN or 0 where no cluster
    attracts a bin; ``sweep`` a row for each choice that was compared, ``chosen`` among its columns.
    """

    hard: NDArray[Any]
    membership: NDArray[Any]
    sweep: list[dict[str, Any]]


class Checkpoint(Protocol):
    """How far a long computation has come, kept outside of it."""

    def read(self) -> dict[str, NDArray[Any]]:
        """The arrays that an interrupted computation kept last; none where there are none."""
        ...

    def keep(self, gather: Callable[[], dict[str, NDArray[Any]]]) -> None:
        """Keep what ``gather`` gives, if it is time; call it as often as you like."""
        ...


class Monitor:
    """What a long computation reports to its caller, and what it resumes from; this one does nothing."""

    def progress(self, what: str, done: int, total: int) -> None:
        """So much of the work called ``what`` is done."""

    def message(self, text: str) -> None:
        """Something that the user may want to know."""

    def warning(self, text: str) -> None:
        """Something that the user should know."""

    def read(self) -> dict[str, NDArray[Any]]:
        """See :class:`Checkpoint`."""
        return {}

    def keep(self, gather: Callable[[], dict[str, NDArray[Any]]]) -> None:
        """See :class:`Checkpoint`."""


SILENT = Monitor()
