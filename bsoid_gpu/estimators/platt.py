"""Probabilities from decision values: a sigmoid for each pair of classes (Platt 1999), fitted on the host.

The fit is Newton's method with backtracking in the form of Lin, Lin & Weng (2007), which neither overflows nor loses
the digits of small probabilities; all pairs advance together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MOST_STEPS, SMALLEST_STEP = 100, 1e-10
RIDGE, GRADIENT, DECREASE = 1e-12, 1e-5, 1e-4  # as published


def sigmoids(values: Numbers, positive: Flags, pair: NDArray[np.int64], pairs: int) -> tuple[Numbers, Numbers]:
    """Slope a and offset b of each pair: the probability of the first class is 1 / (1 + exp(a value + b)).

    Parameters
    ----------
    values
        (values,) decision values of held-out bins, positive for the first class.
    positive
        (values,) whether the bin is of the first class.
    pair
        (values,) the pair that the value belongs to.
    pairs
        Number of pairs. A pair without values gets slope 0 and offset 0: probability one half.

    Returns
    -------
    tuple
        (pairs,) each.
    """

    def total(terms: Numbers) -> Numbers:
        return np.bincount(pair, terms, minlength=pairs).astype(np.float64)

    ones = total(positive.astype(np.float64))
    zeros = total(np.ones(len(values))) - ones
    # not 1 and 0, as the values are few
    target = np.where(positive, ((ones + 1) / (ones + 2))[pair], (1 / (zeros + 2))[pair])

    def loss(a: Numbers, b: Numbers) -> Numbers:
        exponent = a[pair] * values + b[pair]
        return total(target * exponent + np.maximum(-exponent, 0.0) + np.log1p(np.exp(-np.abs(exponent))))

    a, b = np.zeros(pairs), np.log((zeros + 1) / (ones + 1))
    b[ones + zeros == 0] = 0.0
    current = loss(a, b)
    active = ones + zeros > 0
    for _ in range(MOST_STEPS):
        exponent = a[pair] * values + b[pair]
        decay = np.exp(-np.abs(exponent))
        p = np.where(exponent >= 0, decay, 1.0) / (1.0 + decay)
        spread = decay / (1.0 + decay) ** 2
        by_a, by_b = total(values * (target - p)), total(target - p)
        active &= (np.abs(by_a) >= GRADIENT) | (np.abs(by_b) >= GRADIENT)
        if not active.any():
            break
        aa, ab, bb = total(values * values * spread) + RIDGE, total(values * spread), total(spread) + RIDGE
        determinant = aa * bb - ab * ab
        step_a, step_b = -(bb * by_a - ab * by_b) / determinant, -(aa * by_b - ab * by_a) / determinant
        slope = by_a * step_a + by_b * step_b
        a, b, current, moved = _line_search(loss, (a, b), (step_a, step_b), slope, current, active)
        active &= moved
    return a, b


def _line_search(
    loss: Callable[[Numbers, Numbers], Numbers],
    point: tuple[Numbers, Numbers],
    step: tuple[Numbers, Numbers],
    slope: Numbers,
    current: Numbers,
    active: Flags,
) -> tuple[Numbers, Numbers, Numbers, Flags]:
    """For each active pair the longest of the steps 1, 1/2, 1/4, ... that decreases the loss enough, if any does."""
    (a, b), (step_a, step_b) = point, step
    length, open_ = 1.0, active.copy()
    a, b, current, moved = a.copy(), b.copy(), current.copy(), np.zeros_like(active)
    while open_.any() and length >= SMALLEST_STEP:
        new_a, new_b = np.where(open_, a + length * step_a, a), np.where(open_, b + length * step_b, b)
        after = loss(new_a, new_b)
        better = open_ & (after < current + DECREASE * length * slope)
        a, b, current = np.where(better, new_a, a), np.where(better, new_b, b), np.where(better, after, current)
        moved |= better
        open_ &= ~better
        length /= 2
    return a, b, current, moved
