"""Positions on an even grid of time, and values between its frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.pose import Pose

    Values = NDArray[np.float64]

STEP_S = 0.1  # descriptors are computed about every 100 ms
GAP_S = 2.0  # no descriptor looks farther than that: longer gaps are shortened to it


class Grid(NamedTuple):
    """Positions without gaps in time.

    ``position`` (rows, keypoints, space) has NaN in gaps and in frames without the animal; ``at`` (samples,) are the
    rows at which descriptors are computed, one about every 100 ms, and ``frame`` (samples,) the index of the frame of
    the pose in each.
    """

    position: Values
    at: NDArray[np.int64]
    frame: NDArray[np.int64]
    fps: float


def grid_of(pose: Pose) -> Grid:
    """Grid of a session's only animal; frames without it have no sample.

    Parameters
    ----------
    pose
        Positions (frames, 1, keypoints, space).
    """
    track = np.asarray(pose.position)[:, 0]
    longest = max(1, round(GAP_S * pose.fps))
    steps = np.minimum(np.diff(pose.frame_numbers), longest)
    rows = np.concatenate([[0], np.cumsum(steps)]).astype(np.int64) if len(track) else np.zeros(0, np.int64)
    total = int(rows[-1]) + 1 if len(rows) else 0
    if total == len(track):
        position = track
    else:
        position = np.full((total, *track.shape[1:]), np.nan)
        position[rows] = track
    frame = np.arange(len(track))[:: max(1, round(STEP_S * pose.fps))]
    frame = frame[np.isfinite(track[frame]).all(axis=(1, 2))]
    return Grid(position, rows[frame], frame, float(pose.fps))


def between(values: Values, at: NDArray[np.int64], offset: float) -> Values:
    """Values (rows, ...) at ``at + offset`` rows, on a line between the two nearest; NaN beyond the ends."""
    low = int(np.floor(offset))
    share = offset - low
    first = _rows(values, at + low)
    return first if share < 1e-9 else (1 - share) * first + share * _rows(values, at + low + 1)


def rate(values: Values, at: NDArray[np.int64], width_s: float, fps: float) -> Values:
    """Change per second: the difference of the values half a width after and before, over the width."""
    half = width_s * fps / 2
    return (between(values, at, half) - between(values, at, -half)) / width_s


def moving_mean(values: Values, width_s: float, fps: float) -> Values:
    """Mean of the values (rows, ...) over a window around each row; NaN where one of them is."""
    half = max(0, round(width_s * fps / 2 - 0.5))
    width = 2 * half + 1
    if len(values) < width:
        return np.full_like(values, np.nan)
    missing = np.isnan(values)
    sums = np.cumsum(np.where(missing, 0.0, values), axis=0)
    gone = np.cumsum(missing, axis=0)
    means = np.full_like(values, np.nan)
    inner = slice(half, len(values) - half)
    before = np.concatenate([np.zeros_like(sums[:1]), sums[:-width]])
    gone_before = np.concatenate([np.zeros_like(gone[:1]), gone[:-width]])
    complete = gone[width - 1 :] == gone_before
    means[inner] = np.where(complete, (sums[width - 1 :] - before) / width, np.nan)
    return means


def _rows(values: Values, at: NDArray[np.int64]) -> Values:
    inside = (at >= 0) & (at < len(values))
    if inside.all():
        return values[at]
    rows = np.full((len(at), *values.shape[1:]), np.nan)
    rows[inside] = values[at[inside]]
    return rows
