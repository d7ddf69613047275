"""Sessions that are one recording: their positions, sampled at the same frames, move together.

A recording that is given twice, for example by two models, would be both in the training and in the held-out part of
a validation.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.typing import Array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.pose import Pose

    Floats = NDArray[np.float64]

STEP_FRAMES = 10
MAX_SAMPLES = 1024
MIN_SAMPLES = 20  # common to two sessions
LEVEL, POSTURE, STEPS = 0.97, 0.7, 0.8  # lowest correlations of one recording; see same_tracks
ONE_FILE = 0.99999  # lowest correlation within one file, whose animals may huddle
EQUAL = 1e-6  # largest difference, relative to the largest coordinate


@dataclass(frozen=True)
class Track:
    """Positions of a session at frame numbers that are multiples of ``step``.

    ``numbers`` (samples,) int64, ascending, on the host; ``position`` (samples, keypoints, space), NaN where missing
    or below the likelihood threshold.
    """

    step: int
    numbers: Array
    position: Array

    def on_host(self, to_host: Callable[[Array], Any]) -> Track:
        """The same on the host."""
        return Track(self.step, self.numbers, to_host(self.position))


class Match(NamedTuple):
    """Two sessions that are one recording, by their places in the list.

    ``correlation`` of the positions; ``equal`` where these are the same up to rounding; ``scale`` of the second
    track relative to the first, and ``shift`` between their means, as a multiple of the first one's spread.
    """

    first: int
    second: int
    correlation: float
    equal: bool
    scale: float
    shift: float


def sample(
    position: Array,
    confidence: Array,
    threshold: Array,
    frame_numbers: NDArray[np.int64],
    max_samples: int = MAX_SAMPLES,
) -> Track:
    """Sample a session at frame numbers that are the same for every session.

    The step is 10 frames times a power of two, so that sessions of different length have samples in common.

    Parameters
    ----------
    position
        (frames, keypoints, space); NaN where missing.
    confidence
        (frames, keypoints).
    threshold
        (keypoints,); positions of a lower confidence count as missing, since they may be anywhere.
    frame_numbers
        (frames,) int64, ascending, on the host.
    max_samples
        Largest number of samples.
    """
    xp = array_namespace(position)
    step = STEP_FRAMES
    rows = np.flatnonzero(frame_numbers % step == 0)
    while len(rows) > max_samples:
        step *= 2
        rows = np.flatnonzero(frame_numbers % step == 0)
    at = xp.asarray(rows, dtype=xp.int64, device=device_of(position))
    known = xp.take(confidence, at, axis=0) >= threshold
    return Track(step, frame_numbers[rows], xp.where(known[..., None], xp.take(position, at, axis=0), xp.nan))


def track_of(pose: Pose, threshold: Array, max_samples: int = MAX_SAMPLES) -> Track:
    """Samples of the pose of one individual, to compare sessions; see :func:`sample`."""
    position, confidence = pose.position[:, 0, :, :], pose.confidence[:, 0, :]
    return sample(position, confidence, threshold, pose.frame_numbers, max_samples)


def same_tracks(tracks: Sequence[Track], files: Sequence[Hashable]) -> list[Match]:
    """Pairs of sessions that are one recording.

    They have at least 20 samples in common, and at least half of the shorter one's. Their positions have correlation
    0.97 or more, the positions relative to the centre of the keypoints 0.7, and the displacements between samples 0.8:
    the three together, since clips of different animals that run along a corridor agree in position alone.
    Correlations are pooled over the coordinates, each without its mean over the common samples, so that the places of
    the keypoints in the body do not count; they are absolute for each axis of space, so that a mirrored track is
    recognised. A session without movement is never the same as another.

    Parameters
    ----------
    tracks
        Samples of every session, on the host.
    files
        The file of each session; two animals of one file are the same only if their tracks are equal.
    """
    matches: list[Match] = []
    for step in sorted({track.step for track in tracks}):
        for members in _overlapping(tracks, step):
            counts, positions = _aligned([tracks[i] for i in members], step)
            matches += [
                match._replace(first=members[match.first], second=members[match.second])
                for match in _matches(counts, positions, [files[i] for i in members])
                if max(tracks[members[match.first]].step, tracks[members[match.second]].step) == step
            ]
    return sorted(matches)


def _overlapping(tracks: Sequence[Track], step: int) -> Iterator[list[int]]:
    """Groups of sessions of one shape, sampled at this step or more often, whose frame numbers overlap."""
    usable = [i for i, track in enumerate(tracks) if track.step <= step and len(track.numbers) >= MIN_SAMPLES]
    usable.sort(key=lambda i: (*tracks[i].position.shape[1:], tracks[i].numbers[0]))
    members: list[int] = []
    end = -1
    for i in usable:
        track = tracks[i]
        if members and (track.position.shape[1:] != tracks[members[0]].position.shape[1:] or track.numbers[0] > end):
            yield sorted(members)
            members, end = [], -1
        members.append(i)
        end = max(end, int(track.numbers[-1]))
    if members:
        yield sorted(members)


def _aligned(tracks: Sequence[Track], step: int) -> tuple[NDArray[Any], Floats]:
    """Own samples (sessions,), and positions (sessions, samples, keypoints, space) at all the frame numbers."""
    rows = [track.numbers % step == 0 for track in tracks]
    numbers = [track.numbers[chosen] for track, chosen in zip(tracks, rows, strict=True)]
    every = np.unique(np.concatenate(numbers))
    positions = np.full((len(tracks), len(every), *tracks[0].position.shape[1:]), np.nan)
    for i, (track, chosen) in enumerate(zip(tracks, rows, strict=True)):
        positions[i, np.searchsorted(every, numbers[i])] = track.position[chosen]
    return np.array([len(own) for own in numbers]), positions


def _matches(counts: NDArray[Any], positions: Floats, files: Sequence[Hashable]) -> Iterator[Match]:
    """Matches among sessions whose samples are aligned."""
    common, level = _correlations(positions)
    half = np.minimum.outer(counts, counts) / 2
    likely = np.triu((common >= MIN_SAMPLES) & (common >= half) & (level >= LEVEL), 1)
    for i, j in np.argwhere(likely).tolist():
        if files[i] == files[j] and level[i, j] < ONE_FILE:
            continue
        pair = positions[[i, j]]
        pair = np.where(np.isnan(pair).any(axis=0), np.nan, pair)
        posture = pair - _mean(pair, axis=2)
        if _correlations(posture)[1][0, 1] >= POSTURE and _correlations(np.diff(pair, axis=1))[1][0, 1] >= STEPS:
            yield _match(i, j, float(level[i, j]), pair)


def _correlations(positions: Floats) -> tuple[Floats, Floats]:
    """Common samples, of the keypoint that has most, and pooled correlation of every two sessions.

    Sums over the samples in common are products of matrices, of the values and of where they are known.
    """
    known = ~np.isnan(positions)
    lowest = np.min(positions, axis=1, keepdims=True, initial=np.inf, where=known)
    values = np.where(known, positions - lowest, 0.0)  # a constant coordinate is exactly 0
    sessions, _, keypoints, space = positions.shape
    common, covariance, variance = np.zeros((3, sessions, sessions))
    for axis in range(space):
        of_axis = np.zeros((sessions, sessions))
        for k in range(keypoints):
            x, there = values[:, :, k, axis], known[:, :, k, axis].astype(float)
            n = there @ there.T
            total = x @ there.T  # [i, j]: of session i, over the samples in common with j
            mean = total / np.maximum(n, 1)
            of_axis += x @ x.T - mean * total.T
            variance += (x * x) @ there.T - mean * total
            common = np.maximum(common, n)
        covariance += np.abs(of_axis)
    product = np.maximum(variance, 0) * np.maximum(variance.T, 0)
    return common, np.divide(covariance, np.sqrt(product), out=np.zeros_like(product), where=product > 0)


def _mean(x: Floats, axis: int) -> Floats:
    """Mean along an axis without the missing values; 0 where all are missing."""
    known = ~np.isnan(x)
    total = np.sum(x, axis=axis, keepdims=True, where=known)
    return total / np.maximum(np.sum(known, axis=axis, keepdims=True), 1)


def _match(i: int, j: int, correlation: float, pair: Floats) -> Match:
    """How the second track differs from the first, over the samples in common."""
    mean = _mean(pair, axis=1)
    first, second = np.sqrt(np.nanmean((pair - mean) ** 2, axis=(1, 2, 3)))
    shift = np.sqrt(np.mean(np.sum((mean[1] - mean[0]) ** 2, axis=-1)))
    difference = np.nanmax(np.abs(pair[1] - pair[0]))
    equal = bool(difference <= EQUAL * np.nanmax(np.abs(pair)))
    return Match(i, j, correlation, equal, scale=float(second / first), shift=float(shift / first))
