"""Gradient descent in mini-batches: the rows of a fit, its mini-batches, step sizes, and updates by Adam."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from array_api_compat import array_namespace

from bsoid_gpu.kernels.counter_rng import SPLIT, permutation

if TYPE_CHECKING:
    from types import ModuleType

    from bsoid_gpu.estimators.perceptron import PerceptronSettings
    from bsoid_gpu.typing import Array

VALIDATION_SHARE = 0.1
WARM_UP = 0.2  # share of the updates with increasing step size
FULL_BATCH = 1024  # bins; in smaller batches the step size falls with the square root of their size
EPOCH_UPDATES = 50  # at least, with smaller batches if necessary: a fit to few bins has to converge too
MEAN_DECAY, SQUARE_DECAY, EPSILON = 0.9, 0.999, 1e-8  # Adam's


def split(xp: ModuleType, bins: int, seed: int, device: object = None) -> tuple[Array, Array]:
    """Bins for training and a random tenth for validation, (rows,) int64 each; of fewer than ten bins, all for both."""
    order = permutation(xp, bins, seed, SPLIT, device)
    held_out = int(VALIDATION_SHARE * bins)
    return order[held_out:], order[:held_out] if held_out else order


def mini_batches(bins: int, settings: PerceptronSettings) -> tuple[int, float]:
    """Number of mini-batches of an epoch of ``bins`` bins, and the largest step size for batches of that size."""
    batches = math.ceil(bins / min(settings.batch, math.ceil(bins / EPOCH_UPDATES)))
    return batches, settings.learning_rate * min(1.0, math.sqrt(bins / batches / FULL_BATCH))


def step_size(update: int, updates: int, largest: float) -> float:
    """Step size of an update, counted from 0: rises linearly to ``largest``, then falls linearly to 0."""
    done = (update + 0.5) / updates
    return largest * min(done / WARM_UP, (1 - done) / (1 - WARM_UP))


def corrected_step(update: int, updates: int, largest: float) -> float:
    """The :func:`step_size` with Adam's bias corrections (Kingma & Ba 2015, section 2): its means start from 0."""
    correction = math.sqrt(1 - SQUARE_DECAY ** (update + 1)) / (1 - MEAN_DECAY ** (update + 1))
    return step_size(update, updates, largest) * correction


class State(NamedTuple):
    """Parameters of a fit, with Adam's running means of their gradient and of its square."""

    parameters: Array
    mean: Array
    square: Array


def at_rest(parameters: Array) -> State:
    """The state before the first update."""
    xp = array_namespace(parameters)
    return State(parameters, xp.zeros_like(parameters), xp.zeros_like(parameters))


def adam(state: State, slope: Array, step: float | Array) -> State:
    """State after an update with the gradient ``slope`` (Kingma & Ba 2015, section 2).

    ``step`` is a :func:`corrected_step`.
    """
    xp = array_namespace(slope)
    mean = MEAN_DECAY * state.mean + (1 - MEAN_DECAY) * slope
    square = SQUARE_DECAY * state.square + (1 - SQUARE_DECAY) * slope * slope
    return State(state.parameters - step * mean / (xp.sqrt(square) + EPSILON), mean, square)
