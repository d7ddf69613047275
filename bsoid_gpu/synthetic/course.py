"""The course of a session: what the mouse does, as speeds, postures and rates in each frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.synthetic.conditions import Conditions
from bsoid_gpu.synthetic.noise import low_passed
from bsoid_gpu.synthetic.repertoire import Repertoire

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

LONGEST_SHARE = 0.8  # of the shorter of two bouts, that their transition takes


@dataclass(frozen=True)
class Course:
    """Speeds, postures and rates, each (frames,), in the units of ``TrueBehaviour``.

    ``bend`` is in body lengths; ``weave`` is the rate at which the rhythm turns the body, which does not bend it.
    """

    speed: Values
    turn: Values
    weave: Values
    stretch: Values
    stroke_px: Values
    sweep_px: Values
    tuck: Values
    rate_hz: Values
    bend: Values


def course(
    states: NDArray[np.int64], fps: float, rng: np.random.Generator, repertoire: Repertoire, conditions: Conditions
) -> Course:
    """Course of the behaviours ``states`` (frames,), with the variation of the conditions."""
    blend = _blend(states, fps, rng, conditions)
    vigour, strength, tempo = (
        _of_bouts(states, spread, rng, blend) for spread in (conditions.vigour, conditions.strength, conditions.tempo)
    )

    def parameter(name: str) -> Values:
        return blend(repertoire.values(name)[states])

    def swing(spread: float) -> Values:
        return low_passed(spread, conditions.swing_s, states.shape, fps, rng)

    wave = _wave(states, fps, rng, repertoire, blend)
    rhythm = 1 + parameter("depth") * wave
    amplitude = strength * np.exp(swing(conditions.swing)) * rhythm
    return Course(
        speed=parameter("speed") * vigour * np.exp(swing(conditions.swing)) * rhythm,
        turn=parameter("turn") * vigour * np.exp(swing(conditions.swing)),
        weave=parameter("weave") * vigour * wave,
        stretch=parameter("stretch") + swing(conditions.posture),
        stroke_px=parameter("stroke_px") * amplitude,
        sweep_px=parameter("sweep_px") * amplitude,
        tuck=parameter("tuck"),
        rate_hz=parameter("rate_hz") * tempo * np.exp(swing(conditions.swing)),
        bend=swing(conditions.posture),
    )


def bout_numbers(states: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the bout in each frame, from 0: (frames,)."""
    return np.concatenate([[0], np.cumsum(np.diff(states) != 0)])


def _of_bouts(
    states: NDArray[np.int64], spread: float, rng: np.random.Generator, blend: Callable[[Values], Values]
) -> Values:
    """Random factor of each bout, (frames,): no two bouts are equally fast."""
    if spread == 0:
        return np.ones(len(states))
    bout = bout_numbers(states)
    return blend(np.exp(rng.normal(0, spread, size=int(bout[-1]) + 1))[bout])


def _wave(
    states: NDArray[np.int64],
    fps: float,
    rng: np.random.Generator,
    repertoire: Repertoire,
    blend: Callable[[Values], Values],
) -> Values:
    """Rhythm of speed, strokes and weaving, (frames,): a sine wave with the rate of the behaviour.

    Each bout has a random phase. Without a rate, the phase and so the value is the same for the whole bout: over many
    bouts, each value has the share of time that it has in a sine wave.
    """
    if not (repertoire.values("depth").any() or repertoire.values("weave").any()):
        return np.zeros(len(states))
    bout = bout_numbers(states)
    first = rng.uniform(0, 2 * np.pi, size=int(bout[-1]) + 1)[bout]
    phase = 2 * np.pi * np.cumsum(blend(repertoire.values("rhythm_hz")[states])) / fps + blend(first)
    return np.sin(phase)


def _blend(
    states: NDArray[np.int64], fps: float, rng: np.random.Generator, conditions: Conditions
) -> Callable[[Values], Values]:
    """Function that makes the steps between bouts gradual."""
    shortest_s, longest_s = conditions.blend_s
    if shortest_s == longest_s:
        return lambda values: _moving_mean(values, shortest_s, fps)
    starts = np.flatnonzero(np.diff(states)) + 1
    lengths = np.diff(starts, prepend=0, append=len(states))
    widths = rng.uniform(shortest_s, longest_s, size=len(starts)) * fps
    widths = np.minimum(widths, LONGEST_SHARE * np.minimum(lengths[:-1], lengths[1:]))
    # a line from the value of one bout to that of the next, centred between the frames where they meet
    knots = (starts[:, None] - 0.5 + widths[:, None] * [-0.5, 0.5]).ravel()

    def ramp(values: Values) -> Values:
        of_bouts = values[np.concatenate([[0], starts])]
        ends = np.stack([of_bouts[:-1], of_bouts[1:]], axis=1).ravel()
        return np.interp(np.arange(len(values)), knots, ends) if len(starts) else values

    return ramp


def _moving_mean(values: Values, width_s: float, fps: float) -> Values:
    width = 2 * (round(width_s * fps) // 2) + 1
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")
