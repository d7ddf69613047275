"""Where the animal is: frames without it, and the segments between gaps that windows and bouts never span."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import array_namespace

from bsoid_gpu.method.likelihood import present, running_maximum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.typing import Array

LISTED = 3  # ranges of frames in a message


def absent_frames(position: Array, frame_numbers: Array, absent_share: float, longest_frames: float) -> Array:
    """Frames in which the animal is absent: too many of its keypoints are missing for too long.

    Parameters
    ----------
    position
        (frames, keypoints, space), NaN where missing.
    frame_numbers
        (frames,) int64 on the same device.
    absent_share
        Smallest share of missing keypoints in a frame without the animal; 1: all of them.
    longest_frames
        Longest run of such frames that is bridged by the last good positions; frames that the file leaves out count.

    Returns
    -------
    Array
        (frames,) bool.
    """
    xp = array_namespace(position)
    least = max(1, math.ceil(absent_share * position.shape[1] - 1e-9))
    missing = xp.sum(xp.astype(~present(position), xp.int64), axis=1)
    without = missing >= least
    before_first, after_last = frame_numbers[:1] - 1, frame_numbers[-1:] + 1
    last = running_maximum(xp.where(without, before_first, frame_numbers))  # frame number of the last one with it
    following = -xp.flip(running_maximum(xp.flip(xp.where(without, -after_last, -frame_numbers))))
    return without & (following - last - 1 > math.floor(longest_frames))


def segments_of(absent: NDArray[np.bool_], frame_numbers: NDArray[np.int64]) -> tuple[range, ...]:
    """Ranges of rows with the animal and with consecutive frame numbers; single frames have no step and no window.

    Parameters
    ----------
    absent
        (frames,) bool, see :func:`absent_frames`.
    frame_numbers
        (frames,) int64, ascending.
    """
    return tuple(run for run in _runs(absent, frame_numbers) if len(run) > 1 and not absent[run.start])


def _runs(absent: NDArray[np.bool_], frame_numbers: NDArray[np.int64]) -> list[range]:
    """Ranges of rows with consecutive frame numbers, with or without the animal."""
    cuts = (absent[1:] != absent[:-1]) | (np.diff(frame_numbers) != 1)
    edges = [0, *(np.flatnonzero(cuts) + 1).tolist(), len(absent)]
    return [range(start, stop) for start, stop in pairwise(edges)]


def observed_frames(segments: Sequence[range], frames: int) -> NDArray[np.bool_]:
    """Whether a frame belongs to a segment: (frames,) bool."""
    observed = np.zeros(frames, dtype=np.bool_)
    for segment in segments:
        observed[segment.start : segment.stop] = True
    return observed


def rows_of(values: Array, segments: Sequence[range]) -> Array:
    """Rows of the segments, one segment after another."""
    xp = array_namespace(values)
    if len(segments) == 1:
        return values[segments[0].start : segments[0].stop, ...]
    parts = [values[segment.start : segment.stop, ...] for segment in segments]
    return xp.concat(parts) if parts else values[:0, ...]


def inner_rows(segments: Sequence[range]) -> NDArray[np.bool_]:
    """Rows of :func:`rows_of` that have a row of their own segment before and after them."""
    inner = np.ones(sum(map(len, segments)), dtype=np.bool_)
    stop = 0
    for segment in segments:
        start, stop = stop, stop + len(segment)
        inner[[start, stop - 1]] = False
    return inner


def absence_note(observed: NDArray[np.bool_], frame_numbers: NDArray[np.int64], fps: float) -> list[str]:
    """A sentence on the frames without the animal or without a neighbouring frame, if there are any."""
    if observed.all():
        return []
    return [
        f"{_frames_text(~observed, frame_numbers, fps)} do not show the animal: they get the label -1 with "
        "confidence 0, and nothing is computed from them"
    ]


def held_note(held: NDArray[np.bool_], frame_numbers: NDArray[np.int64], fps: float) -> list[str]:
    """A sentence on frames in which no keypoint is good for a long time, if there are any."""
    if not held.any():
        return []
    return [
        f"in {_frames_text(held, frame_numbers, fps)} every keypoint is below its likelihood threshold: the last good "
        "positions are used, and labels there are not to be trusted"
    ]


def _frames_text(chosen: NDArray[np.bool_], frame_numbers: NDArray[np.int64], fps: float) -> str:
    """Number, duration and ranges of the chosen frames."""
    count = int(np.sum(chosen))
    runs = [run for run in _runs(chosen, frame_numbers) if chosen[run.start]]
    listed = [f"{frame_numbers[run.start]} to {frame_numbers[run.stop - 1]}" for run in runs[:LISTED]]
    more = f" and {len(runs) - LISTED} more ranges" if len(runs) > LISTED else ""
    return f"{count:,} of {len(chosen):,} frames ({count / fps:.1f} s: {', '.join(listed)}{more})"
