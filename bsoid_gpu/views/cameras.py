"""A camera that follows an animal: which square of the arena is seen in each frame, and which way it is turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.pose import Pose

    Values = NDArray[np.float64]

ARENA, EGOCENTRIC = "arena", "egocentric"
SMOOTH_S = {ARENA: 0.25, EGOCENTRIC: 0.08}  # standard deviation of the kernel that steadies the camera
SEEN_BODIES = 2.2  # side of the square in body lengths
SMALLEST_SIDE_PX = 16.0


@dataclass(frozen=True, eq=False)
class FollowingCamera:
    """What is seen in each of some frames.

    Parameters
    ----------
    centre
        (frames, 2) px: middle of the square; finite.
    turn
        (frames, 2, 2): from directions of the square (right, down) to those of the arena; a rotation.
    side_px
        Side of the square in px of the arena.
    """

    centre: Values
    turn: Values
    side_px: float

    def in_square(self, frame: int, points: Values, size: int) -> Values:
        """Positions (points, 2) of the arena in a picture of ``size`` px of frame ``frame``."""
        return (points - self.centre[frame]) @ self.turn[frame] * (size / self.side_px) + size / 2

    def to_arena(self, frame: int, size: int) -> tuple[Values, Values]:
        """Matrix (2, 2) and shift (2,) from the px of a picture of ``size`` px to those of the arena."""
        matrix = self.turn[frame] * (self.side_px / size)
        return matrix, self.centre[frame] - matrix @ np.full(2, size / 2)


def body_px(pose: Pose) -> float:
    """Length of the body: median over frames of the largest distance between two keypoints, px; NaN without any."""
    points = pose.position[:: max(1, pose.frames // 2000), 0, :, :2]
    with np.errstate(invalid="ignore"):
        distances = np.linalg.norm(points[:, :, None] - points[:, None], axis=3)
    largest = np.max(np.where(np.isnan(distances), -1.0, distances), axis=(1, 2), initial=-1.0)
    return float(np.median(largest[largest > 0])) if np.any(largest > 0) else float("nan")


def rows_of(pose: Pose, frame_numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row of the pose for each frame of the video, -1 where it has none."""
    if not pose.frames:
        return np.full(len(frame_numbers), -1)
    places = np.minimum(np.searchsorted(pose.frame_numbers, frame_numbers), pose.frames - 1)
    return np.where(pose.frame_numbers[places] == frame_numbers, places, -1)


def positions_at(pose: Pose, frame_numbers: NDArray[np.int64]) -> Values:
    """Positions of the keypoints in frames of the video: (frames, keypoints, 2) px, NaN where there are none."""
    rows = rows_of(pose, frame_numbers)
    points = pose.position[np.maximum(rows, 0), 0, :, :2] if pose.frames else np.empty((len(rows), 0, 2))
    return np.where((rows >= 0)[:, None, None], points, np.nan)


def follow(
    points: Values,
    fps: float,
    length_px: float,
    *,
    view: str = ARENA,
    front: Sequence[int] = (),
    rear: Sequence[int] = (),
) -> FollowingCamera:
    """A camera that follows the animal, steadily.

    Parameters
    ----------
    points
        (frames, keypoints, 2) px, NaN where they are missing.
    fps
        Frames per second.
    length_px
        Length of the body.
    view
        ``arena``: upright as the video; ``egocentric``: turned so that the animal looks up.
    front, rear
        Indices of the keypoints at the front and rear of the body, for the egocentric view.

    Raises
    ------
    BadInput
        Unknown view, or an egocentric one without front and rear.
    """
    if view not in SMOOTH_S:
        msg = f"the view is {view!r}; expected {ARENA} or {EGOCENTRIC}"
        raise BadInput(msg)
    if view == EGOCENTRIC and not (front and rear):
        msg = f"no keypoints at the front and rear of the body are known, with which the view could turn: use {ARENA}"
        raise BadInput(msg)
    spread = SMOOTH_S[view] * fps
    centre = steadied(_middle(points), spread)
    turn = np.broadcast_to(np.eye(2), (len(points), 2, 2))
    if view == EGOCENTRIC:
        ahead = _middle(points[:, list(front)]) - _middle(points[:, list(rear)])
        length = np.linalg.norm(ahead, axis=1, keepdims=True)
        ahead = steadied(ahead / np.where(length > 0, length, np.nan), spread, default=np.array([0.0, -1.0]))
        length = np.linalg.norm(ahead, axis=1, keepdims=True)
        ahead = np.where(length > 1e-6, ahead / np.maximum(length, 1e-6), np.array([0.0, -1.0]))
        x, y = ahead[:, 0], ahead[:, 1]  # up in the picture, (0, -1), is ahead in the arena
        turn = np.stack([np.stack([-y, -x], axis=1), np.stack([x, -y], axis=1)], axis=1)
    known = np.isfinite(length_px) and length_px > 0
    side = max(SEEN_BODIES * length_px, SMALLEST_SIDE_PX) if known else 10 * SMALLEST_SIDE_PX
    return FollowingCamera(centre, turn, float(side))


def _middle(points: Values) -> Values:
    """Mean of the keypoints that there are: (frames, 2), NaN in frames without any."""
    there: NDArray[np.bool_] = np.asarray(np.isfinite(points).all(axis=2))
    count = there.sum(axis=1)
    total = np.where(there[:, :, None], points, 0.0).sum(axis=1)
    return np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], np.nan)


def steadied(values: Values, spread_frames: float, default: Values | None = None) -> Values:
    """Values (frames, columns) without gaps, smoothed by a Gaussian; at the ends they are continued.

    Gaps are filled on a straight line; without any value, all are ``default``, or 0.
    """
    there: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1))
    if not there.any():
        return np.broadcast_to(np.zeros(values.shape[1]) if default is None else default, values.shape).copy()
    at = np.arange(len(values))
    filled = np.stack([np.interp(at, at[there], column[there]) for column in values.T], axis=1)
    reach = int(np.ceil(3 * spread_frames))
    if reach < 1:
        return filled
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread_frames) ** 2)
    padded = np.pad(filled, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel / kernel.sum(), mode="valid") for column in padded.T], axis=1)
