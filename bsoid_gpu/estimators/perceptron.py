"""The multilayer perceptron: rectified hidden layers, softmax, cross-entropy, Adam.

Initial weights and shuffling come from a counter-based random number generator and are the same on every array
library. During a fit all parameters are one vector, and only one score per epoch leaves the device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.backends.chunks import DEVICE_BYTES, rows_per_chunk
from bsoid_gpu.estimators import perceptron_stack
from bsoid_gpu.estimators.base import CLASSIFIER, Cost, Estimator, JobSize
from bsoid_gpu.estimators.gradient_descent import adam, at_rest, corrected_step, mini_batches, split
from bsoid_gpu.estimators.network import accuracy, as_layers, gradient, initial, outputs, scaled, softmax, weight_decay
from bsoid_gpu.estimators.standard_scaler import scale_of
from bsoid_gpu.fields import setting
from bsoid_gpu.kernels.counter_rng import SHUFFLE, permutation

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.typing import Array

START_S, WEIGHT_S = 0.1, 0.9e-10  # for the cost: measured on one core of the reference machine
INDEX_BYTES = 13 * 5 * 8  # of each bin on a device: its places in thirteen fits, which are computed at once


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
        chunk = rows_per_chunk(features, max(self.mean.shape[0], *(bias.shape[0] for bias in self.biases)))
        starts = range(0, max(rows, 1), chunk)  # at least one chunk, even of no rows
        chunks = (scaled(features[i : min(i + chunk, rows), :], self.mean, self.scale) for i in starts)
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
    :func:`bsoid_gpu.estimators.gradient_descent.step_size`.

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
    _check(features, labels, n_classes, backend, features.shape[0])
    xp = array_namespace(features)
    mean, scale = scale_of(features)
    x, targets = scaled(features, mean, scale), xp.astype(labels, xp.int64)
    sizes = (features.shape[1], *settings.hidden, n_classes)
    parameters = _descend(x, targets, sizes, settings, seed, backend)
    return _perceptron(parameters, sizes, mean, scale)


def fit_parts(
    features: Array,
    labels: Array,
    n_classes: int,
    settings: PerceptronSettings,
    seed: int,
    backend: Backend,
    parts: Sequence[Array],
) -> list[Perceptron]:
    """Fit a perceptron to each of several parts of the bins, in about as many array operations as one :func:`fit`.

    Parameters
    ----------
    features, labels, n_classes, settings, seed
        As of :func:`fit`.
    backend
        Moves two numbers to the host at the start, and the step sizes to the device.
    parts
        Bins of each part, (rows,) int64.

    Returns
    -------
    list[Perceptron]
        Those of :func:`fit` for the bins of each part, up to rounding.

    Raises
    ------
    ValueError
        As :func:`fit`, for all bins.
    """
    _check(features, labels, n_classes, backend, min(part.shape[0] for part in parts))
    xp = array_namespace(features)
    mean, scale = (xp.stack(each) for each in zip(*(_scale_of_part(features, part) for part in parts), strict=True))
    sizes = (features.shape[1], *settings.hidden, n_classes)
    bins = perceptron_stack.Bins(features, xp.astype(labels, xp.int64), mean, scale)
    parameters = perceptron_stack.descend(bins, parts, sizes, settings, seed)
    return [_perceptron(parameters[i, :], sizes, mean[i, :], scale[i, :]) for i in range(len(parts))]


def _scale_of_part(features: Array, part: Array) -> tuple[Array, Array]:
    return scale_of(array_namespace(features).take(features, part, axis=0))


def _perceptron(parameters: Array, sizes: tuple[int, ...], mean: Array, scale: Array) -> Perceptron:
    weights, biases = zip(*as_layers(parameters, sizes), strict=True)
    return Perceptron(weights, biases, mean, scale)


def _check(features: Array, labels: Array, n_classes: int, backend: Backend, fewest: int) -> None:
    """Raise for bins that cannot be fitted; ``fewest`` is the number of bins of the smallest fit."""
    xp = array_namespace(features)
    if fewest == 0:
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


def _descend(
    x: Array, labels: Array, sizes: tuple[int, ...], settings: PerceptronSettings, seed: int, backend: Backend
) -> Array:
    """Parameters of the epoch with the best validation accuracy, the last in a tie."""
    xp, device = array_namespace(x), device_of(x)
    rows, validation = split(xp, x.shape[0], seed, device)
    held_out, held_out_labels = xp.take(x, validation, axis=0), xp.take(labels, validation)
    one_hot = xp.eye(sizes[-1], dtype=x.dtype, device=device)
    state = at_rest(initial(xp, sizes, seed, device))
    best_parameters = state.parameters
    bins = rows.shape[0]
    batches, largest = mini_batches(bins, settings)
    decay = weight_decay(xp, sizes, settings.l2, device)
    best, stale = -1.0, 0
    for epoch in range(settings.max_epochs):
        shuffled = xp.take(rows, permutation(xp, bins, seed, SHUFFLE + epoch, device))
        for batch in range(batches):
            chosen = shuffled[bins * batch // batches : bins * (batch + 1) // batches]
            target = xp.take(one_hot, xp.take(labels, chosen), axis=0)
            slope = gradient(state.parameters, sizes, xp.take(x, chosen, axis=0), target) + decay * state.parameters
            step = corrected_step(epoch * batches + batch, settings.max_epochs * batches, largest)
            state = adam(state, slope, step)
        score = float(backend.to_host(accuracy(as_layers(state.parameters, sizes), held_out, held_out_labels)))
        stale = 0 if score > best + settings.tolerance else stale + 1
        if score >= best:
            best, best_parameters = score, state.parameters
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
        device_bytes=size.bins * (4 * 8 * size.columns + INDEX_BYTES) + 4 * DEVICE_BYTES,
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
    fit_parts=fit_parts,
    cost=cost,
    from_arrays=Perceptron.from_arrays,
    problems=problems,
)
