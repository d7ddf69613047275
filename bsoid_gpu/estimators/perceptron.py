"""The multilayer perceptron: rectified hidden layers, softmax, cross-entropy, Adam.

Initial weights and shuffling come from a counter-based random number generator and are the same on every array
library. During a fit all parameters are one vector, and only one score per epoch leaves the device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.estimators.base import CLASSIFIER, Cost, Estimator, JobSize
from bsoid_gpu.estimators.network import accuracy, as_layers, gradient, initial, outputs, softmax
from bsoid_gpu.estimators.standard_scaler import scale_of, standardise
from bsoid_gpu.fields import setting
from bsoid_gpu.kernels.counter_rng import SHUFFLE, SPLIT, permutation

if TYPE_CHECKING:
    from types import ModuleType

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.typing import Array

CHUNK_ROWS = 16_384  # limits the memory of a prediction: 8 MB for each 128 units
VALIDATION_SHARE = 0.1
WARM_UP = 0.2  # share of the updates with increasing step size
FULL_BATCH = 1024  # bins; in smaller batches the step size falls with the square root of their size
EPOCH_UPDATES = 50  # at least, with smaller batches if necessary: a fit to few bins has to converge too
START_S, WEIGHT_S = 0.1, 0.9e-10  # for the cost: measured on one core of the reference machine
MEAN_DECAY, SQUARE_DECAY, EPSILON = 0.9, 0.999, 1e-8  # Adam's


@dataclass(frozen=True)
class PerceptronSettings:
    """The multilayer perceptron from features to labels."""

    method: ClassVar[str] = "perceptron"
    hidden: tuple[int, ...] = setting((128, 128), "Units of each hidden layer.")
    learning_rate: float = setting(
        0.05, "Adam's largest step size, for batches of at least 1,024 bins.", bounds=(1e-8, 10.0)
    )
    batch: int = setting(2048, "Most bins in a mini-batch.", bounds=(1, 2**24))
    max_epochs: int = setting(
        10, "Passes over the training bins; the step size falls to 0 over them.", bounds=(1, 100_000)
    )
    patience: int = setting(8, "Epochs without a better validation accuracy before the fit stops.", bounds=(1, 100_000))
    tolerance: float = setting(
        1e-4, "Smallest gain of the validation accuracy that counts as better.", bounds=(0.0, 1.0)
    )
    l2: float = setting(1e-4, "Decay of the weights, not of the biases.", bounds=(0.0, 10.0))


@dataclass(frozen=True, eq=False)
class Perceptron:
    """A fitted perceptron.

    Parameters
    ----------
    weights
        (inputs, units) float32 of each layer.
    biases
        (units,) float32 of each layer.
    mean, scale
        (columns,) float64: ``(features - mean) / scale`` is the input of the first layer.
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    mean: Array
    scale: Array

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.biases[-1].shape[0])

    def arrays(self) -> dict[str, Array]:
        """Every array by name, for the model file."""
        named: dict[str, Array] = {"mean": self.mean, "scale": self.scale}
        for i, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            named |= {f"weights.{i}": weights, f"bias.{i}": bias}
        return named

    def predict_proba(self, features: Array) -> Array:
        """Probability of each class: (rows, classes) float32 from (rows, columns), in chunks of rows."""
        xp = array_namespace(features)
        layers = list(zip(self.weights, self.biases, strict=True))
        rows = features.shape[0]
        starts = range(0, max(rows, 1), CHUNK_ROWS)  # at least one chunk, even of no rows
        chunks = (_scaled(features[i : min(i + CHUNK_ROWS, rows), :], self.mean, self.scale) for i in starts)
        return xp.concat([softmax(outputs(layers, chunk)[-1]) for chunk in chunks])

    @classmethod
    def from_arrays(cls, named: dict[str, Array]) -> Perceptron:
        """Restore a perceptron from its :meth:`arrays`; ``KeyError`` if one is missing."""
        layers = range(math.ceil(len(named) / 2) - 1)
        return cls(
            weights=tuple(named[f"weights.{i}"] for i in layers),
            biases=tuple(named[f"bias.{i}"] for i in layers),
            mean=named["mean"],
            scale=named["scale"],
        )


def fit(
    features: Array, labels: Array, n_classes: int, settings: PerceptronSettings, seed: int, backend: Backend
) -> Perceptron:
    """Fit a perceptron that predicts labels from features.

    A random tenth of the bins is held out for validation: the epoch with the best accuracy there is used. Steps follow
    :func:`step_size`.

    Parameters
    ----------
    features
        (bins, columns), not standardised: the perceptron stores their mean and standard deviation.
    labels
        (bins,) integers from 0; classes may be empty.
    n_classes
        Number of classes.
    settings
        Layers, step size, and stopping rule.
    seed
        The same seed gives the same perceptron, up to rounding on another array library.
    backend
        Moves two numbers to the host at the start, then one per epoch.

    Raises
    ------
    ValueError
        No bins, NaN or infinite features, or labels out of range.
    """
    _check(features, labels, n_classes, backend)
    xp, device = array_namespace(features), device_of(features)
    bins, columns = features.shape
    mean, scale = scale_of(features)
    x = _scaled(features, mean, scale)
    sizes = (columns, *settings.hidden, n_classes)
    order = permutation(xp, bins, seed, SPLIT, device)
    held_out = int(VALIDATION_SHARE * bins)
    validation = order[:held_out] if held_out else order  # too few bins for a held-out part
    parameters = _descend(x, xp.astype(labels, xp.int64), order[held_out:], validation, sizes, settings, seed, backend)
    weights, biases = zip(*as_layers(parameters, sizes), strict=True)
    return Perceptron(weights, biases, mean, scale)


