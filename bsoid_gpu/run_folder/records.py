"""Records of completed recordings in the folder of a prediction, and its manifest.

``records/RECORDING.json`` is written when the tables of a recording are complete. It has the request (input,
model, settings and versions), the digests of the tables, and samples of the positions, by which a recording that is
given twice is recognised.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu import files
from bsoid_gpu.log import logger
from bsoid_gpu.method.bouts import Labels
from bsoid_gpu.method.same_track import Track
from bsoid_gpu.run_folder.labelled import read_labels
from bsoid_gpu.run_folder.tables import provenance, write_session

if TYPE_CHECKING:
    from pathlib import Path

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.behaviours.names import Behaviours
    from bsoid_gpu.run_folder.model_file import Model

RECORDS = "records"


def place_of(folder: Path, recording: str) -> Path:
    """Path of the record of a recording in the folder of a prediction."""
    return folder / RECORDS / f"{files.safe_name(recording)}.json"


def write_record(place: Path, record: dict[str, Any]) -> None:
    """Record that the tables of a recording are complete."""
    with files.explained(place.parent):
        place.parent.mkdir(exist_ok=True)
    files.write_json(place, record)


def read_record(place: Path) -> dict[str, Any] | None:
    """The record of a completed recording; None if there is none or, with a warning, if it is damaged."""
    try:
        record = json.loads(place.read_text(encoding="utf-8"))
        complete = "model" in record["asked"] and all(
            isinstance(session["files"], dict) for session in record["sessions"].values()
        )
        tracks_in(record)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        complete = False
    if complete:
        return record
    logger.warning("the record %r is damaged: predict its recording again", str(place))
    return None


def track_facts(track: Track) -> dict[str, Any]:
    """Samples of a session for its record: the positions in float32, as text."""
    position = np.asarray(track.position, dtype="<f4")
    return {
        "step": track.step,
        "shape": list(position.shape),
        "numbers": base64.b64encode(np.asarray(track.numbers, dtype="<i8").tobytes()).decode(),
        "position": base64.b64encode(position.tobytes()).decode(),
    }


def tracks_in(record: dict[str, Any]) -> dict[str, Track]:
    """Samples of the sessions of a record, by name."""
    return {
        name: Track(
            facts["step"],
            np.frombuffer(base64.b64decode(facts["numbers"]), "<i8"),
            np.frombuffer(base64.b64decode(facts["position"]), "<f4").reshape(facts["shape"]).astype(float),
        )
        for name, facts in record.get("tracks", {}).items()
    }


def finished(folder: Path, recording: str, request: dict[str, Any]) -> dict[str, Any] | None:
    """The record of a recording whose tables are complete, undamaged and from the same request; else None."""
    record = read_record(place_of(folder, recording))
    if record is None or record["asked"] != request:
        return None
    tables = {name: digest for session in record["sessions"].values() for name, digest in session["files"].items()}
    try:
        same = all(files.digest((folder / name).read_bytes()) == digest for name, digest in tables.items())
    except OSError:  # a table is missing
        return None
    return record if same else None


def renamed(folder: Path, place: Path, record: dict[str, Any], behaviours: Behaviours) -> dict[str, Any]:
    """The record of a recording at ``place``, whose tables have these names; those with others are written again."""
    if record.get("names") == behaviours.digest():
        return record
    for name, session in record["sessions"].items():
        table, fps = read_labels(folder, name), record["asked"]["fps"]
        labels = Labels(table["label"], fps, table["frame"], table["confidence"] > 0, session["start_s"])
        smoothed = table["smoothed"].astype(bool)
        session["files"] |= write_session(folder, name, labels, table["confidence"], smoothed, behaviours)
    record["names"] = behaviours.digest()
    write_record(place, record)
    return record


def records_of(folder: Path, model: str) -> dict[Path, dict[str, Any]]:
    """Records of the completed recordings in the folder of a prediction that are of a model, by their paths."""
    every = {path: read_record(path) for path in sorted((folder / RECORDS).glob("*.json"))}
    return {path: record for path, record in every.items() if record and record["asked"]["model"] == model}


def write_manifest(
    folder: Path,
    model: Model,
    backend: Backend,
    fps: float,
    options: dict[str, Any],
    problems: list[str],
    warnings: list[str],
) -> None:
    """Write the manifest of a folder from its records, with the options, problems and warnings of this command."""
    digest = model.digest()
    manifest = {
        **provenance(backend),
        "model": digest,
        "fps": fps,
        **options,
        "sessions": {
            name: {**session, "digests": record["asked"].get("digests", {})}
            for record in records_of(folder, digest).values()
            for name, session in record["sessions"].items()
        },
        "problems": problems,
        "warnings": warnings,
    }
    files.write_json(folder / "manifest.json", manifest)
