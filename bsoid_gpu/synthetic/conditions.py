"""How difficult simulated sessions are: animals, cameras, movement, transitions and tracking."""

from __future__ import annotations

import math
from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Conditions:
    """Difficulty of simulated sessions; ranges are lowest and highest value.

    For each session: ``body`` is the length of the animal relative to ``mouse.BODY_PX``, ``pace`` a factor on its
    speeds, ``zoom`` the size of the image, and ``squeeze`` its shortening along the direction ``tilted`` (radians), as
    by a tilted camera. For each bout: ``vigour``, ``strength`` and ``tempo`` are the spreads (of the logarithm) of
    speed and turn, of strokes and sweeps, and of their rate; ``blend_s`` is the duration of the transition to it.
    Within bouts, ``swing`` is the spread of the logarithm of speed, strokes and rate about those of the bout, and
    ``posture`` that of stretch and of the bend of the body, in body lengths; both vary over ``swing_s``.

    ``jitter`` are standard deviation (px at zoom 1) and time constant (s, 0 for white noise) of the parts of the
    tracking error. A keypoint is hidden ``hidden_per_s`` times a second, at the face ``face_per_s`` times, for
    ``hidden_s`` on average; the tracker then jumps nearby. Neighbouring keypoints are hidden together
    ``group_per_s`` times a second for ``group_s``; the tracker then holds their positions and wanders by ``wander``
    (as ``jitter``).
    """

    body: Range
    pace: Range
    zoom: Range
    squeeze: Range
    tilted: Range
    vigour: float
    strength: float
    tempo: float
    swing: float
    posture: float
    swing_s: float
    blend_s: Range
    jitter: tuple[tuple[float, float], ...]
    hidden_per_s: float
    face_per_s: float
    hidden_s: float
    group_per_s: float
    group_s: float
    wander: tuple[float, float]


EASY = Conditions(
    body=(0.95, 1.05),
    pace=(0.93, 1.07),
    zoom=(1.0, 1.0),
    squeeze=(1.0, 1.0),
    tilted=(0.0, 0.0),
    vigour=0.12,
    strength=0.0,
    tempo=0.0,
    swing=0.0,
    posture=0.0,
    swing_s=1.0,
    blend_s=(0.12, 0.12),
    jitter=((0.4, 0.0), (0.6, 0.5)),
    hidden_per_s=0.12,
    face_per_s=0.5,
    hidden_s=0.2,
    group_per_s=0.0,
    group_s=0.0,
    wander=(0.0, 0.0),
)
HARD = Conditions(
    body=(0.75, 1.3),
    pace=(0.8, 1.25),
    zoom=(0.7, 1.5),
    squeeze=(0.88, 1.0),
    tilted=(0.0, math.pi),
    vigour=0.4,
    strength=0.25,
    tempo=0.15,
    swing=0.2,
    posture=0.03,
    swing_s=1.0,
    blend_s=(0.1, 0.8),
    jitter=((0.6, 0.0), (0.9, 0.1), (1.2, 0.5), (1.5, 5.0)),
    hidden_per_s=0.12,
    face_per_s=0.5,
    hidden_s=0.3,
    group_per_s=0.08,
    group_s=0.8,
    wander=(8.0, 0.4),
)
