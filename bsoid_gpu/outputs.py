"""The tables that users rely on: those of a run, and those of each predicted session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import array_api_compat.numpy as xp
import numpy as np
import pandas as pd

from bsoid_gpu import bouts, config_file, features, machine, store, windows

if TYPE_CHECKING:
    from pathlib import Path

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.label import Prediction
    from bsoid_gpu.model import Model
    from bsoid_gpu.run import Run


def write_prediction(folder: Path, prediction: Prediction, labels: int) -> list[str]:
    """Write the four tables of a session.

    Parameters
    ----------
    folder
        Where to, made if it is missing.
    prediction
        Labels of the frames.
    labels
        Number of labels of the model.

    Returns
    -------
    list[str]
        Names of the files.
    """
    frame = np.arange(len(prediction.labels))
    of_frames = pd.DataFrame(
        {
            "frame": frame,
            "time_s": np.round(frame / prediction.fps, 6),
            "label": prediction.labels,
            "confidence": np.round(prediction.confidence.astype(np.float64), 4),
        }
    )
    of_labels = bouts.transitions(prediction.labels, labels).round(6)
    tables = {
        "labels": of_frames,
        "bouts": bouts.bouts(prediction.labels, prediction.fps).round(6),
        "summary": bouts.summary(prediction.labels, prediction.fps, labels).round(6),
        "transitions": of_labels.rename_axis("label").reset_index(),
    }
    with store.telling(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for kind, table in tables.items():
        store.write_csv(folder / f"{prediction.name}.{kind}.csv", table)
    return [f"{prediction.name}.{kind}.csv" for kind in tables]


def training_table(run: Run) -> pd.DataFrame:
    """One row per 100 ms bin: where it begins, its features, its place in the embedding, and its labels."""
    s = run.model.settings
    bin_frames = run.model.fps * s.features.bin_s
    starts = [windows.bin_edges(xp, session["frames"] - 1, bin_frames)[:-1] / run.model.fps for session in run.sessions]
    names = np.repeat([session["name"] for session in run.sessions], [session["bins"] for session in run.sessions])
    columns = {"session": names, "time_s": np.round(np.concatenate(starts), 6)}
    columns |= dict(zip(features.feature_names(run.model.keypoints), np.round(run.features, 6).T, strict=True))
    columns |= {f"embedding_{i + 1}": values for i, values in enumerate(np.round(run.embedding, 5).T)}
    columns |= {
        "label": run.hard_labels,
        "soft_label": run.soft_labels,
        "membership": np.round(run.membership.max(axis=1).astype(np.float64), 4),
        "predicted": run.predicted_labels,
    }
    return pd.DataFrame(columns)


def write_run(folder: Path, run: Run, stages: Mapping[str, store.Stage], backend: Backend) -> None:
    """Write the files of a run; the manifest last, so that a run with one is whole."""
    store.write_atomic(folder / "settings.toml", config_file.to_toml(run.model.settings).encode())
    store.write_csv(folder / "training.csv", training_table(run))
    store.write_csv(folder / "sweep.csv", run.sweep)
    store.write_json(folder / "quality.json", [row for session in run.sessions for row in session["quality"]])
    store.write_json(folder / "scores.json", run.scores)
    labels = [str(label) for label in range(run.model.labels)]
    confusion = pd.DataFrame(run.confusion, columns=labels)
    confusion.insert(0, "label", labels)
    store.write_csv(folder / "confusion.csv", confusion)
    run.model.save(folder / "model.safetensors")
    manifest = {
        **_circumstances(backend),
        "sessions": [{name: fact for name, fact in s.items() if name != "quality"} for s in run.sessions],
        "digests": run.model.sessions,
        "stages": {
            name: {"seconds": round(stage.seconds, 3), "peak_memory_mb": stage.peak_memory_mb, "resumed": stage.resumed}
            for name, stage in stages.items()
        },
    }
    store.write_json(folder / "manifest.json", manifest)


def write_prediction_manifest(
    folder: Path,
    model: Model,
    backend: Backend,
    fps: float,
    min_confidence: float,
    sessions: dict[str, Any],
    problems: list[str],
) -> None:
    """Write by what the sessions of a folder were predicted, and which could not be."""
    manifest = {
        **_circumstances(backend),
        "model": model.digest(),
        "fps": fps,
        "min_confidence": min_confidence,
        "sessions": sessions,
        "problems": problems,
    }
    store.write_json(folder / "manifest.json", manifest)


def _circumstances(backend: Backend) -> dict[str, Any]:
    return {"versions": machine.versions(), "machine": machine.machine(), "backend": backend.describe()}
