"""Fits of perceptrons to several parts of the bins, as one computation on arrays with an axis of fits.

On a GPU a fit of this size is bound by the launches of its kernels, and a launch for all fits costs as much as for one.
After the step sizes, nothing moves between host and device.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.backends.chunks import rows_per_chunk
from bsoid_gpu.estimators.gradient_descent import State, adam, at_rest, corrected_step, mini_batches, split
from bsoid_gpu.estimators.network import as_layers, correct, gradient, initial, scaled, weight_decay
from bsoid_gpu.kernels.counter_rng import SHUFFLE, permutation

if TYPE_CHECKING:
    from types import ModuleType

    from bsoid_gpu.estimators.perceptron import PerceptronSettings
    from bsoid_gpu.typing import Array


class Bins(NamedTuple):
    """Features (bins, columns) and labels (bins,) of all bins, and the mean and scale (fits, columns) of each part."""

    features: Array
    labels: Array
    mean: Array
    scale: Array

    def inputs(self, at: Array) -> Array:
        """Input of the first layer from the bins ``at`` (fits, rows): (fits, rows, columns) float32."""
        return scaled(_take(self.features, at), self.mean[:, None, :], self.scale[:, None, :])


class Padded(NamedTuple):
    """Mini-batches of all fits, padded to the same size and number; those beyond the number of a fit are not used.

    ``at`` (batches, fits, rows) int64 are places among the rows of all fits, one fit after another; ``rows`` (batches,
    fits, rows, 1) float32 is the number of rows of the mini-batch, infinite for padding.
    """

    at: Array
    rows: Array


class Validation(NamedTuple):
    """Held-out bins of each fit (fits, rows) int64, padded to the same number; ``weight`` is 1, of padding 0."""

    at: Array
    weight: Array


class Best(NamedTuple):
    """Of each fit: its best accuracy (fits,) float64, the parameters then, and the epochs (fits,) int64 since then."""

    accuracy: Array
    parameters: Array
    stale: Array


def descend(
    bins: Bins, parts: Sequence[Array], sizes: tuple[int, ...], settings: PerceptronSettings, seed: int
) -> Array:
    """Parameters (fits, parameters) of each fit's epoch with the best validation accuracy, the last in a tie.

    All fits run for as many epochs as a fit can; the parameters of a fit that would have stopped no longer count. In
    an epoch, fits with fewer mini-batches wait for those with more.

    Parameters
    ----------
    bins
        All bins.
    parts
        Bins of each fit, (rows,) int64.
    sizes
        Columns, units of each hidden layer, and classes.
    settings, seed
        As of a single fit.
    """
    xp, device = array_namespace(bins.features), device_of(bins.features)
    splits = [split(xp, part.shape[0], seed, device) for part in parts]
    training = [xp.take(part, rows) for part, (rows, _) in zip(parts, splits, strict=True)]
    validation = _validation([xp.take(part, rows) for part, (_, rows) in zip(parts, splits, strict=True)])
    counts = [rows.shape[0] for rows in training]
    numbers, largest = zip(*(mini_batches(count, settings) for count in counts), strict=True)
    padded = _padded(xp, counts, numbers, device)
    steps = xp.asarray(_steps(numbers, largest, settings.max_epochs), dtype=xp.float32, device=device)[..., None]
    one_hot = xp.eye(sizes[-1], dtype=xp.float32, device=device)
    decay = weight_decay(xp, sizes, settings.l2, device)
    state = at_rest(xp.stack([initial(xp, sizes, seed, device)] * len(parts)))
    none = xp.full(len(parts), -1.0, dtype=xp.float64, device=device)
    best = Best(none, state.parameters, xp.zeros_like(none, dtype=xp.int64))
    for epoch in range(settings.max_epochs):
        order = {count: permutation(xp, count, seed, SHUFFLE + epoch, device) for count in set(counts)}
        shuffled = xp.concat([xp.take(rows, order[rows.shape[0]]) for rows in training])
        chosen = _take(shuffled, padded.at)
        for batch in range(max(numbers)):
            at, step = chosen[batch, ...], steps[epoch, batch, ...]
            target = _take(one_hot, _take(bins.labels, at))
            slope = gradient(state.parameters, sizes, bins.inputs(at), target, padded.rows[batch, ...])
            updated = adam(state, slope + decay * state.parameters, step)
            state = updated if batch < min(numbers) else _where(step > 0, updated, state)
        best = _better(best, _accuracy(state.parameters, sizes, bins, validation), state.parameters, settings)
    return best.parameters


def _take(values: Array, at: Array) -> Array:
    """``values[at]`` for an index of several axes."""
    xp = array_namespace(values)
    return xp.reshape(xp.take(values, xp.reshape(at, (-1,)), axis=0), (*at.shape, *values.shape[1:]))


def _where(condition: Array, updated: State, state: State) -> State:
    xp = array_namespace(condition)
    return State(*(xp.where(condition, new, old) for new, old in zip(updated, state, strict=True)))


def _padded(xp: ModuleType, counts: Sequence[int], numbers: Sequence[int], device: object) -> Padded:
    """Mini-batches of fits with ``counts`` rows, in ``numbers`` of them; padding repeats rows of the same fit."""
    batch = xp.arange(max(numbers), device=device)[:, None]
    longest = max(-(-count // number) for count, number in zip(counts, numbers, strict=True))
    place = xp.arange(longest, device=device)[None, :]
    at, rows = [], []
    for first, count, number in zip(accumulate([0, *counts]), counts, numbers, strict=False):
        start, stop = count * batch // number, count * (batch + 1) // number
        at.append(first + xp.minimum(start + place, count - 1))
        rows.append(xp.where(start + place < stop, xp.astype(stop - start, xp.float32), xp.inf))
    return Padded(xp.stack(at, axis=1), xp.stack(rows, axis=1)[..., None])


def _validation(validation: Sequence[Array]) -> Validation:
    """From the held-out bins of each fit."""
    xp, counts = array_namespace(validation[0]), [bins.shape[0] for bins in validation]
    at, rows = _padded(xp, counts, [1] * len(counts), device_of(validation[0]))
    inside = xp.isfinite(rows[0, ..., 0])
    return Validation(_take(xp.concat(validation), at[0, ...]), xp.astype(inside, xp.float32))


def _steps(numbers: Sequence[int], largest: Sequence[float], epochs: int) -> list[list[list[float]]]:
    """Step sizes (epochs, batches, fits) of fits with ``numbers`` of mini-batches; 0 where a fit has no such one."""
    fits = list(zip(numbers, largest, strict=True))
    return [
        [
            [
                corrected_step(epoch * number + batch, epochs * number, most) if batch < number else 0.0
                for number, most in fits
            ]
            for batch in range(max(numbers))
        ]
        for epoch in range(epochs)
    ]


def _accuracy(parameters: Array, sizes: tuple[int, ...], bins: Bins, validation: Validation) -> Array:
    """Share of the held-out bins of each fit whose most probable class is their label: (fits,) float64."""
    xp, layers = array_namespace(parameters), as_layers(parameters, sizes)
    fits, rows = validation.at.shape
    chunk = rows_per_chunk(parameters, fits * max(sizes))
    right = xp.zeros_like(parameters[:, 0])
    for start in range(0, rows, chunk):
        at, weight = (each[:, start : min(start + chunk, rows)] for each in validation)
        right = right + xp.sum(weight * correct(layers, bins.inputs(at), _take(bins.labels, at)), axis=1)
    return xp.astype(right / xp.sum(validation.weight, axis=1), xp.float64)


def _better(best: Best, accuracy: Array, parameters: Array, settings: PerceptronSettings) -> Best:
    """The best after another epoch; of a fit without progress for too long, that of before."""
    xp = array_namespace(accuracy)
    running = best.stale < settings.patience
    gained = running & (accuracy > best.accuracy + settings.tolerance)
    kept = running & (accuracy >= best.accuracy)
    return Best(
        xp.where(kept, accuracy, best.accuracy),
        xp.where(kept[:, None], parameters, best.parameters),
        xp.where(gained, 0, best.stale + 1),
    )
