"""Behaviours of a synthetic mouse, and which follows which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class TrueBehaviour:
    """One behaviour of the mouse.

    ``mean_s`` and ``least_s`` are the mean and the shortest duration of a bout, ``speed`` is in body lengths per
    second, ``turn`` in degrees per second, ``stretch`` the relative projected length of the body, ``stroke_px`` the
    movement of the forepaws at the face, ``sweep_px`` that of the snout from side to side, ``tuck`` how far the
    forepaws are between ground (0) and face (1), and ``rate_hz`` the rate of strokes and sweeps. ``rhythm_hz``
    times a second, speed and strokes swell and fade by ``depth`` (0..1) of their mean, and the stiff body turns to and
    fro at up to ``weave`` degrees per second; at 0, each bout keeps its own level.
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
    depth: float = 0.0
    weave: float = 0.0
    rhythm_hz: float = 0.0


@dataclass(frozen=True)
class Repertoire:
    """Behaviours of an animal; ``follows[i, j]`` is the probability that a bout of j follows one of i."""

    behaviours: tuple[TrueBehaviour, ...]
    follows: NDArray[np.float64]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the behaviours, in order."""
        return tuple(behaviour.name for behaviour in self.behaviours)

    def values(self, field: str) -> NDArray[np.float64]:
        """A number of each behaviour: (behaviours,)."""
        return np.array([getattr(behaviour, field) for behaviour in self.behaviours])


USUAL = Repertoire(
    (
        TrueBehaviour("still", 2.5, 0.8),
        TrueBehaviour("walk", 2.5, 0.8, speed=1.1),
        TrueBehaviour("run", 1.8, 0.7, speed=3.6, stretch=1.06),
        TrueBehaviour("turn_left", 0.9, 0.5, speed=0.25, turn=-210.0),
        TrueBehaviour("turn_right", 0.9, 0.5, speed=0.25, turn=210.0),
        TrueBehaviour("groom", 4.0, 1.2, stretch=0.82, stroke_px=8.0, tuck=1.0, rate_hz=6.0),
        TrueBehaviour("rear", 1.8, 0.8, stretch=0.6, sweep_px=2.5, tuck=0.55, rate_hz=1.2),
        TrueBehaviour("sniff", 1.8, 0.7, sweep_px=11.0, rate_hz=3.0),
    ),
    # rows sum to 1: a mouse stops before it grooms or rears, and walks before it runs
    np.array(
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
    ),
)


def with_variants(
    usual: Repertoire,
    variants: Mapping[str, Sequence[TrueBehaviour]],
    often: Mapping[str, float] = MappingProxyType({}),
) -> Repertoire:
    """A repertoire in which equally frequent variants take the place of some behaviours.

    ``often`` are factors on the probability that a bout of a behaviour of ``usual``, by name, comes next.
    """
    behaviours: list[TrueBehaviour] = []
    origin: list[int] = []
    for number, behaviour in enumerate(usual.behaviours):
        own = variants.get(behaviour.name, (behaviour,))
        behaviours += own
        origin += [number] * len(own)
    factor = np.array([often.get(name, 1.0) for name in usual.names]) / np.bincount(origin)
    follows = usual.follows[np.ix_(origin, origin)] * factor[origin]
    return Repertoire(tuple(behaviours), follows / follows.sum(axis=1, keepdims=True))


# Variants that differ in rhythm only: in 100 ms they look alike, since they have each rate of turning and each strength
# of strokes for the same share of the time. Means over 100 ms flatten the fast rhythm: the slow one is as much weaker.
# A window of 2 s has several cycles of the fast rhythm, and a fifth of a cycle of the slow one. Only rates follow the
# rhythm: a posture that did would show its rhythm as movement within 100 ms. Strokes come at no multiple of it.
SLOW_PAIRS = (("walk_winding", "walk_weaving"), ("groom_slow", "groom_fast"))
SLOW = with_variants(
    USUAL,
    {
        "walk": [
            TrueBehaviour("walk_winding", 10.0, 6.0, speed=1.1, weave=156.0, rhythm_hz=0.1),
            TrueBehaviour("walk_weaving", 10.0, 6.0, speed=1.1, weave=170.0, rhythm_hz=1.5),
        ],
        "groom": [
            TrueBehaviour(
                name,
                10.0,
                6.0,
                stretch=0.82,
                stroke_px=8.0,
                tuck=1.0,
                rate_hz=5.3,
                depth=depth,
                weave=weave,
                rhythm_hz=rhythm_hz,
            )
            for name, depth, weave, rhythm_hz in (("groom_slow", 0.94, 103.0, 0.1), ("groom_fast", 1.0, 110.0, 1.3))
        ],
    },
    often={"groom": 3.0},  # about a minute of each form in 8 minutes
)
