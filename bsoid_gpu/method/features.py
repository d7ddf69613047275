"""Pose features of each frame, of 100 ms bins, and of 100 ms windows centred on each frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.backends.chunks import rows_per_chunk
from bsoid_gpu.method import windows as w
from bsoid_gpu.method.multiscale import multiscale_features
from bsoid_gpu.method.quantities import all_quantities

if TYPE_CHECKING:
    from bsoid_gpu.method.quantities import Quantities
    from bsoid_gpu.settings.schema import Features
    from bsoid_gpu.typing import Array

    MovingWindows = Callable[[Array, int, int], w.Windows]


def _distances(position: Array, quantities: Quantities, frames: range, width: int, smooth: MovingWindows) -> Array:
    """Smoothed quantities of the ``frames``: (frames, distances) px."""
    lo, hi = max(frames.start - width // 2, 0), min(frames.stop + width // 2, position.shape[0])
    return _smooth(quantities.at_frames(position[lo:hi, ...]), lo, frames, position.shape[0], width, smooth)


def _movements(position: Array, quantities: Quantities, steps: range, width: int, smooth: MovingWindows) -> Array:
    """Smoothed quantities of the ``steps``: (steps, turns in degrees and displacements in px)."""
    lo, hi = max(steps.start - width // 2, 0), min(steps.stop + width // 2, position.shape[0] - 1)
    return _smooth(quantities.at_steps(position[lo : hi + 1, ...]), lo, steps, position.shape[0] - 1, width, smooth)


def _smooth(raw: Array, offset: int, at: range, samples: int, width: int, smooth: MovingWindows) -> Array:
    """Moving mean at the indices ``at`` of a signal of ``samples``; ``raw`` is its part from ``offset`` on."""
    if width == 1:
        return raw[at.start - offset : at.stop - offset, ...]
    xp = array_namespace(raw)
    start, stop, longest = smooth(xp.arange(at.start, at.stop, device=device_of(raw)), samples, width)
    return w.window_means(raw, w.Windows(start - offset, stop - offset, longest))


def bin_features(
    position: Array, fps: float, settings: Features, quantities: Quantities | None = None, *, phase: float = 0.0
) -> Array:
    """Features of each complete 100 ms bin, for training.

    Mean of the distances, sum of the turns and of the displacements. A sum is the mean times the nominal length of a
    bin, so that bins of 2 and of 3 frames have one scale. With ``scales_s``, the rows of
    :func:`bsoid_gpu.method.multiscale.multiscale_features` at the centres of the bins.

    Parameters
    ----------
    position
        (frames, keypoints, 2 or 3) px, or the unit of the file, without NaN.
    fps
        Frames per second.
    settings
        Lengths of the smoothing window and of a bin.
    quantities
        What the features are of; by default those of all pairs.
    phase
        Share of a bin by which the bins begin later, see :func:`bsoid_gpu.method.windows.bin_edges`.

    Returns
    -------
    Array
        (bins, columns) float64 in the order of :func:`bsoid_gpu.method.columns.feature_columns`.
    """
    xp = array_namespace(position)
    quantities = quantities or all_quantities(position.shape[1])
    bin_frames = fps * settings.bin_s
    if settings.scales_s:
        centres = w.bin_centres(position.shape[0] - 1, bin_frames, phase)
        rows = list(multiscale_features(position, fps, settings, quantities, centres))
        return _joined(rows, position, quantities, settings)
    width = w.smoothing_frames(fps, settings.smoothing_s)
    edges = w.bin_edges(xp, position.shape[0] - 1, bin_frames, device_of(position), phase=phase)
    rows = []
    for first, last in _chunks(position, quantities, edges.shape[0] - 1, bin_frames):
        steps = range(w.first_step(first, bin_frames, phase), w.first_step(last, bin_frames, phase))
        frames = range(steps.start + 1, steps.stop + 1)  # a step's distance is that of its end frame
        bins = w.bins_between(edges[first : last + 1], steps.start, bin_frames)
        rows.append(
            _row(
                w.window_means(_distances(position, quantities, frames, width, w.moving_windows), bins),
                w.window_means(_movements(position, quantities, steps, width, w.moving_windows), bins),
                bin_frames,
            )
        )
    return _joined(rows, position, quantities, settings)


def _joined(rows: list[Array], position: Array, quantities: Quantities, settings: Features) -> Array:
    """All rows; of positions without a bin, none."""
    xp = array_namespace(position)
    columns = len(quantities.listed()) * (1 + 2 * len(settings.scales_s))
    return xp.concat(rows) if rows else xp.zeros((0, columns), dtype=xp.float64, device=device_of(position))


def window_features(
    position: Array, fps: float, settings: Features, quantities: Quantities | None = None
) -> Iterator[Array]:
    """Features of the 100 ms window centred on each frame, for prediction, chunk by chunk.

    Same columns as :func:`bin_features`. Windows stay centred at the ends of a session.

    Yields
    ------
    Array
        (frames of the chunk, columns) float64; all chunks together have one row per frame.
    """
    xp = array_namespace(position)
    quantities = quantities or all_quantities(position.shape[1])
    bin_frames, total = fps * settings.bin_s, position.shape[0]
    if settings.scales_s:
        yield from multiscale_features(position, fps, settings, quantities, range(total))
        return
    width = w.smoothing_frames(fps, settings.smoothing_s)
    reach = math.ceil(bin_frames / 2) + 1
    for first, last in _chunks(position, quantities, total, 1.0):
        at = xp.arange(first, last, device=device_of(position))
        of_frames, of_steps = w.centred_windows(at, total, bin_frames)
        frames = range(max(first - reach, 0), min(last + reach, total))
        steps = range(frames.start, min(frames.stop, total - 1))
        distances = _distances(position, quantities, frames, width, w.symmetric_windows)
        movements = _movements(position, quantities, steps, width, w.symmetric_windows)
        yield _row(
            w.window_means(distances, w.shifted(of_frames, frames.start)),
            w.window_means(movements, w.shifted(of_steps, steps.start)),
            bin_frames,
        )


def _row(distances: Array, movements: Array, bin_frames: float) -> Array:
    xp = array_namespace(distances)
    return xp.concat([distances, movements * bin_frames], axis=1)


def _chunks(position: Array, quantities: Quantities, items: int, frames_each: float) -> Iterator[tuple[int, int]]:
    """First item and end of each chunk of ``items`` of ``frames_each``."""
    frames = rows_per_chunk(position, len(quantities.listed()))
    size = max(1, int(frames / frames_each))
    return ((first, min(first + size, items)) for first in range(0, items, size))
