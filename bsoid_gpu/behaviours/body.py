"""The body: which keypoints are front, rear, trunk and limbs, from their names or else from the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.behaviours import axis, keypoint_names
from bsoid_gpu.behaviours.keypoint_names import LEFT, RIGHT, Meaning, meaning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.pose import Pose

    Values = NDArray[np.float64]

SAMPLED = 2000  # frames of each session, for medians
BY_NAME, BY_DATA, NO_AXIS = "names", "data", "none"
ABOVE, BELOW, ASSUMED, NO_VIEW = "above", "below", "assumed above", "none"
SURE_SIDE = 0.3  # least |mean vote| on the side of the camera, -1..1
FRONT_ORDER = (keypoint_names.SNOUT, keypoint_names.HEAD, keypoint_names.EAR, keypoint_names.NECK)
REAR_ORDER = (keypoint_names.REAR, keypoint_names.HIP, keypoint_names.ABDOMEN, keypoint_names.HIND, keypoint_names.TAIL)
MIDDLE = (keypoint_names.CENTRE, keypoint_names.HIP, keypoint_names.ABDOMEN, keypoint_names.SHOULDER)
SPINE = (keypoint_names.HEAD, keypoint_names.NECK, keypoint_names.CENTRE)


@dataclass(frozen=True)
class Limbs:
    """Limbs of one kind: plural ``noun``, their keypoints, and one or no pair of a left and a right one."""

    noun: str
    keypoints: tuple[int, ...]
    left: int | None = None
    right: int | None = None


@dataclass(frozen=True)
class Body:
    """Roles of the keypoints, as indices.

    ``front`` and ``rear`` mark the ends of the body axis, both empty if there is none; ``axis_from`` is ``"names"``,
    ``"data"`` or ``"none"``. ``trunk`` are the points that stand for the place of the animal, ``points`` all points of
    the body: no tail, no point of the arena. ``view`` is the side from which the camera sees the animal: ``"above"``
    or ``"below"``, as its named left and right show, ``"assumed above"``, or ``"none"`` in 3-D. ``skeleton`` are pairs
    of keypoints to join by lines; ``front_noun`` is what the front is called.
    """

    keypoints: tuple[str, ...]
    front: tuple[int, ...]
    rear: tuple[int, ...]
    trunk: tuple[int, ...]
    points: tuple[int, ...]
    fore: Limbs | None
    hind: Limbs | None
    other: Limbs | None
    skeleton: tuple[tuple[int, int], ...]
    axis_from: str
    view: str
    front_noun: str = "front"
    notes: tuple[str, ...] = ()

    @property
    def right_sign(self) -> int:
        """1 if the animal's right is clockwise of its heading in the image (y down), else -1."""
        return -1 if self.view == BELOW else 1


def body_of(poses: Sequence[Pose]) -> Body:
    """Roles of the keypoints of sessions with the same keypoints.

    Parameters
    ----------
    poses
        Sessions, positions (frames, 1, keypoints, 2 or 3); frames with NaN are left out.
    """
    keypoints = tuple(poses[0].keypoints)
    meanings = [meaning(name) for name in keypoints]
    tracks = [_track(pose) for pose in poses]
    sampled = np.concatenate([track[np.linspace(0, len(track) - 1, min(SAMPLED, len(track))).astype(int)]
                              for track in tracks if len(track)] or [tracks[0]])  # fmt: skip
    points = _points_of_body(meanings)
    front, rear = _ends_by_name(meanings, points)
    axis_from, notes = BY_NAME, []
    if not (front and rear):
        stiff = [i for i in points if meanings[i].part not in _LIMB_PARTS]
        front, rear, sentence = axis.ends_from_data(poses, sampled, stiff, front, rear)
        axis_from = BY_DATA if front else NO_AXIS
        notes.append(_axis_note(sentence, keypoints, front, rear))
    view = _view(sampled, front, rear, meanings)
    sign = -1 if view == BELOW else 1
    limbs = {part: _limbs(part, meanings, sampled, front, rear, sign) for part in _LIMB_PARTS}
    return Body(
        keypoints=keypoints,
        front=front,
        rear=rear,
        trunk=(_trunk(meanings, points) if axis_from == BY_NAME else ()) or points,
        points=points,
        fore=limbs[keypoint_names.FORE],
        hind=limbs[keypoint_names.HIND],
        other=limbs[keypoint_names.OTHER_LIMB],
        skeleton=axis.skeleton(
            sampled,
            front,
            rear,
            [one.side for one in meanings],
            [i for i, one in enumerate(meanings) if one.part in SPINE],
            _joinable(meanings),
        ),
        axis_from=axis_from,
        view=view,
        front_noun=_front_noun(front, meanings),
        notes=tuple(notes),
    )


