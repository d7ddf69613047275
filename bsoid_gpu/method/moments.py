"""Means and standard deviations in windows of any length, by doubling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from array_api_compat import array_namespace
from array_api_compat import device as device_of

if TYPE_CHECKING:
    from bsoid_gpu.method.windows import Windows
    from bsoid_gpu.typing import Array


class Moments(NamedTuple):
    """Mean, and sum of the squared deviations from it, of sets of samples: (sets, columns) each."""

    mean: Array
    squares: Array


class JoinedBlocks(NamedTuple):
    """Moments of the first ``count`` (windows, 1) float64 samples of each window."""

    count: Array
    moments: Moments


def window_moments(samples: Array, windows: Sequence[Windows]) -> list[tuple[Array, Array]]:
    """Mean and (population) standard deviation of the samples in each window, for several sets of windows.

    Blocks of 1, 2, 4, ... samples are joined in pairs, and a window from the blocks of the binary digits of its length,
    the shortest first, by the formula for the moments of two sets together (Chan, Golub & LeVeque 1979). So the work
    grows with the logarithm of the length, nothing cancels, and a result depends on nothing but the samples of the
    window: a constant column has exactly that mean, and the deviation 0.

    Parameters
    ----------
    samples
        (samples, columns) float64, finite.
    windows
        Sets of windows, none of them empty.

    Returns
    -------
    list[tuple[Array, Array]]
        For each set, means and deviations (windows, columns).
    """
    xp = array_namespace(samples)
    blocks, size = Moments(samples, xp.zeros_like(samples)), 1
    joined = [_nothing(samples, one) for one in windows]
    longest = max((one.longest for one in windows), default=0)
    while size <= min(longest, samples.shape[0]):
        if size > 1:
            blocks = _doubled(blocks, size // 2)
        joined = [
            _with_block(part, one, blocks, size) if size <= one.longest else part
            for part, one in zip(joined, windows, strict=True)
        ]
        size *= 2
    return [(part.moments.mean, xp.sqrt(part.moments.squares / part.count)) for part in joined]


def _nothing(samples: Array, windows: Windows) -> JoinedBlocks:
    xp, device = array_namespace(samples), device_of(samples)
    number = windows.start.shape[0]
    zeros = xp.zeros((number, samples.shape[1]), dtype=samples.dtype, device=device)
    return JoinedBlocks(xp.zeros((number, 1), dtype=samples.dtype, device=device), Moments(zeros, zeros))


def _doubled(blocks: Moments, size: int) -> Moments:
    """Moments of the blocks of twice the ``size``, from every sample on that has so many after it."""
    mean, squares = blocks
    delta = mean[size:, :] - mean[:-size, :]
    return Moments(mean[:-size, :] + delta / 2, squares[:-size, :] + squares[size:, :] + delta * delta * (size / 2))


def _with_block(joined: JoinedBlocks, windows: Windows, blocks: Moments, size: int) -> JoinedBlocks:
    """The windows with their next block, of this size; without it where their length has no such binary digit."""
    xp = array_namespace(joined.count)
    count, (mean, squares) = joined
    has = (windows.stop - windows.start) // size % 2
    next_sample = windows.start + xp.astype(count[:, 0], xp.int64)
    at = xp.minimum(next_sample, blocks.mean.shape[0] - 1)  # of a window without the block it can be beyond the last
    present = xp.astype(has, count.dtype)[:, None]
    total = count + present * size
    share = present * size / xp.maximum(total, 1.0)
    delta = xp.take(blocks.mean, at, axis=0) - mean
    squares = squares + present * xp.take(blocks.squares, at, axis=0) + delta * delta * (count * share)
    return JoinedBlocks(total, Moments(mean + delta * share, squares))
