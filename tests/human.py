"""Files of human pose estimators for tests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def walk(frames: int = 40, keypoints: int = 25, seed: int = 0, space: int = 2):
    """Positions and confidences of one person, (frames, keypoints, space + 1)."""
    rng = np.random.default_rng(seed)
    position = rng.normal(0, 2, (frames, keypoints, space)).cumsum(axis=0) + 300 + 10 * np.arange(keypoints)[:, None]
    return np.concatenate([position, rng.uniform(0.3, 1, (frames, keypoints, 1))], axis=-1)


def openpose_person(values, identity=-1, key="pose_keypoints_2d"):
    return {"person_id": [identity], key: np.ravel(values).tolist()}


def openpose_folder(folder: Path, frames, name="walk_", first=0) -> Path:
    """A folder with a file for each frame, which is a list of people."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, people in enumerate(frames, first):
        content = {"version": 1.3, "people": people}
        (folder / f"{name}{number:012d}_keypoints.json").write_text(json.dumps(content, separators=(",", ":")))
    return folder
