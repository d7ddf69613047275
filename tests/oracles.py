"""Slow oracles: the method frame by frame, from its description."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np


def threshold(likelihoods) -> float:
    """Threshold of one keypoint, from NumPy's histogram."""
    counts, edges = np.histogram(likelihoods, bins=10)
    rises = [i for i in range(9) if counts[i + 1] - counts[i] >= 0]
    if not rises:
        return edges[0]
    if rises[0] > 1 or len(rises) == 1:
        return edges[rises[0]]
    return edges[rises[1]]


def hold_last_good(xy, confidence, thresholds):
    out = np.array(xy)
    for keypoint in range(xy.shape[1]):
        seen = [t for t in range(len(xy)) if not np.isnan(xy[t, keypoint]).any()]
        good = [t for t in seen if t == 0 or confidence[t, keypoint] >= thresholds[keypoint]]
        for t in range(len(xy)):
            before = [g for g in good if g <= t]
            out[t, keypoint] = xy[before[-1] if before else good[0], keypoint]
    return out


def moving_mean(signal, width):
    if width < 1:
        return list(signal)
    half = width // 2
    return [np.mean(signal[max(0, i - half) : i + half + 1]) for i in range(len(signal))]


def signed_turn(a, b):
    """Degrees, in two dimensions; an exact reversal gives 0."""
    (ax, ay), (bx, by) = a, b
    c = bx * ay - by * ax
    return math.copysign(1, c) * math.degrees(math.atan2(abs(c), ax * bx + ay * by)) if c else 0.0


def angle_between(a, b):
    """Degrees, in any space: twice that of the half angle, whose sides are the sum and the difference (Kahan 2006)."""
    a_long, b_long = [x * math.hypot(*b) for x in a], [x * math.hypot(*a) for x in b]
    difference = math.dist(a_long, b_long)
    sum_ = math.dist(a_long, [-x for x in b_long])
    return math.degrees(2 * math.atan2(difference, sum_))


def frame_features(xy, fps):
    """Columns of smoothed features at the steps 0..T-2, in two or three dimensions."""
    frames, keypoints, _ = xy.shape
    width = 2 * round(0.05 * fps) - 1
    distances, turns, displacements = [], [], []
    for i, j in combinations(range(keypoints), 2):
        d = [math.dist(xy[t, i], xy[t, j]) for t in range(frames)]
        distances.append(moving_mean(d, width)[1:])
        angle = []
        for s in range(frames - 1):
            a, b = xy[s, j] - xy[s, i], xy[s + 1, j] - xy[s + 1, i]
            angle.append(signed_turn(a, b) if len(a) == 2 else angle_between(a, b))
        turns.append(moving_mean(angle, width))
    for i in range(keypoints):
        displacement = [math.dist(xy[s, i], xy[s + 1, i]) for s in range(frames - 1)]
        displacements.append(moving_mean(displacement, width))
    return distances, turns + displacements


def first_step(number, bin_frames, phase):
    """First step of a bin; halves are rounded to even, and up with a phase."""
    edge = (number + phase) * bin_frames
    return math.floor(edge + 0.5) if phase else round(edge)


def bin_features(xy, fps, phase=0.0):
    distances, movements = frame_features(xy, fps)
    steps, rows, b = len(xy) - 1, [], 0
    while first_step(b + 1, fps / 10, phase) <= steps:
        inside = slice(first_step(b, fps / 10, phase), first_step(b + 1, fps / 10, phase))
        rows.append(
            [np.mean(column[inside]) for column in distances]
            + [np.mean(column[inside]) * fps / 10 for column in movements]
        )
        b += 1
    return np.array(rows)


def centred_samples(r, frames, width):
    """Frames and steps of the window centred on frame r: ``round(width)`` steps, fewer near the ends."""
    number = min(max(1, round(width)), 2 * min(r, frames - 1 - r) + 1)
    steps = [r - math.ceil(number / 2) + k for k in range(number)]
    inside = [s for s in steps if 0 <= s < frames - 1] or [0]
    return [s + 1 for s in steps], inside


def multiscale_features(xy, fps, scales_s, at):
    """Mean over 0.1 s, then mean and deviation over each scale, of the unsmoothed features, at some frames."""
    frames, keypoints, _ = xy.shape
    pairs = list(combinations(range(keypoints), 2))
    distance = [[math.dist(xy[t, i], xy[t, j]) for t in range(frames)] for i, j in pairs]
    step = []
    for i, j in pairs:
        vectors = xy[:, j] - xy[:, i]
        turn = signed_turn if xy.shape[2] == 2 else angle_between
        step.append([turn(a, b) for a, b in pairwise(vectors)])
    step += [[math.dist(xy[s, i], xy[s + 1, i]) for s in range(frames - 1)] for i in range(keypoints)]
    rows = []
    for r in at:
        row = []
        for number, seconds in enumerate([0.1, *scales_s]):
            of_frames, of_steps = centred_samples(r, frames, seconds * fps)
            samples = [np.asarray(column)[of_frames] for column in distance]
            samples += [np.asarray(column)[of_steps] * fps / 10 for column in step]
            row += [np.mean(one) for one in samples]
            row += [np.std(one) for one in samples] if number else []
        rows.append(row)
    return np.array(rows)
