"""The body axis where the names do not tell it, and the lines of the skeleton."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.pose import Pose

    Values = NDArray[np.float64]

FAST_SHARE = 0.2  # of the steps: those in which the animal moves
SURE_SHARE = 0.65  # of the fast steps that lead towards the front


def distances(track: Values) -> Values:
    """Distances of the keypoints of each frame: (frames, keypoints, keypoints)."""
    return np.linalg.norm(track[:, :, None] - track[:, None], axis=-1)


def ends_from_data(
    poses: Sequence[Pose], track: Values, points: Sequence[int], front: tuple[int, ...], rear: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    """Front and rear of the body, and a sentence on how they were chosen; both empty if the data do not show them.

    Parameters
    ----------
    poses
        Sessions, for the direction of movement.
    track
        (frames, keypoints, space) sampled positions without NaN.
    points
        Keypoints of the body.
    front, rear
        An end that the names tell: the other one is the point farthest from it.
    """
    if not len(track) or len(points) < 2:
        return (), (), "the animal is in no frame"
    spans = distances(track)
    middle = np.median(spans, axis=0)
    known = front or rear
    if known:
        others = [i for i in points if i not in known]
        if not others:
            return (), (), "there is no second point"
        far = (max(others, key=lambda i: middle[i, list(known)].mean()),)
        return (front, far, "the point farthest from the front") if front else (far, rear, "the point farthest away")
    low, high = np.quantile(spans, [0.25, 0.75], axis=0)
    rigid = middle - (high - low)  # far apart, and always by the same distance
    i, j = max(((i, j) for i in points for j in points if i < j), key=lambda pair: rigid[pair])
    share = _forward_share(poses, i, j, points)
    if max(share, 1 - share) < SURE_SHARE:
        return (), (), "the two points that are farthest apart lead about equally often when the animal moves"
    ahead, behind = (i, j) if share > 0.5 else (j, i)
    percent = round(100 * max(share, 1 - share))
    return (ahead,), (behind,), f"of the two points farthest apart, the one that leads in {percent} % of fast steps"


def _forward_share(poses: Sequence[Pose], i: int, j: int, points: Sequence[int]) -> float:
    """Share of the fast steps that lead from point j towards point i."""
    along = []
    for pose in poses:
        track = np.asarray(pose.position)[:, 0]
        wide = max(1, round(0.1 * pose.fps))
        consecutive = pose.frame_numbers[wide:] - pose.frame_numbers[:-wide] == wide
        step = (track[wide:, list(points)] - track[:-wide, list(points)]).mean(axis=1)
        heading = track[:-wide, i] - track[:-wide, j]
        along.append(_fast(step, heading, consecutive))
    values = np.concatenate(along)
    return float(np.mean(values > 0)) if len(values) else 0.5


def _fast(step: Values, heading: Values, consecutive: NDArray[np.bool_]) -> Values:
    """Movement along the heading in the fastest steps."""
    speed = np.linalg.norm(step, axis=-1)
    usable = consecutive & np.isfinite(speed) & np.isfinite(heading).all(axis=-1)
    step, heading, speed = step[usable], heading[usable], speed[usable]
    if not len(speed):
        return speed
    fast = (speed >= np.quantile(speed, 1 - FAST_SHARE)) & (speed > 0)
    return np.sum(step * heading, axis=-1)[fast]


def skeleton(
    track: Values,
    front: Sequence[int],
    rear: Sequence[int],
    sides: Sequence[str],
    spine: Sequence[int],
    joinable: Sequence[int],
) -> tuple[tuple[int, int], ...]:
    """Lines of a skeleton: the points on the axis one after another, and each other point to its nearest neighbour.

    A minimum spanning tree (Kruskal 1956) over the median distances that begins with the lines of the axis, and in
    which no line joins left and right.

    Parameters
    ----------
    track
        (frames, keypoints, space) positions.
    front, rear
        Ends of the axis; may be empty.
    sides
        ``"left"``, ``"right"`` or ``""`` of each keypoint.
    spine
        Keypoints that are on the axis by their names.
    joinable
        Keypoints to join.
    """
    if len(joinable) < 2:
        return ()
    middle = np.median(distances(track), axis=0) if len(track) else np.ones((len(sides), len(sides)))
    edges = _axis_lines(track, front, rear, sides, spine, joinable)
    pairs = [(i, j) for k, i in enumerate(joinable) for j in joinable[k + 1 :]]
    same = [pair for pair in pairs if len({sides[i] for i in pair if sides[i]}) < 2]
    joined = {i: i for i in joinable}

    def root(i: int) -> int:
        while joined[i] != i:
            i = joined[i]
        return i

    lines = []
    # lines between left and right come last: only where nothing else connects them
    for i, j in [*edges, *sorted(same, key=lambda pair: middle[pair]), *sorted(pairs, key=lambda pair: middle[pair])]:
        if root(i) != root(j):
            joined[root(i)] = root(j)
            lines.append((min(i, j), max(i, j)))
    return tuple(lines)


def _axis_lines(
    track: Values,
    front: Sequence[int],
    rear: Sequence[int],
    sides: Sequence[str],
    spine: Sequence[int],
    joinable: Sequence[int],
) -> list[tuple[int, int]]:
    """Lines along the axis, from front to rear, through the points of neither side that lie between them."""
    ends = [i for i in (*front, *rear) if sides[i]]
    if not (front and rear) or ends or not len(track):
        return []
    head, tail = track[:, front[0]], track[:, rear[0]]
    along = tail - head
    length = np.sum(along * along, axis=-1, keepdims=True)
    share = np.median(np.sum((track - head[:, None]) * along[:, None], axis=-1) / np.maximum(length, 1e-12), axis=0)
    off = np.median(np.linalg.norm(track - head[:, None] - share[None, :, None] * along[:, None], axis=-1), axis=0)
    near = 0.12 * np.sqrt(np.median(length))  # of the axis; limbs without a named side lie farther out
    between = [i for i in joinable if 0.05 < share[i] < 0.95 and (off[i] < near or i in spine) and not sides[i]]
    order = [front[0], *sorted((i for i in between if i not in (*front, *rear)), key=lambda i: share[i]), rear[0]]
    return list(pairwise(order))
