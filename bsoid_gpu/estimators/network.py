"""Layers of a multilayer perceptron, and its gradient by back-propagation.

All parameters are one vector: for each layer the weights (inputs, units), then the biases (units,). Several networks of
the same sizes are computed at once where the arrays have leading axes, "..." in the shapes below.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from array_api_compat import array_namespace

from bsoid_gpu.estimators.standard_scaler import standardise
from bsoid_gpu.kernels.counter_rng import WEIGHTS, uniform

if TYPE_CHECKING:
    from types import ModuleType

    from bsoid_gpu.typing import Array

    Layers = list[tuple[Array, Array]]


def scaled(features: Array, mean: Array, scale: Array) -> Array:
    """Input of the first layer: standardised in float64, returned as float32."""
    xp = array_namespace(features)
    return xp.astype(standardise(features, mean, scale), xp.float32)


def as_layers(parameters: Array, sizes: tuple[int, ...]) -> Layers:
    """Weights (..., inputs, units) and bias (..., units) of each layer, as views of (..., parameters)."""
    xp = array_namespace(parameters)
    layers, start = [], 0
    for inputs, units in pairwise(sizes):
        stop = start + (inputs + 1) * units
        block = xp.reshape(parameters[..., start:stop], (*parameters.shape[:-1], inputs + 1, units))
        layers.append((block[..., :-1, :], block[..., -1, :]))
        start = stop
    return layers


def outputs(layers: Layers, x: Array) -> list[Array]:
    """Input x (..., rows, columns), output of each hidden layer (..., rows, units), and logits (..., rows, classes)."""
    xp = array_namespace(x)
    activations = [x]
    for weights, bias in layers[:-1]:
        activations.append(xp.maximum(activations[-1] @ weights + bias[..., None, :], 0))
    weights, bias = layers[-1]
    return [*activations, activations[-1] @ weights + bias[..., None, :]]


def softmax(logits: Array) -> Array:
    """Probabilities (..., classes) from logits."""
    xp = array_namespace(logits)
    odds = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    return odds / xp.sum(odds, axis=-1, keepdims=True)


def correct(layers: Layers, x: Array, labels: Array) -> Array:
    """Whether the most probable class of each row is its label: (..., rows) of the type of x."""
    xp = array_namespace(x)
    return xp.astype(xp.argmax(outputs(layers, x)[-1], axis=-1) == labels, x.dtype)


def accuracy(layers: Layers, x: Array, labels: Array) -> Array:
    """Share of the rows whose most probable class is their label: (...,) on the device."""
    return array_namespace(x).mean(correct(layers, x, labels), axis=-1)


def gradient(
    parameters: Array, sizes: tuple[int, ...], x: Array, target: Array, rows: Array | int | None = None
) -> Array:
    """Gradient of the mean cross-entropy of rows, by back-propagation: (..., parameters).

    Parameters
    ----------
    parameters, sizes
        See :func:`as_layers`.
    x
        (..., rows, columns).
    target
        (..., rows, classes), the one-hot label.
    rows
        Number of rows that the mean is of, by default all; (..., rows, 1) if it differs between networks, infinite for
        a row that does not count.
    """
    xp = array_namespace(x)
    layers = as_layers(parameters, sizes)
    *inputs, logits = outputs(layers, x)
    delta = (softmax(logits) - target) / (x.shape[-2] if rows is None else rows)
    parts: list[Array] = []
    for i in reversed(range(len(layers))):
        slope = xp.matrix_transpose(inputs[i]) @ delta
        parts = [xp.reshape(slope, (*slope.shape[:-2], -1)), xp.sum(delta, axis=-2), *parts]
        if i > 0:
            active = xp.astype(inputs[i] > 0, delta.dtype)  # a product is ten times as fast as xp.where
            delta = (delta @ xp.matrix_transpose(layers[i][0])) * active
    return xp.concat(parts, axis=-1)


def weight_decay(xp: ModuleType, sizes: tuple[int, ...], l2: float, device: object = None) -> Array:
    """Coefficient of the L2 penalty, (parameters,) float32: ``l2`` for a weight, 0 for a bias, as in scikit-learn."""
    parts = [
        xp.full(count, decay, dtype=xp.float32, device=device)
        for inputs, units in pairwise(sizes)
        for count, decay in ((inputs * units, l2), (units, 0.0))
    ]
    return xp.concat(parts)


def initial(xp: ModuleType, sizes: tuple[int, ...], seed: int, device: object = None) -> Array:
    """Initial parameters: weights uniform within ``sqrt(6 / inputs)`` of 0 (He et al. 2015), biases 0."""
    inputs_units = list(pairwise(sizes))
    random = uniform(xp, sum(inputs * units for inputs, units in inputs_units), seed, WEIGHTS, device)
    parts, start = [], 0
    for inputs, units in inputs_units:
        stop = start + inputs * units
        parts.append((2 * random[start:stop] - 1) * math.sqrt(6 / inputs))
        parts.append(xp.zeros(units, dtype=xp.float32, device=device))
        start = stop
    return xp.concat(parts)
