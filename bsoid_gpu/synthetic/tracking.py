"""What a camera and a tracker make of the synthetic mouse: an image of some size, jitter, and hidden keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.synthetic.conditions import EASY, Conditions
from bsoid_gpu.synthetic.mouse import ARENA_PX
from bsoid_gpu.synthetic.noise import low_passed
from bsoid_gpu.synthetic.repertoire import USUAL, Repertoire

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOREPAWS = (1, 2)  # of mouse.KEYPOINTS
GROUPS = ((0, 1, 2), (3, 4, 5), (1, 3), (2, 4), (0, 1, 2, 3, 4))  # hidden together: ends, sides, all but the tail
JUMP_PX = 25.0


@dataclass(frozen=True)
class Camera:
    """A camera above the arena: size of its image, and shortening along a direction (radians), as it is tilted."""

    zoom: float = 1.0
    squeeze: float = 1.0
    direction: float = 0.0

    def image(self, position: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where it sees positions (..., 2) px of the arena."""
        along = np.array([np.cos(self.direction), np.sin(self.direction)])
        distance = (position - ARENA_PX / 2) @ along
        return (position - (1 - self.squeeze) * distance[..., None] * along) * self.zoom


def track(
    position: NDArray[np.float64],
    states: NDArray[np.int64],
    fps: float,
    rng: np.random.Generator,
    *,
    repertoire: Repertoire = USUAL,
    conditions: Conditions = EASY,
    zoom: float = 1.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Output of a tracker: positions with jitter, and low likelihood at wrong positions while keypoints are hidden.

    Parameters
    ----------
    position
        (frames, keypoints, 2) px in the image.
    states
        (frames,) number of the behaviour.
    fps
        Frames per second.
    rng
        Random number generator.
    repertoire, conditions
        The behaviours, and how difficult the tracking is.
    zoom
        Size of the image: errors in px grow with it.

    Returns
    -------
    tuple
        (frames, keypoints, 2) px and (frames, keypoints) in 0..1.
    """
    frames, keypoints, _ = position.shape
    seen = position
    for spread_px, constant_s in conditions.jitter:
        seen = seen + low_passed(spread_px * zoom, constant_s, position.shape, fps, rng)
    hidden = _hidden(repertoire.values("tuck")[states] > 0, keypoints, fps, rng, conditions)
    likelihood = 1.0 - np.minimum(rng.exponential(0.004, size=(frames, keypoints)), 0.3)
    likelihood[hidden] = rng.beta(1.2, 6.0, size=int(hidden.sum()))
    # in place of a hidden keypoint, the tracker picks points nearby
    seen[hidden] += rng.normal(0, JUMP_PX * zoom, size=(int(hidden.sum()), 2))
    if conditions.group_per_s:
        together = _hidden_together((frames, keypoints), fps, rng, conditions)
        wander_px, wander_s = conditions.wander
        seen = np.where(
            together[..., None],
            _held(seen, together) + low_passed(wander_px * zoom, wander_s, seen.shape, fps, rng),
            seen,
        )
        likelihood[together] = rng.beta(2.0, 5.0, size=int(together.sum()))
    return np.clip(seen, 0.0, ARENA_PX * zoom), np.clip(likelihood, 0.0, 1.0)


def _hidden(
    at_face: NDArray[np.bool_], keypoints: int, fps: float, rng: np.random.Generator, conditions: Conditions
) -> NDArray[np.bool_]:
    """Frames in which each keypoint is hidden: a few per cent, in runs; forepaws more often at the face."""
    frames = len(at_face)
    hidden = np.zeros((frames, keypoints), dtype=bool)
    for keypoint in range(keypoints):
        per_s = np.where(at_face & (keypoint in FOREPAWS), conditions.face_per_s, conditions.hidden_per_s)
        for start in np.flatnonzero(rng.uniform(size=frames) < per_s / fps):
            hidden[start : start + _run_frames(conditions.hidden_s, fps, rng), keypoint] = True
    hidden[0] = False
    return hidden


def _hidden_together(
    shape: tuple[int, int], fps: float, rng: np.random.Generator, conditions: Conditions
) -> NDArray[np.bool_]:
    """Frames in which keypoints that are neighbours are hidden together: (frames, keypoints)."""
    hidden = np.zeros(shape, dtype=bool)
    for start in np.flatnonzero(rng.uniform(size=shape[0]) < conditions.group_per_s / fps):
        group = GROUPS[rng.integers(len(GROUPS))]
        hidden[start : start + _run_frames(conditions.group_s, fps, rng), list(group)] = True
    hidden[0] = False
    return hidden


def _run_frames(mean_s: float, fps: float, rng: np.random.Generator) -> int:
    return max(1, round(rng.gamma(2.0, mean_s / 2) * fps))


def _held(seen: NDArray[np.float64], hidden: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Positions (frames, keypoints, 2) at which each hidden keypoint was seen last; in the first frame, all are."""
    frames = np.arange(len(seen))[:, None]
    last = np.maximum.accumulate(np.where(hidden, 0, frames), axis=0)
    return np.take_along_axis(seen, last[..., None], axis=0)
