"""Sessions of a synthetic mouse for comparisons of two backends: as many bins as requested, some of them repeated."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.io.sessions import Content
from bsoid_gpu.synthetic.sessions import deeplabcut_csv, simulate_session

if TYPE_CHECKING:
    from bsoid_gpu.pose import Pose

FPS = 60.0
BIN_FRAMES = 6  # of 100 ms
LONGEST_BINS = 9_000  # of a session: 15 minutes
FROZEN_SHARE, FROZEN_S = 0.02, 3.0  # of the frames, in stretches of that length


def simulated(bins: int, seed: int = 0) -> list[Content]:
    """Sessions of equal length as DeepLabCut CSV files in memory, with ``bins`` bins together, or a few less.

    Parameters
    ----------
    bins
        Number of bins of 100 ms.
    seed
        Seed of the random number generator.
    """
    sessions = math.ceil(bins / LONGEST_BINS)
    frames = bins // sessions * BIN_FRAMES + 1  # a bin is made of steps from one frame to the next
    contents = []
    for number, stream in enumerate(np.random.SeedSequence(seed).spawn(sessions), start=1):
        rng = np.random.default_rng(stream)
        pose, _ = simulate_session(f"mouse{number}", frames, FPS, rng)
        contents.append(Content(pose.name, Path(f"{pose.name}.csv"), deeplabcut_csv(frozen(pose, rng))))
    return contents


def frozen(pose: Pose, rng: np.random.Generator) -> Pose:
    """The pose with stretches in which nothing moves, as a stuck tracker reports them: their bins are equal rows.

    Equal rows have neighbours at distance 0 and ties everywhere, where implementations differ first.
    """
    length = round(FROZEN_S * pose.fps)
    position, confidence = pose.position.copy(), pose.confidence.copy()
    for _ in range(max(1, round(FROZEN_SHARE * pose.frames / length))):
        start = int(rng.integers(max(1, pose.frames - length)))
        stretch = slice(start, start + length)
        position[stretch], confidence[stretch] = position[start], confidence[start]
    return replace(pose, position=position, confidence=confidence)
