"""What a tracker reports of the synthetic mouse: jitter, and keypoints that are hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.synthetic import mouse

if TYPE_CHECKING:
    from numpy.typing import NDArray

JITTER_PX, DRIFT_PX, DRIFT_S = 0.4, 0.6, 0.5


def track(
    position: NDArray[np.float64], states: NDArray[np.int64], fps: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Output of a tracker: positions with jitter, and jumps with low likelihood while a keypoint is hidden.

    Returns
    -------
    tuple
        (frames, keypoints, 2) px and (frames, keypoints) in 0..1.
    """
    frames, keypoints, _ = position.shape
    seen = position + rng.normal(0, JITTER_PX, size=position.shape) + _drift(position.shape, fps, rng)
    hidden = _hidden(states, keypoints, fps, rng)
    likelihood = 1.0 - np.minimum(rng.exponential(0.004, size=(frames, keypoints)), 0.3)
    likelihood[hidden] = rng.beta(1.2, 6.0, size=int(hidden.sum()))
    # in place of a hidden keypoint, the tracker picks points nearby
    seen[hidden] += rng.normal(0, 25.0, size=(int(hidden.sum()), 2))
    return np.clip(seen, 0.0, mouse.ARENA_PX), np.clip(likelihood, 0.0, 1.0)


def _drift(shape: tuple[int, ...], fps: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Slow drift of the tracked point about the true one: white noise through a first-order low pass."""
    from scipy.signal import lfilter

    decay = np.exp(-1 / (DRIFT_S * fps))
    noise = rng.normal(0, DRIFT_PX * np.sqrt(1 - decay**2), size=shape)
    return np.asarray(lfilter([1.0], [1.0, -decay], noise, axis=0))


def _hidden(states: NDArray[np.int64], keypoints: int, fps: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Frames in which each keypoint is hidden: a few per cent, in runs; forepaws more often at the face."""
    frames = len(states)
    hidden = np.zeros((frames, keypoints), dtype=bool)
    at_face = np.isin(states, [mouse.NAMES.index("groom"), mouse.NAMES.index("rear")])
    for keypoint in range(keypoints):
        per_s = np.where(at_face & (keypoint in (1, 2)), 0.5, 0.12)
        for start in np.flatnonzero(rng.uniform(size=frames) < per_s / fps):
            hidden[start : start + max(1, round(rng.gamma(2.0, 0.1) * fps)), keypoint] = True
    hidden[0] = False
    return hidden
