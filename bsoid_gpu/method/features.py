"""Pose features of each frame, of 100 ms bins, and of 100 ms windows centred on each frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.backends.chunks import rows_per_chunk
from bsoid_gpu.method import windows as w
from bsoid_gpu.method.pairs import Pair, all_pairs, columns, named_pairs, pair_name

if TYPE_CHECKING:
    from bsoid_gpu.settings.schema import Features
    from bsoid_gpu.typing import Array

    MovingWindows = Callable[[Array, int, int], w.Windows]


def feature_names(keypoints: Sequence[str], pairs: Sequence[str] = (), dimensions: int = 2) -> list[str]:
    """Names of the feature columns: pair distances (px), pair turns (degrees), keypoint displacements (px).

    Parameters
    ----------
    keypoints, pairs
        Names; see :func:`bsoid_gpu.method.pairs.named_pairs`.
    dimensions
        Of the positions: 2, where turns have a sign, or 3, where they have none.
    """
    names = [pair_name(keypoints, pair) for pair in named_pairs(keypoints, pairs)]
    turn = "turn" if dimensions == 2 else "unsigned turn"
    return (
        [f"distance {name}" for name in names]
        + [f"{turn} {name}" for name in names]
        + [f"displacement {keypoint}" for keypoint in keypoints]
    )


def is_length(name: str) -> bool:
    """Whether a feature column is a length in px."""
    return name.startswith(("distance ", "displacement "))


def pair_vectors(position: Array, pairs: Sequence[Pair]) -> Array:
    """Vector from keypoint i to j of each pair: (frames, pairs, space) px from (frames, keypoints, space)."""
    runs: list[tuple[int, int, int]] = []  # slices: a list of indices would be copied to the device
    for i, j in pairs:
        if runs and runs[-1][::2] == (i, j):  # the next keypoint after that of the pair before
            runs[-1] = (i, runs[-1][1], j + 1)
        else:
            runs.append((i, j, j + 1))
    vectors = [position[:, start:stop, :] - position[:, i : i + 1, :] for i, start, stop in runs]
    return array_namespace(position).concat(vectors, axis=1)


def dot(a: Array, b: Array) -> Array:
    """Dot product along the last axis, component by component: a sum over so short an axis is five times slower."""
    total = a[..., 0] * b[..., 0]
    for i in range(1, a.shape[-1]):
        total = total + a[..., i] * b[..., i]
    return total


def length(vector: Array) -> Array:
    """Euclidean length along the last axis."""
    return array_namespace(vector).sqrt(dot(vector, vector))


def turns(vector: Array) -> Array:
    """Turn of each vector from one frame to the next: (frames - 1, pairs) degrees from (frames, pairs, 2 or 3).

    With a the earlier and b the later vector, in 2 dimensions ``sign(c) atan2(|c|, a.b)`` with
    ``c = b_x a_y - b_y a_x``; an exact reversal gives 0. In 3 dimensions, where a turn has no sign, the angle
    ``atan2(|a x b|, a.b)``, from 0 to 180; an exact reversal gives 180.
    """
    xp = array_namespace(vector)
    a, b = vector[:-1, ...], vector[1:, ...]
    if vector.shape[-1] == 3:
        return xp.atan2(length(_cross(a, b)), dot(a, b)) * (180.0 / math.pi)
    cross = b[..., 0] * a[..., 1] - b[..., 1] * a[..., 0]
    return xp.sign(cross) * xp.atan2(xp.abs(cross), dot(a, b)) * (180.0 / math.pi)


def _cross(a: Array, b: Array) -> Array:
    """Vector product along the last axis, which the array API standard lacks."""
    following = ((1, 2), (2, 0), (0, 1))
    components = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in following]
    return array_namespace(a).stack(components, axis=-1)


def _distances(position: Array, pairs: Sequence[Pair], frames: range, width: int, smooth: MovingWindows) -> Array:
    """Smoothed pair distances at the ``frames``: (frames, pairs) px."""
    lo, hi = max(frames.start - width // 2, 0), min(frames.stop + width // 2, position.shape[0])
    distances = length(pair_vectors(position[lo:hi, ...], pairs))
    return _smooth(distances, lo, frames, position.shape[0], width, smooth)


def _movements(position: Array, pairs: Sequence[Pair], steps: range, width: int, smooth: MovingWindows) -> Array:
    """Smoothed turns of the pairs (degrees) and displacements of the keypoints (px) at the ``steps``."""
    xp = array_namespace(position)
    lo, hi = max(steps.start - width // 2, 0), min(steps.stop + width // 2, position.shape[0] - 1)
    around = position[lo : hi + 1, ...]
    displacements = length(around[1:, ...] - around[:-1, ...])
    movements = xp.concat([turns(pair_vectors(around, pairs)), displacements], axis=1)
    return _smooth(movements, lo, steps, position.shape[0] - 1, width, smooth)


def _smooth(raw: Array, offset: int, at: range, samples: int, width: int, smooth: MovingWindows) -> Array:
    """Moving mean at the indices ``at`` of a signal of ``samples``; ``raw`` is its part from ``offset`` on."""
    if width == 1:
        return raw[at.start - offset : at.stop - offset, ...]
    xp = array_namespace(raw)
    start, stop, longest = smooth(xp.arange(at.start, at.stop, device=device_of(raw)), samples, width)
    return w.window_means(raw, w.Windows(start - offset, stop - offset, longest))


def bin_features(
    position: Array, fps: float, settings: Features, pairs: Sequence[Pair] = (), *, phase: float = 0.0
) -> Array:
    """Features of each complete 100 ms bin, for training.

    Mean of the distances, sum of the turns and of the displacements. A sum is the mean times the nominal length of a
    bin, so that bins of 2 and of 3 frames have one scale.

    Parameters
    ----------
    position
        (frames, keypoints, 2 or 3) px, or the unit of the file, without NaN.
    fps
        Frames per second.
    settings
        Lengths of the smoothing window and of a bin.
    pairs
        Indices of the keypoints of each pair; empty for all.
    phase
        Share of a bin by which the bins begin later, see :func:`bsoid_gpu.method.windows.bin_edges`.

    Returns
    -------
    Array
        (bins, 2 pairs + keypoints) float64 in the order of :func:`feature_names`.
    """
    xp = array_namespace(position)
    pairs = pairs or all_pairs(position.shape[1])
    bin_frames = fps * settings.bin_s
    width = w.smoothing_frames(fps, settings.smoothing_s)
    edges = w.bin_edges(xp, position.shape[0] - 1, bin_frames, device_of(position), phase=phase)
    rows = []
    for first, last in _chunks(position, pairs, edges.shape[0] - 1, bin_frames):
        steps = range(w.first_step(first, bin_frames, phase), w.first_step(last, bin_frames, phase))
        frames = range(steps.start + 1, steps.stop + 1)  # a step's distance is that of its end frame
        bins = w.bins_between(edges[first : last + 1], steps.start, bin_frames)
        rows.append(
            _row(
                w.window_means(_distances(position, pairs, frames, width, w.moving_windows), bins),
                w.window_means(_movements(position, pairs, steps, width, w.moving_windows), bins),
                bin_frames,
            )
        )
    none = (0, columns(position.shape[1], len(pairs)))
    return xp.concat(rows) if rows else xp.zeros(none, dtype=xp.float64, device=device_of(position))


def window_features(position: Array, fps: float, settings: Features, pairs: Sequence[Pair] = ()) -> Iterator[Array]:
    """Features of the 100 ms window centred on each frame, for prediction, chunk by chunk.

    Same columns as :func:`bin_features`. Windows stay centred at the ends of a session.

    Yields
    ------
    Array
        (frames of the chunk, columns) float64; all chunks together have one row per frame.
    """
    xp = array_namespace(position)
    pairs = pairs or all_pairs(position.shape[1])
    bin_frames = fps * settings.bin_s
    width = w.smoothing_frames(fps, settings.smoothing_s)
    total = position.shape[0]
    reach = math.ceil(bin_frames / 2) + 1
    for first, last in _chunks(position, pairs, total, 1.0):
        at = xp.arange(first, last, device=device_of(position))
        of_frames, of_steps = w.centred_windows(at, total, bin_frames)
        frames = range(max(first - reach, 0), min(last + reach, total))
        steps = range(frames.start, min(frames.stop, total - 1))
        yield _row(
            w.window_means(_distances(position, pairs, frames, width, w.symmetric_windows), _from(of_frames, frames)),
            w.window_means(_movements(position, pairs, steps, width, w.symmetric_windows), _from(of_steps, steps)),
            bin_frames,
        )


def _row(distances: Array, movements: Array, bin_frames: float) -> Array:
    xp = array_namespace(distances)
    return xp.concat([distances, movements * bin_frames], axis=1)


def _from(windows: w.Windows, samples: range) -> w.Windows:
    return w.Windows(windows.start - samples.start, windows.stop - samples.start, windows.longest)


def _chunks(position: Array, pairs: Sequence[Pair], items: int, frames_each: float) -> Iterator[tuple[int, int]]:
    """First item and end of each chunk of ``items`` of ``frames_each``."""
    frames = rows_per_chunk(position, columns(position.shape[1], len(pairs)))
    size = max(1, int(frames / frames_each))
    return ((first, min(first + size, items)) for first in range(0, items, size))
