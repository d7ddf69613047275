"""Features of windows of several lengths centred on each frame."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.backends.chunks import rows_per_chunk
from bsoid_gpu.method import windows as w
from bsoid_gpu.method.logarithms import logarithms
from bsoid_gpu.method.moments import window_moments

if TYPE_CHECKING:
    from bsoid_gpu.method.quantities import Quantities
    from bsoid_gpu.settings.schema import Features
    from bsoid_gpu.typing import Array


def multiscale_features(
    position: Array, fps: float, settings: Features, quantities: Quantities, at: Sequence[int]
) -> Iterator[Array]:
    """Features of the windows centred on some frames, chunk by chunk.

    The mean of each quantity over ``bin_s``, and its mean and standard deviation over each of ``scales_s``. Windows
    become shorter on both sides near the ends of the positions, so that each stays centred on its frame. Turns and
    displacements are those of ``bin_s``: the values of a step times the frames of a bin.

    Parameters
    ----------
    position
        (frames, keypoints, 2 or 3) without NaN, in px or body lengths.
    fps
        Frames per second.
    settings
        Feature settings, with ``scales_s``.
    quantities
        What the features are of.
    at
        Frame numbers, ascending.

    Yields
    ------
    Array
        (frames of the chunk, columns) float64, in the order of :func:`bsoid_gpu.method.columns.feature_columns`.
    """
    xp, total = array_namespace(position), position.shape[0]
    widths = [seconds * fps for seconds in (settings.bin_s, *settings.scales_s)]
    reach = math.ceil(max(widths) / 2) + 1
    size = rows_per_chunk(position, len(quantities.listed()) * len(widths) * 2)
    first = 0
    while first < len(at):
        last = bisect_left(at, at[first] + size, first)
        start, stop = max(at[first] - reach, 0), min(at[last - 1] + reach + 1, total)
        centres = xp.asarray(list(at[first:last]), dtype=xp.int64, device=device_of(position))
        windows = [w.centred_windows(centres, total, width) for width in widths]
        yield _rows(
            position[start:stop, ...],
            settings,
            quantities,
            [w.shifted(of_frames, start) for of_frames, _ in windows],
            [w.shifted(of_steps, start) for _, of_steps in windows],
            fps * settings.bin_s,
        )
        first = last


def _rows(
    position: Array,
    settings: Features,
    quantities: Quantities,
    of_frames: Sequence[w.Windows],
    of_steps: Sequence[w.Windows],
    bin_frames: float,
) -> Array:
    """Features (windows, columns) of sets of windows, the first of which are those of ``bin_s``."""
    xp = array_namespace(position)
    distances = window_moments(quantities.at_frames(position), of_frames)
    movements = window_moments(quantities.at_steps(position) * bin_frames, of_steps)
    kinds = [quantity.kind for quantity in quantities.listed()]
    blocks = []
    for number, of_both in enumerate(zip(distances, movements, strict=True)):
        means, deviations = (xp.concat(list(parts), axis=1) for parts in zip(*of_both, strict=True))
        blocks.append(logarithms(means, kinds, settings.bin_s, spread=False) if settings.log else means)
        if number:
            blocks.append(logarithms(deviations, kinds, settings.bin_s, spread=True) if settings.log else deviations)
    return xp.concat(blocks, axis=1)
