"""The adaptive likelihood filter: below a keypoint's threshold, its last good position is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from array_api_compat import array_namespace
from array_api_compat import device as device_of

if TYPE_CHECKING:
    from bsoid_gpu.typing import Array


def all_coordinates(position: Array, test: Callable[[Array], Array]) -> Array:
    """Where all coordinates pass a test: (..., keypoints) bool from (..., keypoints, space)."""
    passed = test(position[..., 0])
    for i in range(1, position.shape[-1]):  # a reduction of so short an axis is slower
        passed = passed & test(position[..., i])
    return passed


def present(position: Array) -> Array:
    """Where a position is not missing: (..., keypoints) bool from (..., keypoints, space)."""
    xp = array_namespace(position)
    return all_coordinates(position, lambda x: ~xp.isnan(x))


def thresholds(confidence: Array, seen: Array, bins: int = 10) -> Array:
    """Likelihood threshold of each keypoint, from the shape of its histogram.

    The histogram has ``bins`` equal bins between the smallest and the largest likelihood. Let r be the bins i
    whose right neighbour holds at least as many frames. The threshold is the left edge of bin r[0] if r[0] > 1,
    else of r[1]: the first bin after the fall from the lowest likelihoods where the counts rise again
    (Hsu & Yttri 2021). Where r[1] does not exist, r[0] is taken; where r is empty, nothing is below the threshold.

    Parameters
    ----------
    confidence
        (frames, keypoints) likelihoods; the method leaves out the first frame of each session.
    seen
        (frames, keypoints) bool; frames without a position do not count.
    bins
        Number of bins of the histogram.

    Returns
    -------
    Array
        (keypoints,) float64.
    """
    xp = array_namespace(confidence)
    lowest = xp.min(xp.where(seen, confidence, xp.inf), axis=0)
    highest = xp.max(xp.where(seen, confidence, -xp.inf), axis=0)
    constant = lowest == highest
    lowest = xp.where(constant, lowest - 0.5, lowest)  # a range of zero is widened to 1
    highest = xp.where(constant, highest + 0.5, highest)
    number = xp.arange(bins, dtype=confidence.dtype, device=device_of(confidence))[:, None]
    edges = number * ((highest - lowest) / bins) + lowest  # left edges (bins, keypoints)

    at_or_above = xp.stack(
        [xp.sum(xp.astype(seen & (confidence >= edges[i, :]), xp.int64), axis=0) for i in range(bins)]
    )
    counts = xp.concat([at_or_above[:-1, :] - at_or_above[1:, :], at_or_above[-1:, :]])
    rises = counts[1:, :] >= counts[:-1, :]
    index = number[:-1, :]
    first = xp.min(xp.where(rises, index, xp.inf), axis=0)
    second = xp.min(xp.where(rises & (index > first), index, xp.inf), axis=0)
    chosen = xp.where((first > 1) | xp.isinf(second), first, second)
    chosen = xp.where(xp.isinf(chosen), xp.zeros_like(chosen), chosen)
    return xp.sum(xp.where(number == chosen, edges, xp.zeros_like(edges)), axis=0)


def hold_last_good(position: Array, confidence: Array, threshold: Array) -> Array:
    """Replace positions below the threshold by the last position at or above it.

    Frame 0 is good if it has a position. Frames before the first good one get its position; if no frame is good, they
    get the first position that is not missing.

    Parameters
    ----------
    position
        (frames, keypoints, space) px; NaN where missing.
    confidence
        (frames, keypoints).
    threshold
        (keypoints,), see :func:`thresholds`.

    Returns
    -------
    Array
        (frames, keypoints, space) px without NaN, if every keypoint has a position in some frame.
    """
    xp = array_namespace(position)
    frames, keypoints, space = position.shape
    seen = present(position)
    frame = xp.arange(frames, device=device_of(position))[:, None]
    good = seen & ((confidence >= threshold) | (frame == 0))
    last = running_maximum(xp.where(good, frame, -1))
    first_seen = xp.min(xp.where(seen, frame, frames - 1), axis=0)
    first_good = xp.min(xp.where(good, frame, frames), axis=0)
    first = xp.where(first_good < frames, first_good, first_seen)
    source = xp.where(last < 0, first, last)
    rows = source * keypoints + xp.arange(keypoints, device=device_of(position))
    held = xp.take(xp.reshape(position, (frames * keypoints, space)), xp.reshape(rows, (-1,)), axis=0)
    return xp.reshape(held, (frames, keypoints, space))


def running_maximum(x: Array) -> Array:
    """Cumulative maximum along the first axis, by doubling the reach (the array API standard has none)."""
    xp = array_namespace(x)
    reach = 1
    while reach < x.shape[0]:
        x = xp.concat([x[:reach, ...], xp.maximum(x[reach:, ...], x[:-reach, ...])])
        reach *= 2
    return x
