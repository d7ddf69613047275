"""The tables of a run and of each predicted session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bsoid_gpu import files, machine
from bsoid_gpu.method import bouts
from bsoid_gpu.method.columns import feature_columns
from bsoid_gpu.method.tracking_quality import quality_table
from bsoid_gpu.run_folder import arrays, store
from bsoid_gpu.settings import toml

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.behaviours.names import Behaviours
    from bsoid_gpu.method.labelling import Prediction
    from bsoid_gpu.method.session_features import SessionFeatures
    from bsoid_gpu.run_folder.model_file import Model
    from bsoid_gpu.run_folder.results import Run


VERSION = 4  # raise it whenever the tables of a prediction change for the same labels


def write_prediction(folder: Path, prediction: Prediction, behaviours: Behaviours) -> dict[str, str]:
    """Write the four tables of a session, with the names of the behaviours.

    Parameters
    ----------
    folder
        Output folder, created if it is missing.
    prediction
        Labels of a session.
    behaviours
        Names and merged labels.

    Returns
    -------
    dict[str, str]
        Digest of each file by its name.
    """
    frame = prediction.frame_numbers
    session = bouts.Labels(prediction.labels, prediction.fps, frame, prediction.observed, prediction.start_s)
    rounded = np.round(np.asarray(prediction.confidence, dtype=np.float64), 4)
    return write_session(folder, prediction.name, session, rounded, prediction.smoothed, behaviours)


def write_session(
    folder: Path,
    name: str,
    session: bouts.Labels,
    confidence: NDArray[Any],
    smoothed: NDArray[np.bool_],
    behaviours: Behaviours,
) -> dict[str, str]:
    """Write the four tables of the labels of a session; see :func:`write_prediction`.

    The table of frames has the labels of the model. In the others, merged labels are one, and the smallest of them is
    its number.
    """
    names = np.array(behaviours.names(), dtype=object)  # the last one is that of the label -1
    numbers = np.array([*behaviours.numbers(), bouts.UNSURE])
    merged = session._replace(labels=numbers[session.labels])
    kept = set(numbers.tolist())
    frame_table = pd.DataFrame(
        {
            "frame": session.frame_numbers,
            "time_s": np.round(session.start_s + session.frame_numbers / session.fps, 6),
            "label": session.labels,
            "behaviour": names[session.labels],
            "confidence": confidence,
            "smoothed": smoothed.astype(np.int8),
        }
    )
    matrix = bouts.transitions(merged, behaviours.count)
    matrix = matrix.loc[[label for label in matrix.index if label in kept], [c for c in matrix if int(c) in kept]]
    summary = bouts.summary(merged, behaviours.count)
    tables = {
        "labels": frame_table,
        "bouts": _named(bouts.bouts(merged), names),
        "summary": _named(summary[summary["label"].isin(kept)], names),
        "transitions": _named(matrix.rename_axis("label").reset_index(), names),
    }
    with files.explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return {
        file: files.write_csv(folder / file, table.round(6))
        for file, table in ((f"{name}.{kind}.csv", table) for kind, table in tables.items())
    }


def _named(table: pd.DataFrame, names: NDArray[np.object_]) -> pd.DataFrame:
    """A table with the name of the behaviour after the label."""
    table = table.reset_index(drop=True)
    table.insert(table.columns.get_loc("label") + 1, "behaviour", names[table["label"].to_numpy()])
    return table


def session_facts(session: SessionFeatures) -> dict[str, Any]:
    """Facts of a session, for JSON."""
    return {
        "name": session.name,
        "recording": session.recording,
        "keypoints": list(session.keypoints),
        "frames": session.frames,
        "observed_frames": session.observed_frames,
        "body_length_px": session.body_length_px,
        "bins": int(session.features.shape[0]),
        "quality": quality_table(session.quality),
        "notes": list(session.notes),
    }


def run_columns(run: Run) -> dict[str, Any]:
    """Columns of the training bins by name, those of ``training.csv``: features on the backend, others on the host."""
    names, per_length = _feature_columns(run.model)
    values = zip(names, per_length, range(len(names)), strict=True)
    return {
        "session": run.session_of_bin,
        "time_s": run.start_s,
        **{name: run.backend_features[:, i] / unit for name, unit, i in values},
        **{f"embedding_{i + 1}": column for i, column in enumerate(run.embedding.T)},
        "label": run.hard_labels,
        "soft_label": run.soft_labels,
        "membership": run.membership.max(axis=1),
        "predicted": run.predicted_labels[run.training_bins],
    }


def _feature_columns(model: Model) -> tuple[list[str], list[float]]:
    """Names of the feature columns, and the divisor of each: lengths are in mm if the scale of the camera is known."""
    px_per_mm = model.settings.input.px_per_mm
    columns = feature_columns(model.keypoints, model.settings.features, model.dimensions)
    per_length = [px_per_mm if px_per_mm and column.is_length else 1.0 for column in columns]
    names = [
        column.name if unit == 1.0 else f"{column.name} (mm)" for column, unit in zip(columns, per_length, strict=True)
    ]
    return names, per_length


def training_tables(run: Run, extracted: Sequence[SessionFeatures], behaviours: Behaviours) -> Iterator[pd.DataFrame]:
    """For each session one row per bin: start, features, position in the embedding, labels, and behaviour.

    With ``[input] px_per_mm`` lengths are in millimetres, and the names of their columns end in ``(mm)``.
    Position and cluster labels are empty for bins outside the training subsample.
    """
    names, per_length = _feature_columns(run.model)
    behaviour_of = np.array(behaviours.names(), dtype=object)
    embedded_columns = {f"embedding_{i + 1}": values for i, values in enumerate(np.round(run.embedding, 5).T)}
    embedded_columns |= {
        "label": run.hard_labels,
        "soft_label": run.soft_labels,
        "membership": np.round(run.membership.max(axis=1).astype(np.float64), 4),
    }
    first = 0
    for session in extracted:
        bins = session.features.shape[0]
        selected = slice(*np.searchsorted(run.training_bins, [first, first + bins]))
        columns: dict[str, Any] = {
            "session": np.full(bins, session.name, dtype=object),
            "time_s": np.round(session.start_s + np.asarray(session.bin_frames) / run.model.fps, 6),
        }
        columns |= dict(zip(names, np.round(session.features / per_length, 6).T, strict=True))
        rows = run.training_bins[selected] - first
        columns |= {name: _cells(values[selected], rows, bins) for name, values in embedded_columns.items()}
        columns["predicted"] = run.predicted_labels[first : first + bins]
        columns["behaviour"] = behaviour_of[columns["predicted"]]
        yield pd.DataFrame(columns)
        arrays.release(session.features)
        first += bins


def _cells(values: NDArray[Any], rows: NDArray[np.int64], bins: int) -> Any:
    """A column with ``bins`` rows from the values of the training bins; other rows are empty."""
    if len(rows) == bins:
        return values
    return pd.Series(pd.array(values), rows).reindex(range(bins))


def rename_training(folder: Path, behaviours: Behaviours) -> None:
    """Write the names of the behaviours into ``training.csv`` of a run."""
    from pyarrow import csv as arrow_csv

    path = folder / "training.csv"
    table = arrow_csv.read_csv(path)
    names = np.array(behaviours.names(), dtype=object)[table["predicted"].to_numpy()]
    if "behaviour" in table.column_names and table["behaviour"].to_pylist() == names.tolist():
        return
    kept = table.drop_columns(["behaviour"]) if "behaviour" in table.column_names else table
    files.write_arrow(path, kept.append_column("behaviour", [names.tolist()]))


def write_run(
    folder: Path,
    run: Run,
    extracted: Sequence[SessionFeatures],
    stages: Mapping[str, store.Stage],
    backend: Backend,
    behaviours: Behaviours,
) -> None:
    """Write the files of a run, the manifest last: a run with a manifest is complete."""
    files.write_atomic(folder / "settings.toml", toml.to_toml(run.model.settings).encode())
    files.write_csv_parts(folder / "training.csv", training_tables(run, extracted, behaviours))
    files.write_csv(folder / "sweep.csv", run.sweep)
    files.write_json(folder / "quality.json", [row for session in run.sessions for row in session["quality"]])
    files.write_json(folder / "scores.json", run.scores)
    labels = [str(label) for label in range(run.model.labels)]
    confusion = pd.DataFrame(run.confusion, columns=labels)
    confusion.insert(0, "label", labels)
    files.write_csv(folder / "confusion.csv", confusion)
    run.model.save(folder / "model.safetensors")
    manifest = {
        **provenance(backend),
        "sessions": [{name: fact for name, fact in session.items() if name != "quality"} for session in run.sessions],
        "digests": run.model.sessions,
        "warnings": run.warnings,
        "stages": {
            name: {**(asdict(stage.making) if stage.making else {}), "resumed": stage.resumed}
            for name, stage in stages.items()
        },
    }
    files.write_json(folder / "manifest.json", manifest)


def provenance(backend: Backend) -> dict[str, Any]:
    """Versions, machine and backend of the current command, for a manifest."""
    return {"versions": machine.versions(), "machine": machine.machine(), "backend": backend.describe()}
