"""A synthetic mouse: its behaviours and the movement of its body.

The mouse is seen from above, x to the right and y down, so that a turn to its left lowers the heading. Speeds,
durations and stroke rates have the order of magnitude of mice in an open field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEYPOINTS = ("snout", "right_forepaw", "left_forepaw", "right_hindpaw", "left_hindpaw", "tail_base")
ARENA_PX = 700.0
BODY_PX = 110.0
BLEND_S = 0.12  # transition from one behaviour to the next


@dataclass(frozen=True)
class Behaviour:
    """One behaviour of the mouse.

    ``mean_s`` and ``least_s`` are the mean and the shortest duration of a bout, ``speed`` is in body lengths per
    second, ``turn`` in degrees per second, ``stretch`` the relative projected length of the body, ``stroke_px`` the
    movement of the forepaws at the face, ``sweep_px`` that of the snout from side to side, ``tuck`` how far the
    forepaws are between ground (0) and face (1), and ``rate_hz`` the rate of strokes and sweeps.
    """

    name: str
    mean_s: float
    least_s: float
    speed: float = 0.0
    turn: float = 0.0
    stretch: float = 1.0
    stroke_px: float = 0.0
    sweep_px: float = 0.0
    tuck: float = 0.0
    rate_hz: float = 0.0


BEHAVIOURS = (
    Behaviour("still", 2.5, 0.8),
    Behaviour("walk", 2.5, 0.8, speed=1.1),
    Behaviour("run", 1.8, 0.7, speed=3.6, stretch=1.06),
    Behaviour("turn_left", 0.9, 0.5, speed=0.25, turn=-210.0),
    Behaviour("turn_right", 0.9, 0.5, speed=0.25, turn=210.0),
    Behaviour("groom", 4.0, 1.2, stretch=0.82, stroke_px=8.0, tuck=1.0, rate_hz=6.0),
    Behaviour("rear", 1.8, 0.8, stretch=0.6, sweep_px=2.5, tuck=0.55, rate_hz=1.2),
    Behaviour("sniff", 1.8, 0.7, sweep_px=11.0, rate_hz=3.0),
)
NAMES = tuple(behaviour.name for behaviour in BEHAVIOURS)
# transition probabilities (rows sum to 1): a mouse stops before it grooms or rears, and walks before it runs
FOLLOWS = np.array(
    [
        #  still walk  run  left right groom rear sniff
        [0.00, 0.30, 0.05, 0.10, 0.10, 0.20, 0.10, 0.15],
        [0.15, 0.00, 0.20, 0.15, 0.15, 0.05, 0.15, 0.15],
        [0.10, 0.50, 0.00, 0.15, 0.15, 0.00, 0.05, 0.05],
        [0.10, 0.40, 0.15, 0.00, 0.10, 0.00, 0.10, 0.15],
        [0.10, 0.40, 0.15, 0.10, 0.00, 0.00, 0.10, 0.15],
        [0.40, 0.20, 0.00, 0.05, 0.05, 0.00, 0.10, 0.20],
        [0.20, 0.30, 0.05, 0.10, 0.10, 0.10, 0.00, 0.15],
        [0.20, 0.30, 0.05, 0.10, 0.10, 0.05, 0.20, 0.00],
    ]
)


@dataclass(frozen=True)
class Animal:
    """Properties that differ between sessions: length of the body in px, and a factor on all speeds."""

    body_px: float
    pace: float


def behave(frames: int, fps: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Number of the behaviour in each frame: (frames,), a Markov chain of bouts with random durations."""
    states = np.empty(frames, dtype=np.int64)
    frame, state = 0, int(rng.integers(len(BEHAVIOURS)))
    while frame < frames:
        behaviour = BEHAVIOURS[state]
        duration_s = behaviour.least_s + rng.gamma(2.0, (behaviour.mean_s - behaviour.least_s) / 2)
        stop = frame + max(1, round(duration_s * fps))
        states[frame:stop] = state
        frame, state = stop, int(rng.choice(len(BEHAVIOURS), p=FOLLOWS[state]))
    return states


def _blend(values: NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    """Moving mean over the duration of a transition."""
    width = 2 * (round(BLEND_S * fps) // 2) + 1
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")


def _parameter(name: str, states: NDArray[np.int64], fps: float) -> NDArray[np.float64]:
    return _blend(np.array([getattr(behaviour, name) for behaviour in BEHAVIOURS])[states], fps)


def _vigour(states: NDArray[np.int64], spread: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Random factor of each bout, (frames,): no two bouts are equally fast."""
    bout = np.concatenate([[0], np.cumsum(np.diff(states) != 0)])
    return np.exp(rng.normal(0, spread, size=int(bout[-1]) + 1))[bout]


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


def move(states: NDArray[np.int64], fps: float, animal: Animal, rng: np.random.Generator) -> NDArray[np.float64]:
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
    """
    vigour = _vigour(states, 0.12, rng)
    speed = _parameter("speed", states, fps) * _blend(vigour, fps) * animal.pace * animal.body_px
    turn = _parameter("turn", states, fps) * _blend(vigour, fps) * animal.pace
    centre, heading = _path(speed, turn, fps, rng)
    body = _body(states, speed, turn, animal, fps)
    forward = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    right = np.stack([-np.sin(heading), np.cos(heading)], axis=1)  # with y down, a quarter turn clockwise
    return centre[:, None, :] + body[:, :, :1] * forward[:, None, :] + body[:, :, 1:] * right[:, None, :]


def _body(
    states: NDArray[np.int64], speed: NDArray[np.float64], turn: NDArray[np.float64], animal: Animal, fps: float
) -> NDArray[np.float64]:
    """Keypoints in the frame of the body: (frames, keypoints, 2), forward and to the right, px."""
    size = animal.body_px
    tuck, stretch = _parameter("tuck", states, fps), _parameter("stretch", states, fps)
    phase = 2 * np.pi * np.cumsum(_parameter("rate_hz", states, fps)) / fps
    stroke, sweep = _parameter("stroke_px", states, fps), _parameter("sweep_px", states, fps)
    bend = np.clip(turn / 210.0, -1.5, 1.5) * 0.22 * size  # the head leads a turn, the tail trails it

    stepping = speed + 0.35 * size * np.abs(turn) / 210.0  # paws also step in a turn on the spot
    stride_hz = 2.0 + stepping / (1.3 * size)
    stride = 2 * np.pi * np.cumsum(stride_hz) / fps
    reach = np.minimum(stepping / (4 * stride_hz), 0.14 * size)  # a paw on the ground stays where it is

    keypoints = np.zeros((len(states), len(KEYPOINTS), 2))
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
