"""Sessions with known movement."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bsoid_gpu.pose import Pose
from bsoid_gpu.synthetic import mouse
from bsoid_gpu.synthetic.conditions import EASY
from bsoid_gpu.synthetic.course import Course, course
from bsoid_gpu.synthetic.repertoire import USUAL
from bsoid_gpu.synthetic.sessions import simulate_session

NAMES = ("snout", "paw_r", "paw_l", "tail_base")


def pose_of(position, fps=50.0, keypoints=NAMES, frame_numbers=None, name="session"):
    """Pose of positions (frames, keypoints, space)."""
    position = np.asarray(position, dtype=float)
    confidence = np.ones(position.shape[:2])[:, None]
    return Pose(name, position[:, None], confidence, ("animal",), keypoints, fps, frame_numbers=frame_numbers)


class Simulated(NamedTuple):
    """A session of the synthetic mouse, its labels, and what it really did in each frame."""

    pose: Pose
    labels: np.ndarray
    pace: float
    course: Course


def simulated(seed, fps, seconds=240.0, conditions=EASY):
    """Labels are the numbers of ``mouse.NAMES``; the course is computed again from the same random numbers."""
    frames = round(seconds * fps)
    pose, behaviour = simulate_session(f"m{seed}", frames, fps, np.random.default_rng(seed), conditions=conditions)
    labels = np.array([mouse.NAMES.index(name) for name in behaviour])
    if conditions is not EASY:
        return Simulated(pose, labels, np.nan, None)
    rng = np.random.default_rng(seed)
    rng.uniform(*EASY.body)
    pace = rng.uniform(*EASY.pace)
    states = mouse.behave(frames, fps, rng)
    np.testing.assert_array_equal(states, labels)
    return Simulated(pose, labels, pace, course(states, fps, rng, USUAL, EASY))
