"""The tables that users rely on: those of a run, and those of each predicted session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import array_api_compat.numpy as xp
import numpy as np
import pandas as pd

from bsoid_gpu import arrays, bouts, config_file, features, machine, store, windows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.extract import Extracted
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


def training_tables(run: Run, extracted: Sequence[Extracted]) -> Iterator[pd.DataFrame]:
    """For each session one row per 100 ms bin: where it begins, its features, its place in the embedding, its labels.

    Cells of the embedding and of its labels are empty where a bin was not learnt from.
    """
    s = run.model.settings
    bin_frames = run.model.fps * s.features.bin_s
    names = features.feature_names(run.model.keypoints)
    learnt = {f"embedding_{i + 1}": values for i, values in enumerate(np.round(run.embedding, 5).T)}
    learnt |= {
        "label": run.hard_labels,
        "soft_label": run.soft_labels,
        "membership": np.round(run.membership.max(axis=1).astype(np.float64), 4),
    }
    first = 0
    for session in extracted:
        bins = session.features.shape[0]
        taken = slice(*np.searchsorted(run.training_bins, [first, first + bins]))
        edges = windows.bin_edges(xp, session.frames - 1, bin_frames)
        columns: dict[str, Any] = {
            "session": np.full(bins, session.name, dtype=object),
            "time_s": np.round(edges[:-1] / run.model.fps, 6),
        }
        columns |= dict(zip(names, np.round(session.features, 6).T, strict=True))
        rows = run.training_bins[taken] - first
        columns |= {name: _cells(values[taken], rows, bins) for name, values in learnt.items()}
        columns["predicted"] = run.predicted_labels[first : first + bins]
        yield pd.DataFrame(columns)
        arrays.let_go(session.features)
        first += bins


def _cells(of_training: NDArray[Any], rows: NDArray[np.int64], bins: int) -> Any:
    """A column of a session's ``bins`` from the values of those that were learnt from; the others are missing."""
    if len(rows) == bins:
        return of_training
    return pd.Series(pd.array(of_training), rows).reindex(range(bins))


def write_run(
    folder: Path, run: Run, extracted: Sequence[Extracted], stages: Mapping[str, store.Stage], backend: Backend
) -> None:
    """Write the files of a run; the manifest last, so that a run with one is whole."""
    store.write_atomic(folder / "settings.toml", config_file.to_toml(run.model.settings).encode())
    store.write_csv_parts(folder / "training.csv", training_tables(run, extracted))
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
