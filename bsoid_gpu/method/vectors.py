"""Vectors between keypoints: their lengths, and their turns from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from array_api_compat import array_namespace

if TYPE_CHECKING:
    from bsoid_gpu.method.pairs import Pair
    from bsoid_gpu.typing import Array


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
