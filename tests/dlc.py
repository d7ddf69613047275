"""DeepLabCut files for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

NAMES = ("snout", "left paw", "right paw", "tail/base")


def wander(frames: int = 700, keypoints: int = 4, seed: int = 0):
    """Random walks of keypoints, with low likelihood in a few frames: (frames, keypoints, 3)."""
    rng = np.random.default_rng(seed)
    xy = rng.normal(0, 1.5, size=(frames, keypoints, 2)).cumsum(axis=0) * 0.3
    xy += np.sin(np.arange(frames) / 40)[:, None, None] * 30 + 300 + np.arange(keypoints)[:, None] * 25
    likelihood = 1 - rng.uniform(0, 0.02, size=(frames, keypoints)) ** 2
    likelihood[rng.uniform(size=(frames, keypoints)) < 0.03] = 0.1
    return np.concatenate([xy, likelihood[..., None]], axis=-1)


def cell(value: float) -> str:
    return "" if np.isnan(value) else repr(float(value))


def csv_text(values, names=NAMES, *, newline="\n", final_newline=True, likelihood=True) -> str:
    """File of one animal; NaN is an empty cell."""
    coords = ["x", "y", "likelihood"][: 3 if likelihood else 2]
    quoted = [f'"{name}"' if "," in name else name for name in names]
    rows = [
        ["scorer", *["DLC_net"] * (len(names) * len(coords))],
        ["bodyparts", *[name for name in quoted for _ in coords]],
        ["coords", *coords * len(names)],
        *([str(t), *map(cell, frame[:, : len(coords)].ravel())] for t, frame in enumerate(values)),
    ]
    return newline.join(",".join(row) for row in rows) + (newline if final_newline else "")


def write(path: Path, values=None, names=NAMES, **options) -> Path:
    values = wander(keypoints=len(names)) if values is None else values
    path.write_bytes(csv_text(values, names, **options).encode())
    return path
