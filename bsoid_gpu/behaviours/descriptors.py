"""Plain descriptors of what an animal does, about every 100 ms.

Speeds are differences of positions 50 ms after and before, at any frame rate: positions between two frames lie on a
line. Nothing is computed across gaps. Turning, bend and movement to the right of the animal are positive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bsoid_gpu.behaviours import catalogue
from bsoid_gpu.behaviours.grid import Grid, between, grid_of, moving_mean, rate
from bsoid_gpu.behaviours.rhythm import rhythm_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bsoid_gpu.behaviours.body import Body
    from bsoid_gpu.pose import Pose

    Values = NDArray[np.float64]

WIDTH_S = 0.1  # of the differences
SLOW_S = 0.5  # the frame of the body follows the mean of its axis over so long, not each swing of the head


class Described(NamedTuple):
    """Descriptors (samples, descriptors) with their names, and the index of the frame of each sample (samples,)."""

    names: tuple[str, ...]
    values: Values
    frame: NDArray[np.int64]


def descriptors(pose: Pose, body: Body, unit_px: float) -> Described:
    """Descriptors of a session that its keypoints allow; NaN where one is not known.

    Parameters
    ----------
    pose
        Positions (frames, 1, keypoints, space) px, NaN in frames without the animal.
    body
        Roles of the keypoints.
    unit_px
        Length in px of the unit of lengths.
    """
    grid = grid_of(pose)
    scaled = grid._replace(position=grid.position / unit_px)
    columns = _of_place(scaled, body)
    if body.front:
        columns |= _of_axis(scaled, body)
    columns |= _of_parts(scaled, body)
    names = tuple(one.name for one in catalogue.DESCRIPTORS if one.name in columns)
    values = np.stack([columns[name] for name in names], axis=1) if names else np.zeros((len(grid.frame), 0))
    return Described(names, values, grid.frame)


def _mean(position: Values, points: Sequence[int]) -> Values:
    return position[:, list(points)].mean(axis=1) if len(points) > 1 else position[:, points[0]]


def _norm(vectors: Values) -> Values:
    return np.sqrt(np.sum(vectors * vectors, axis=-1))


def _unit(vectors: Values) -> Values:
    length = _norm(vectors)[..., None]
    return vectors / np.where(length > 0, length, np.nan)


def _median(values: Values) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan


def _of_place(grid: Grid, body: Body) -> dict[str, Values]:
    """Speeds in the image, and the spread of the keypoints."""
    position, at, fps = grid.position, grid.at, grid.fps
    points = position[:, list(body.points)]
    steps = rate(points, at, WIDTH_S, fps)
    now = points[at]
    spread = np.sqrt(np.mean(np.sum((now - now.mean(axis=1, keepdims=True)) ** 2, axis=-1), axis=1))
    return {
        catalogue.PLACE_SPEED: _norm(rate(_centre(grid, body), at, WIDTH_S, fps)),
        catalogue.MOVEMENT: _norm(steps).mean(axis=1),
        catalogue.SPREAD: spread / _positive(_median(spread)),
    }


def _centre(grid: Grid, body: Body) -> Values:
    """Place of the animal (rows, space): the trunk, moved along the slow axis to the middle of the body.

    Points at the rear alone would move sideways whenever the animal turns on the spot.
    """
    trunk = _mean(grid.position, body.trunk)
    if not body.front:
        return trunk
    along = _slow_axis(grid.position, body, grid.fps)
    ahead = np.sum((_mean(grid.position, body.points) - trunk) * along, axis=1)
    ahead_of_trunk = _median(ahead[grid.at])
    return trunk + ahead_of_trunk * along if np.isfinite(ahead_of_trunk) else trunk


def _slow_axis(position: Values, body: Body, fps: float) -> Values:
    """Direction of the body axis, of its mean over 0.5 s: (rows, space)."""
    return _unit(moving_mean(_mean(position, body.front) - _mean(position, body.rear), SLOW_S, fps))


def _positive(number: float) -> float:
    return number if number > 0 else np.nan


def _of_axis(grid: Grid, body: Body) -> dict[str, Values]:
    """Movement along and across the body axis, its turning, length and bend."""
    position, at, fps = grid.position, grid.at, grid.fps
    axis = _mean(position, body.front) - _mean(position, body.rear)
    heading = _unit(axis[at])
    centre = _centre(grid, body)
    velocity = rate(centre, at, WIDTH_S, fps)
    after, before = (between(centre, at, offset * fps) for offset in (WIDTH_S, -WIDTH_S))
    acceleration = (after - 2 * centre[at] + before) / WIDTH_S**2
    length = _norm(axis)
    usual = _positive(_median(length[at]))
    forward = np.sum(velocity * heading, axis=1)
    columns = {
        catalogue.FORWARD: forward,
        catalogue.FORWARD_ACCELERATION: np.sum(acceleration * heading, axis=1),
        catalogue.ELONGATION: length[at] / usual,
        catalogue.STRETCHING: 100 * rate(length, at, WIDTH_S, fps) / usual,
    }
    half = WIDTH_S * fps / 2
    turn = _angle(between(axis, at, -half), between(axis, at, half), body.right_sign) / WIDTH_S
    columns[catalogue.TURN_SIZE] = np.abs(turn)
    bend = _bend(position[at], body)
    if bend is not None:
        columns[catalogue.BEND_SIZE] = np.abs(bend)
    if position.shape[-1] == 2:
        right = np.stack([-heading[:, 1], heading[:, 0]], axis=1) * body.right_sign
        columns[catalogue.SIDEWAYS] = np.sum(velocity * right, axis=1)
        columns[catalogue.TURN] = turn
        if bend is not None:
            columns[catalogue.BEND] = bend
    return columns


def _angle(first: Values, second: Values, right_sign: int) -> Values:
    """Angle in degrees from the first vectors (samples, space) to the second; in 2-D positive to the right."""
    along = np.sum(first * second, axis=1)
    if first.shape[1] == 2:
        across = (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) * right_sign
    else:
        across = _norm(np.cross(first, second))
    return np.degrees(np.arctan2(across, along))


def _middle(body: Body) -> list[int]:
    """Points between the ends of the body axis; wings and the like are not."""
    other = body.other.keypoints if body.other else ()
    return [i for i in body.points if i not in (*body.front, *body.rear, *other)]


def _bend(now: Values, body: Body) -> Values | None:
    """Angle between the rear and the front half of the body, less its median in the session if it has a sign."""
    middle = _middle(body)
    if not middle:
        return None
    halfway = _mean(now, middle)
    angle = _angle(halfway - _mean(now, body.rear), _mean(now, body.front) - halfway, body.right_sign)
    return angle - _median(angle) if now.shape[-1] == 2 else angle


def relative(position: Values, point: Values, body: Body, fps: float) -> Values:
    """A point (rows, space) in the frame of the body: its origin is the trunk.

    In 2-D with a body axis the coordinates are along it and to its right, and the axis is its mean over 0.5 s;
    otherwise they keep the directions of the image or of space.
    """
    offset = point - _mean(position, body.trunk)
    if not body.front or position.shape[-1] == 3:
        return offset
    along = _slow_axis(position, body, fps)
    right = np.stack([-along[:, 1], along[:, 0]], axis=1) * body.right_sign
    return np.stack([np.sum(offset * along, axis=1), np.sum(offset * right, axis=1)], axis=1)


def _head(grid: Grid, body: Body) -> Values:
    """The front in the frame of the body: (rows, coordinates).

    Where there are points between the ends, it is the distance of the front from the line that leads from the rear
    through the middle of the body, which a turn of the whole body does not change.
    """
    position, middle = grid.position, _middle(body)
    front = _mean(position, body.front)
    if not middle or position.shape[-1] == 3:
        return relative(position, front, body, grid.fps)
    halfway = _mean(position, middle)
    along = _unit(halfway - _mean(position, body.rear))
    ahead = front - halfway
    return ((along[:, 0] * ahead[:, 1] - along[:, 1] * ahead[:, 0]) * body.right_sign)[:, None]


def _of_parts(grid: Grid, body: Body) -> dict[str, Values]:
    """Movement of head and limbs relative to the trunk, their rhythms, and where they are."""
    position, at, fps = grid.position, grid.at, grid.fps
    columns: dict[str, Values] = {}
    limbs = ((catalogue.FORE_MOVEMENT, body.fore), (catalogue.HIND_MOVEMENT, body.hind),
             (catalogue.OTHER_MOVEMENT, body.other))  # fmt: skip
    rhythmic: list[Values] = []
    places: dict[int, Values] = {}
    for name, limb in limbs:
        if limb is None or len(set(body.trunk) - set(limb.keypoints)) == 0:
            continue
        places |= {i: relative(position, position[:, i], body, fps) for i in limb.keypoints}
        moved = [_norm(rate(places[i], at, WIDTH_S, fps)) for i in limb.keypoints]
        columns[name] = np.mean(moved, axis=0)
        rhythmic = rhythmic or [places[i] for i in limb.keypoints]
    if rhythmic:
        signals = np.concatenate(rhythmic, axis=1) / np.sqrt(len(rhythmic))  # the amplitude is that of a mean limb
        names = (catalogue.LIMB_HZ, catalogue.LIMB_SWING, catalogue.LIMB_RHYTHM)
        columns |= dict(zip(names, rhythm_of(signals, at, fps), strict=True))
    if body.front and set(body.front) != set(body.trunk):
        head = _head(grid, body)
        columns[catalogue.HEAD_MOVEMENT] = _norm(rate(head, at, WIDTH_S, fps))
        names = (catalogue.HEAD_HZ, catalogue.HEAD_SWING, catalogue.HEAD_RHYTHM)
        columns |= dict(zip(names, rhythm_of(head, at, fps), strict=True))
    return columns | _of_pairs(position[at], {i: place[at] for i, place in places.items()}, body)


def _of_pairs(now: Values, places: dict[int, Values], body: Body) -> dict[str, Values]:
    """Distances between limbs and head, and which of two limbs is ahead of the other."""
    columns = {}
    if body.fore and body.front:
        head = _mean(now, body.front)
        columns[catalogue.FORE_DISTANCE] = np.mean([_norm(now[:, i] - head) for i in body.fore.keypoints], axis=0)
    for name, limb in ((catalogue.FORE_LEAD, body.fore), (catalogue.HIND_LEAD, body.hind)):
        sides = [places.get(side) for side in (limb.left, limb.right) if side is not None] if limb else []
        if len(sides) == 2 and body.front and now.shape[-1] == 2:
            left, right = sides
            if left is not None and right is not None:
                columns[name] = left[:, 0] - right[:, 0]
    if body.hind and body.hind.left is not None and body.hind.right is not None:
        columns[catalogue.HIND_WIDTH] = _norm(now[:, body.hind.left] - now[:, body.hind.right])
    return columns