def _check(features: Array, labels: Array, n_classes: int, backend: Backend) -> None:
    xp = array_namespace(features)
    if features.shape[0] == 0:
        msg = "there are no bins to fit the perceptron to"
        raise ValueError(msg)
    in_range = (labels >= 0) & (labels < n_classes)
    features_finite, labels_in_range = backend.to_host(xp.stack([xp.all(xp.isfinite(features)), xp.all(in_range)]))
    if not features_finite:
        msg = "the features hold NaN or infinite values; expected finite numbers in every bin"
        raise ValueError(msg)
    if not labels_in_range:
        msg = f"labels out of range; expected whole numbers from 0 to {n_classes - 1}"
        raise ValueError(msg)


def _scaled(features: Array, mean: Array, scale: Array) -> Array:
    """Input of the first layer: standardised in float64, returned as float32."""
    xp = array_namespace(features)
    return xp.astype(standardise(features, mean, scale), xp.float32)


def weight_decay(xp: ModuleType, sizes: tuple[int, ...], l2: float, device: object = None) -> Array:
    """Coefficient of the L2 penalty, (parameters,) float32: ``l2`` for a weight, 0 for a bias, as in scikit-learn."""
    parts = [
        xp.full(count, decay, dtype=xp.float32, device=device)
        for inputs, units in pairwise(sizes)
        for count, decay in ((inputs * units, l2), (units, 0.0))
    ]
    return xp.concat(parts)


def mini_batches(bins: int, settings: PerceptronSettings) -> tuple[int, float]:
    """Number of mini-batches of an epoch of ``bins`` bins, and the largest step size for batches of that size."""
    batches = math.ceil(bins / min(settings.batch, math.ceil(bins / EPOCH_UPDATES)))
    return batches, settings.learning_rate * min(1.0, math.sqrt(bins / batches / FULL_BATCH))


def step_size(update: int, updates: int, largest: float) -> float:
    """Step size of an update, counted from 0: rises linearly to ``largest``, then falls linearly to 0."""
    done = (update + 0.5) / updates
    return largest * min(done / WARM_UP, (1 - done) / (1 - WARM_UP))


class Moments(NamedTuple):
    """Adam's running means of the gradient and of its square, and the number of updates."""

    mean: Array
    square: Array
    updates: int


def adam(parameters: Array, slope: Array, moments: Moments, step: float) -> tuple[Array, Moments]:
    """One update with the gradient ``slope`` (Kingma & Ba 2015, section 2, with the bias corrections in the step)."""
    xp = array_namespace(parameters)
    updates = moments.updates + 1
    mean = MEAN_DECAY * moments.mean + (1 - MEAN_DECAY) * slope
    square = SQUARE_DECAY * moments.square + (1 - SQUARE_DECAY) * slope * slope
    step *= math.sqrt(1 - SQUARE_DECAY**updates) / (1 - MEAN_DECAY**updates)
    return parameters - step * mean / (xp.sqrt(square) + EPSILON), Moments(mean, square, updates)


def _descend(
    x: Array,
    labels: Array,
    rows: Array,
    validation: Array,
    sizes: tuple[int, ...],
    settings: PerceptronSettings,
    seed: int,
    backend: Backend,
) -> Array:
    """Parameters of the epoch with the best accuracy on the rows ``validation``, the last in a tie."""
    xp, device = array_namespace(x), device_of(x)
    held_out, held_out_labels = xp.take(x, validation, axis=0), xp.take(labels, validation)
    one_hot = xp.eye(sizes[-1], dtype=x.dtype, device=device)
    parameters = best_parameters = initial(xp, sizes, seed, device)
    moments = Moments(xp.zeros_like(parameters), xp.zeros_like(parameters), 0)
    bins = rows.shape[0]
    batches, largest = mini_batches(bins, settings)
    decay = weight_decay(xp, sizes, settings.l2, device)
    best, stale = -1.0, 0
    for epoch in range(settings.max_epochs):
        shuffled = xp.take(rows, permutation(xp, bins, seed, SHUFFLE + epoch, device))
        for batch in range(batches):
            chosen = shuffled[bins * batch // batches : bins * (batch + 1) // batches]
            target = xp.take(one_hot, xp.take(labels, chosen), axis=0)
            slope = gradient(parameters, sizes, xp.take(x, chosen, axis=0), target) + decay * parameters
            step = step_size(moments.updates, settings.max_epochs * batches, largest)
            parameters, moments = adam(parameters, slope, moments, step)
        score = float(backend.to_host(accuracy(as_layers(parameters, sizes), held_out, held_out_labels)))
        stale = 0 if score > best + settings.tolerance else stale + 1
        if score >= best:
            best, best_parameters = score, parameters
        if stale >= settings.patience:
            break
    return best_parameters


def cost(size: JobSize, settings: PerceptronSettings) -> Cost:
    """Products of the forward and backward passes."""
    weights = sum(inputs * units for inputs, units in pairwise((size.columns, *settings.hidden, size.labels)))
    return Cost(
        serial_s=START_S,
        parallel_s=0.0,
        product_s=size.bins * settings.max_epochs * weights * WEIGHT_S,
        host_bytes=3 * 8 * size.bins * size.columns,
        device_bytes=4 * 8 * size.bins * size.columns,
    )


def problems(settings: PerceptronSettings) -> list[str]:
    """A sentence if a layer has no units."""
    if all(units >= 1 for units in settings.hidden):
        return []
    return [f"[classifier] hidden = {list(settings.hidden)}; expected whole numbers of at least 1"]


ESTIMATOR = Estimator(
    role=CLASSIFIER,
    name="perceptron",
    version=1,
    settings=PerceptronSettings,
    fit=fit,
    cost=cost,
    from_arrays=Perceptron.from_arrays,
    problems=problems,
)
