"""A synthetic mouse: its behaviours and the movement of its body.

The mouse is seen from above, x to the right and y down, so that a turn to its left lowers the heading. Speeds,
durations and stroke rates have the order of magnitude of mice in an open field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.synthetic.conditions import EASY, Conditions
from bsoid_gpu.synthetic.course import Course, course
from bsoid_gpu.synthetic.repertoire import USUAL, Repertoire

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEYPOINTS = ("snout", "right_forepaw", "left_forepaw", "right_hindpaw", "left_hindpaw", "tail_base")
ARENA_PX = 700.0
BODY_PX = 110.0
NAMES = USUAL.names


@dataclass(frozen=True)
class Animal:
    """Properties that differ between sessions: length of the body in px, and a factor on all speeds."""

    body_px: float
    pace: float


def behave(frames: int, fps: float, rng: np.random.Generator, repertoire: Repertoire = USUAL) -> NDArray[np.int64]:
    """Number of the behaviour in each frame: (frames,), a Markov chain of bouts with random durations."""
    states = np.empty(frames, dtype=np.int64)
    frame, state = 0, int(rng.integers(len(repertoire.behaviours)))
    while frame < frames:
        behaviour = repertoire.behaviours[state]
        duration_s = behaviour.least_s + rng.gamma(2.0, (behaviour.mean_s - behaviour.least_s) / 2)
        stop = frame + max(1, round(duration_s * fps))
        states[frame:stop] = state
        frame, state = stop, int(rng.choice(len(repertoire.behaviours), p=repertoire.follows[state]))
    return states


def _path(
    speed_px_s: NDArray[np.float64], turn_deg_s: NDArray[np.float64], fps: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre (frames, 2) px and heading (frames,) radians; near a wall a moving mouse turns towards the centre."""
    frames = len(speed_px_s)
    centre, heading = np.empty((frames, 2)), np.empty(frames)
    x, y = rng.uniform(0.3, 0.7, size=2) * ARENA_PX
    angle = rng.uniform(-np.pi, np.pi)
    middle, margin = ARENA_PX / 2, ARENA_PX / 2 - BODY_PX
    # a step between two frames has their mean speed, so that movement is not ahead of its frame
    turns = np.radians(np.convolve(turn_deg_s, [0.5, 0.5])[:frames]) / fps
    steps = np.convolve(speed_px_s, [0.5, 0.5])[:frames] / fps
    for t in range(frames):
        ahead = 0.4 * speed_px_s[t]
        if max(abs(x + ahead * np.cos(angle) - middle), abs(y + ahead * np.sin(angle) - middle)) > margin:
            off = (np.arctan2(middle - y, middle - x) - angle + np.pi) % (2 * np.pi) - np.pi
            limit = 1.6 * steps[t] / BODY_PX  # a path bends no tighter than the body
            angle += min(max(off, -limit), limit)
        angle += turns[t]
        x = min(max(x + steps[t] * np.cos(angle), BODY_PX / 2), ARENA_PX - BODY_PX / 2)
        y = min(max(y + steps[t] * np.sin(angle), BODY_PX / 2), ARENA_PX - BODY_PX / 2)
        centre[t], heading[t] = (x, y), angle
    return centre, heading


def move(
    states: NDArray[np.int64],
    fps: float,
    animal: Animal,
    rng: np.random.Generator,
    *,
    repertoire: Repertoire = USUAL,
    conditions: Conditions = EASY,
) -> NDArray[np.float64]:
    """Position of each keypoint: (frames, keypoints, 2) px.

    Parameters
    ----------
    states
        (frames,) number of the behaviour.
    fps
        Frames per second.
    animal
        Size and pace.
    rng
        Random number generator.
    repertoire, conditions
        The behaviours, and how much they vary.
    """
    does = course(states, fps, rng, repertoire, conditions)
    speed = does.speed * animal.pace * animal.body_px
    turn = does.turn * animal.pace
    centre, heading = _path(speed, turn + does.weave * animal.pace, fps, rng)
    body = _body(does, speed, turn, animal, fps)
    forward = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    right = np.stack([-np.sin(heading), np.cos(heading)], axis=1)  # with y down, a quarter turn clockwise
    return centre[:, None, :] + body[:, :, :1] * forward[:, None, :] + body[:, :, 1:] * right[:, None, :]


def _body(
    does: Course, speed: NDArray[np.float64], turn: NDArray[np.float64], animal: Animal, fps: float
) -> NDArray[np.float64]:
    """Keypoints in the frame of the body: (frames, keypoints, 2), forward and to the right, px."""
    size = animal.body_px
    tuck, stretch, stroke, sweep = does.tuck, does.stretch, does.stroke_px, does.sweep_px
    phase = 2 * np.pi * np.cumsum(does.rate_hz) / fps
    # the head leads a turn, the tail trails it
    bend = np.clip(turn / 210.0, -1.5, 1.5) * 0.22 * size + does.bend * size

    stepping = speed + 0.35 * size * np.abs(turn) / 210.0  # paws also step in a turn on the spot
    stride_hz = 2.0 + stepping / (1.3 * size)
    stride = 2 * np.pi * np.cumsum(stride_hz) / fps
    reach = np.minimum(stepping / (4 * stride_hz), 0.14 * size)  # a paw on the ground stays where it is

    keypoints = np.zeros((len(speed), len(KEYPOINTS), 2))
    keypoints[:, 0, 0] = 0.5 * size * stretch + 0.25 * stroke * np.sin(0.5 * phase)
    keypoints[:, 0, 1] = bend + sweep * np.sin(phase)
    keypoints[:, 5, 0] = -0.5 * size * stretch
    keypoints[:, 5, 1] = -0.4 * bend
    for paw, side, diagonal in ((1, 1, 0.0), (2, -1, np.pi), (3, 1, np.pi), (4, -1, 0.0)):
        swing = reach * np.sin(stride + diagonal)
        if paw <= 2:  # at the face, both forepaws stroke together
            ground_x, ground_y = 0.24 * size * stretch, 0.15 * size
            face_x, face_y = keypoints[:, 0, 0] - 0.07 * size, 0.06 * size
            keypoints[:, paw, 0] = (1 - tuck) * ground_x + tuck * face_x + swing + stroke * np.sin(phase)
            keypoints[:, paw, 1] = side * ((1 - tuck) * ground_y + tuck * face_y) + 0.5 * bend
        else:
            keypoints[:, paw, 0] = -0.28 * size * stretch + swing
            keypoints[:, paw, 1] = side * 0.17 * size - 0.2 * bend
    return keypoints
