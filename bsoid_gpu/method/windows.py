"""The time base at any frame rate: smoothing windows, training bins, and windows centred on a frame.

Frame r has time r, in frames. Step s joins frames s and s+1 and has time s + 1/2. A window is a range
``start <= index < stop`` of frames or of steps; its ``width`` is a number of frames.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from array_api_compat import array_namespace
from array_api_compat import device as device_of

if TYPE_CHECKING:
    from types import ModuleType

    from bsoid_gpu.typing import Array


class Windows(NamedTuple):
    """Ranges of samples: ``start`` and ``stop`` (windows,) int64, and the length of the longest."""

    start: Array
    stop: Array
    longest: int


def smoothing_frames(fps: float, smoothing_s: float = 0.05) -> int:
    """Width of the moving mean, ``2 round(smoothing_s fps) - 1`` frames (half to even) and at least 1: no smoothing."""
    return max(1, 2 * round(smoothing_s * fps) - 1)


def bin_edges(xp: ModuleType, steps: int, bin_frames: float, device: object = None, *, phase: float = 0.0) -> Array:
    """First step of each complete bin, and the end of the last: (bins + 1,) int64.

    Bin b covers the steps ``round((b + phase) * bin_frames) <= s < round((b + 1 + phase) * bin_frames)``. Halves are
    rounded to even, as in the method; with a phase up, so that bins of an odd number of frames keep their length.

    Parameters
    ----------
    xp, device
        Array library and device of the result.
    steps
        Steps of the session.
    bin_frames
        Length of a bin in frames.
    phase
        Share of a bin, from 0 to below 1, by which all bins begin later.
    """
    bins = complete_bins(steps, bin_frames, phase)
    number = xp.arange(bins + 1, dtype=xp.float64, device=device)
    edges = (number + phase) * bin_frames
    return xp.astype(xp.floor(edges + 0.5) if phase else xp.round(edges), xp.int64)


def complete_bins(steps: int, bin_frames: float, phase: float = 0.0) -> int:
    """Number of complete bins, see :func:`bin_edges`."""
    bins = int(steps / bin_frames) + 1  # one too many if the last is incomplete
    while bins > 0 and first_step(bins, bin_frames, phase) > steps:
        bins -= 1
    return bins


def bin_centres(steps: int, bin_frames: float, phase: float = 0.0) -> list[int]:
    """The frame at the centre of each complete bin: :func:`centred_windows` of its length there is the bin."""
    edges = [first_step(number, bin_frames, phase) for number in range(complete_bins(steps, bin_frames, phase) + 1)]
    return [(start + stop + 1) // 2 for start, stop in pairwise(edges)]


def first_step(number: int, bin_frames: float, phase: float = 0.0) -> int:
    """First step of a bin, see :func:`bin_edges`."""
    edge = (number + phase) * bin_frames
    return math.floor(edge + 0.5) if phase else round(edge)


def bins_between(edges: Array, first_step: int, bin_frames: float) -> Windows:
    """Bins as windows of samples that begin with step ``first_step``."""
    return Windows(edges[:-1] - first_step, edges[1:] - first_step, math.ceil(bin_frames) + 1)


def moving_windows(at: Array, samples: int, width: int) -> Windows:
    """``width`` (odd) samples around each index, fewer at both ends: pandas' ``rolling(center=True)``."""
    xp = array_namespace(at)
    half = width // 2
    return Windows(xp.maximum(at - half, 0), xp.minimum(at + half + 1, samples), width)


def symmetric_windows(at: Array, samples: int, width: int) -> Windows:
    """``width`` (odd) samples around each index, fewer *on both sides* near an end: windows stay centred."""
    xp = array_namespace(at)
    half = xp.minimum(xp.minimum(at, samples - 1 - at), width // 2)
    return Windows(at - half, at + half + 1, width)


def centred_windows(at: Array, frames: int, bin_frames: float) -> tuple[Windows, Windows]:
    """Windows of one bin's length centred on frames, over the frames and over the steps.

    The window of frame r has W steps from ``s = r - ceil(W/2)`` on, and their end frames ``s + 1``, as a training bin
    does; W is the length of a bin, rounded. The mean time of both is r within half a frame. Near the ends W shrinks
    to what fits around r: no window is padded or off centre.

    Parameters
    ----------
    at
        (windows,) int64 frame numbers.
    frames
        Frames of the session, at least 2.
    bin_frames
        Length of a bin in frames, ``fps / 10`` for 100 ms.

    Returns
    -------
    tuple[Windows, Windows]
        Windows of frames (for distances) and of steps (for turns and displacements).
    """
    xp = array_namespace(at)
    width = max(1, round(bin_frames))
    fits = xp.minimum(2 * xp.minimum(at, frames - 1 - at) + 1, width)
    start = at - (fits + 1) // 2
    of_frames = Windows(start + 1, start + 1 + fits, width)
    of_steps = Windows(xp.maximum(start, 0), xp.maximum(start + fits, 1), width)
    return of_frames, of_steps


def shifted(windows: Windows, first: int) -> Windows:
    """The same windows in samples that begin with sample ``first``."""
    return Windows(windows.start - first, windows.stop - first, windows.longest)


def window_means(samples: Array, windows: Windows) -> Array:
    """Mean of the samples in each window: (windows, columns) from (samples, columns).

    Samples are added in the order of time, so that a mean does not depend on samples outside its window and a constant
    column stays exactly constant.
    """
    xp = array_namespace(samples)
    start, stop, longest = windows
    total = xp.take(samples, start, axis=0)
    for k in range(1, longest):
        at = xp.minimum(start + k, samples.shape[0] - 1)
        inside = (start + k < stop)[:, None]
        total += xp.where(
            inside, xp.take(samples, at, axis=0), xp.zeros((), dtype=samples.dtype, device=device_of(samples))
        )
    return total / xp.astype(stop - start, samples.dtype)[:, None]