def body_length_px(poses: Sequence[Pose], body: Body) -> float:
    """Median distance of front and rear, in px; without an axis, of the two points that are farthest apart.

    Returns
    -------
    float
        1 if the animal has no size.
    """
    lengths = []
    for pose in poses:
        track = _track(pose)
        if not len(track):
            continue
        if body.front:
            span = track[:, list(body.front)].mean(axis=1) - track[:, list(body.rear)].mean(axis=1)
            lengths.append(np.median(np.linalg.norm(span, axis=-1)))
        else:
            lengths.append(np.median(axis.distances(track[:: max(1, len(track) // SAMPLED)]), axis=0).max())
    length_px = float(np.median(lengths)) if lengths else 0.0
    return length_px if length_px > 1e-6 else 1.0


_LIMB_PARTS = (keypoint_names.FORE, keypoint_names.HIND, keypoint_names.OTHER_LIMB)


def _track(pose: Pose) -> Values:
    """Positions (frames, keypoints, space) of the frames in which all are known."""
    track = np.asarray(pose.position)[:, 0]
    return track[np.isfinite(track).all(axis=(1, 2))]


def _points_of_body(meanings: Sequence[Meaning]) -> tuple[int, ...]:
    """Keypoints that are no tail and no part of the arena; all, if fewer than 2 remain."""
    outside = (keypoint_names.TAIL, keypoint_names.ARENA)
    points = tuple(i for i, one in enumerate(meanings) if one.part not in outside)
    if len(points) < 2:
        points = tuple(i for i, one in enumerate(meanings) if one.part != keypoint_names.ARENA)
    return points if len(points) >= 2 else tuple(range(len(meanings)))


def _joinable(meanings: Sequence[Meaning]) -> list[int]:
    joinable = [i for i, one in enumerate(meanings) if one.part != keypoint_names.ARENA]
    return joinable if len(joinable) >= 2 else list(range(len(meanings)))


def _ends_by_name(meanings: Sequence[Meaning], points: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Front and rear by the names; a pair of left and right stands for the point between them."""

    def first(order: Sequence[str], taken: Sequence[int]) -> tuple[int, ...]:
        for part in order:
            own = [i for i in range(len(meanings)) if meanings[i].part == part and i not in taken]
            sides = {meanings[i].side for i in own}
            middle = [i for i in own if not meanings[i].side]
            if part in (keypoint_names.SNOUT, keypoint_names.HEAD, keypoint_names.REAR) and middle:
                return tuple(middle)
            if middle and part not in (keypoint_names.EAR, keypoint_names.HIND, keypoint_names.HIP):
                return (middle[0],)
            if {LEFT, RIGHT} <= sides or len(own) == 2:
                return tuple(own)
        return ()

    front = first(FRONT_ORDER, ())
    # hindlimbs and tails are an end of the body only if the other one has a name
    return front, first(REAR_ORDER if front else REAR_ORDER[:3], front)


def _front_noun(front: Sequence[int], meanings: Sequence[Meaning]) -> str:
    """What the front is called: that it is a head is known from its name only."""
    parts = {meanings[i].part for i in front}
    if parts == {keypoint_names.SNOUT}:
        return "nose" if all("nose" in meanings[i].base for i in front) else "snout"
    return "head" if parts and parts <= {keypoint_names.HEAD, keypoint_names.EAR} else "front"


def _trunk(meanings: Sequence[Meaning], points: Sequence[int]) -> tuple[int, ...]:
    """Points that stand for the place of the animal: its rear and middle, or with no middle its hindlimbs."""
    parts: tuple[str, ...] = (keypoint_names.REAR, *MIDDLE)
    if not any(meanings[i].part in MIDDLE for i in points):
        parts = (keypoint_names.REAR, keypoint_names.HIND)
    return tuple(i for i in points if meanings[i].part in parts)


def _axis_note(sentence: str, keypoints: Sequence[str], front: Sequence[int], rear: Sequence[int]) -> str:
    if not front:
        return f"the keypoints have no known front and rear: {sentence}; nothing is said about directions"
    return (
        f"front ({', '.join(keypoints[i] for i in front)}) and rear ({', '.join(keypoints[i] for i in rear)}) "
        f"were taken from the data: {sentence}"
    )


def _right_of_axis(
    track: Values, front: Sequence[int], rear: Sequence[int], right: Sequence[int], left: Sequence[int]
) -> float:
    """Mean vote, -1..1, that ``right`` is clockwise of the heading, seen from ``left``, in an image with y down."""
    along = track[:, list(front)].mean(axis=1) - track[:, list(rear)].mean(axis=1)
    across = track[:, list(right)].mean(axis=1) - track[:, list(left)].mean(axis=1)
    return float(np.mean(np.sign(along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0])))


def _view(track: Values, front: Sequence[int], rear: Sequence[int], meanings: Sequence[Meaning]) -> str:
    if track.shape[-1] == 3:
        return NO_VIEW
    if not front or not len(track):
        return ASSUMED
    lefts = {(one.part, one.base): i for i, one in enumerate(meanings) if one.side == LEFT}
    pairs = [
        (i, lefts[one.part, one.base])
        for i, one in enumerate(meanings)
        if one.side == RIGHT and (one.part, one.base) in lefts and one.part != keypoint_names.ARENA
    ]
    if not pairs:
        return ASSUMED
    vote = float(np.mean([_right_of_axis(track, front, rear, [right], [left]) for right, left in pairs]))
    if abs(vote) < SURE_SIDE:
        return ASSUMED
    return ABOVE if vote > 0 else BELOW


def _limbs(
    part: str, meanings: Sequence[Meaning], track: Values, front: Sequence[int], rear: Sequence[int], right_sign: int
) -> Limbs | None:
    """Limbs of one part; two without named sides get theirs from where they are."""
    own = [i for i, one in enumerate(meanings) if one.part == part and i not in (*front, *rear)]
    if part == keypoint_names.OTHER_LIMB and any(meanings[i].noun == "wings" for i in own):
        own = [i for i in own if meanings[i].noun == "wings"]
    if not own:
        return None
    noun = meanings[own[0]].noun
    left, right = ([i for i in own if meanings[i].side == side] for side in (LEFT, RIGHT))
    if len(left) == len(right) == 1:
        return Limbs(noun, tuple(own), left[0], right[0])
    if len(own) == 2 and not left and not right and front and track.shape[-1] == 2 and len(track):
        vote = _right_of_axis(track, front, rear, [own[1]], [own[0]]) * right_sign
        if abs(vote) >= SURE_SIDE:
            return Limbs(noun, tuple(own), *(own if vote > 0 else own[::-1]))
    return Limbs(noun, tuple(own))
