"""Recordings in three dimensions for tests: the synthetic mouse, which now rises, and its files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bsoid_gpu.synthetic.sessions import simulate_session

HEIGHTS_PX = {"rear": (70, 55, 55, 0, 0, 0), "groom": (35, 30, 30, 0, 0, 0)}  # of each keypoint of the mouse


def rotation(rng) -> np.ndarray:
    """A random rotation of space: (3, 3)."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    return q * np.linalg.det(q)


def session(name="mouse", frames=1800, fps=30.0, seed=0):
    """Pose of a mouse that rises where it rears or grooms, and the behaviour in each frame."""
    rng = np.random.default_rng(seed)
    flat, behaviour = simulate_session(name, frames, fps, rng)
    nowhere = (0,) * len(flat.keypoints)
    height = np.array([HEIGHTS_PX.get(one, nowhere) for one in behaviour], dtype=float)
    kernel = np.full(5, 0.2)
    height = np.stack([np.convolve(column, kernel, mode="same") for column in height.T], axis=1)
    height += 5 + rng.normal(0, 0.4, size=height.shape)
    position = np.concatenate([flat.position, height[:, None, :, None]], axis=-1)
    return replace(flat, position=position), behaviour


def anipose_csv(position, names, *, score=None, fnum=None, newline="\n", extra=(), drop=()) -> bytes:
    """File of Anipose from (frames, keypoints, 3); ``extra`` are further columns, those in ``drop`` are left out."""
    frames = len(position)
    columns = {}
    for k, name in enumerate(names):
        columns |= {f"{name}_{axis}": position[:, k, i] for i, axis in enumerate("xyz")}
        columns |= {f"{name}_error": np.full(frames, 1.5), f"{name}_ncams": np.full(frames, 3.0)}
        if score is not None:
            columns[f"{name}_score"] = score[:, k]
    columns |= {f"M_{i}{j}": np.full(frames, float(i == j)) for i in range(3) for j in range(3)}
    columns |= {f"center_{i}": np.zeros(frames) for i in range(3)}
    columns["fnum"] = np.arange(frames) if fnum is None else fnum
    columns |= {name: np.zeros(frames) for name in extra}
    columns = {name: values for name, values in columns.items() if name not in drop}
    rows = zip(*columns.values(), strict=True)
    cells = [",".join("" if value != value else repr(value.item()) for value in row) for row in rows]
    return (newline.join([",".join(columns), *cells]) + newline).encode()


def deeplabcut_csv(position, names) -> str:
    """File of DeepLabCut's triangulation: x, y and z, and no likelihood."""
    rows = [
        ["scorer", *["DLC_3D"] * (3 * len(names))],
        ["bodyparts", *[name for name in names for _ in range(3)]],
        ["coords", *["x", "y", "z"] * len(names)],
        *([str(t), *("" if x != x else repr(x) for x in frame.ravel().tolist())] for t, frame in enumerate(position)),
    ]
    return "\n".join(",".join(row) for row in rows) + "\n"
