"""DeepLabCut sessions of a synthetic mouse with known behaviours."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bsoid_gpu.errors import raise_all
from bsoid_gpu.files import explained, write_atomic, write_csv
from bsoid_gpu.log import logger, progress
from bsoid_gpu.pose import Pose
from bsoid_gpu.settings.schema import MIN_FPS
from bsoid_gpu.synthetic import mouse, tracking
from bsoid_gpu.synthetic.conditions import EASY, HARD, Conditions, Range
from bsoid_gpu.synthetic.repertoire import SLOW, USUAL, Repertoire

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORER = "DLC_simulated"
TRUTH = "truth"


def simulate_session(
    name: str,
    frames: int,
    fps: float,
    rng: np.random.Generator,
    *,
    repertoire: Repertoire = USUAL,
    conditions: Conditions = EASY,
) -> tuple[Pose, NDArray[np.str_]]:
    """Pose of one session, and the behaviour in each frame.

    Parameters
    ----------
    name
        The session's name.
    frames
        Number of frames.
    fps
        Frames per second.
    rng
        Random number generator.
    repertoire, conditions
        The behaviours, and how difficult the session is.

    Returns
    -------
    tuple
        The pose, and (frames,) names of behaviours.
    """
    animal = mouse.Animal(mouse.BODY_PX * _chosen(conditions.body, rng), _chosen(conditions.pace, rng))
    camera = tracking.Camera(
        _chosen(conditions.zoom, rng), _chosen(conditions.squeeze, rng), _chosen(conditions.tilted, rng)
    )
    states = mouse.behave(frames, fps, rng, repertoire)
    position = mouse.move(states, fps, animal, rng, repertoire=repertoire, conditions=conditions)
    position, likelihood = tracking.track(
        camera.image(position), states, fps, rng, repertoire=repertoire, conditions=conditions, zoom=camera.zoom
    )
    pose = Pose(name, position[:, None], likelihood[:, None], ("mouse",), mouse.KEYPOINTS, fps, "simulated")
    return pose, np.array(repertoire.names)[states]


def _chosen(bounds: Range, rng: np.random.Generator) -> float:
    """A random value between the bounds; where they are equal, no random number is used."""
    lowest, highest = bounds
    return lowest if lowest == highest else float(rng.uniform(lowest, highest))


def simulate(
    folder: Path,
    sessions: int = 3,
    minutes: float = 5.0,
    fps: float = 60.0,
    seed: int = 0,
    *,
    hard: bool = False,
    slow: bool = False,
) -> list[Path]:
    """Write sessions as DeepLabCut CSV files, with the true behaviours.

    Parameters
    ----------
    folder
        Folder for ``NAME.csv`` and ``truth/NAME.truth.csv`` (frame, behaviour).
    sessions
        Number of sessions; session k does not depend on it.
    minutes
        Length of each.
    fps
        Frames per second, at least 10.
    seed
        Seed of the random number generator.
    hard
        Whether animals, cameras, movement and tracking vary as in real recordings.
    slow
        Whether walking and grooming have two forms each, that differ in their rhythm over seconds only.

    Returns
    -------
    list[Path]
        Paths of the sessions.

    Raises
    ------
    BadInput
        Numbers out of range, or files that exist already.
    """
    names = [f"mouse{number + 1}" for number in range(max(sessions, 0))]
    raise_all(_problems(folder, names, minutes, fps, seed))
    with explained(folder):
        (folder / TRUTH).mkdir(parents=True, exist_ok=True)
    frames = round(minutes * 60 * fps)
    repertoire, conditions = SLOW if slow else USUAL, HARD if hard else EASY
    written = []
    for name, stream in progress(
        list(zip(names, np.random.SeedSequence(seed).spawn(len(names)), strict=True)), "simulate"
    ):
        pose, behaviour = simulate_session(
            name, frames, fps, np.random.default_rng(stream), repertoire=repertoire, conditions=conditions
        )
        truth = pd.DataFrame({"frame": np.arange(frames), "behaviour": behaviour})
        write_csv(folder / TRUTH / f"{name}.truth.csv", truth)
        write_atomic(folder / f"{name}.csv", deeplabcut_csv(pose))
        logger.info("%s: %d frames x %d keypoints", name, frames, len(pose.keypoints))
        written.append(folder / f"{name}.csv")
    return written


def _problems(folder: Path, names: list[str], minutes: float, fps: float, seed: int) -> list[str]:
    problems = []
    if not names:
        problems.append("the number of sessions is below 1; expected 1 or more, for example --sessions 3")
    if not (math.isfinite(fps) and fps >= MIN_FPS):
        problems.append(f"the frame rate is {fps:g}; expected at least {MIN_FPS:g}, for example --fps 60")
    elif not (math.isfinite(minutes) and minutes * 60 * fps >= 1):
        problems.append(
            f"the sessions are {minutes:g} minutes long; expected at least one frame, for example --minutes 5"
        )
    if seed < 0:
        problems.append(f"the seed is {seed}; expected 0 or more")
    targets = [target for name in names for target in (f"{name}.csv", f"{TRUTH}/{name}.truth.csv")]
    existing = [target for target in targets if (folder / target).exists()]
    if existing:
        problems.append(f"{str(folder)!r} already contains {', '.join(existing)}: choose another folder")
    return problems


def deeplabcut_csv(pose: Pose) -> bytes:
    """The session as DeepLabCut writes it: three header rows, then one row per frame."""
    frames, keypoints = pose.frames, len(pose.keypoints)
    header = [
        ["scorer", *[SCORER] * (3 * keypoints)],
        ["bodyparts", *[name for name in pose.keypoints for _ in range(3)]],
        ["coords", *["x", "y", "likelihood"] * keypoints],
    ]
    values = np.concatenate([pose.position[:, 0], pose.confidence[:, 0, :, None]], axis=2)
    table = pd.DataFrame(values.reshape(frames, -1)).round(6)
    lines = "".join(",".join(row) + "\n" for row in header)
    return (lines + table.to_csv(header=False, lineterminator="\n")).encode()
