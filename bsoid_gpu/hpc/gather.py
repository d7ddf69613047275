"""Recordings of a job that have no labels yet."""

from __future__ import annotations

import json
from pathlib import Path

from bsoid_gpu.errors import BadInput
from bsoid_gpu.files import digest
from bsoid_gpu.hpc.scripts import JOB_FILE
from bsoid_gpu.run_folder import model_file, records

MAX_NAMES = 20  # in a message


def gather(folder: str) -> str:
    """Folder of the labels, if every recording of a job has labels by the model of its run.

    Raises
    ------
    BadInput
        Not the folder of a job, or labels are missing; the message names the recordings and what to type.
    """
    try:
        job = json.loads((Path(folder) / JOB_FILE).read_text())
    except (OSError, ValueError) as error:
        msg = (
            f"{folder!r} contains no job ({JOB_FILE}: {error}): give the --out of bsoid-gpu hpc sbatch, swarm or local"
        )
        raise BadInput(msg) from error
    run, labels = Path(job["run"]), Path(job["labels"])
    file = run / model_file.FILE if run.is_dir() else run
    if not file.is_file():
        msg = (
            f"there is no model at {str(file)!r}, so no recording has labels: see the log of the build, then type\n"
            f"{job['all']}"
        )
        raise BadInput(msg)
    model = digest(file.read_bytes())
    unlabelled = {
        number: [name for name in names if not _labelled(labels, name, model)]
        for number, names in enumerate(job["bundles"])
    }
    missing = [name for names in unlabelled.values() for name in names]
    if missing:
        more = f", and {len(missing) - MAX_NAMES} more" if len(missing) > MAX_NAMES else ""
        bundles = ",".join(str(number) for number, names in unlabelled.items() if names)
        msg = (
            f"{len(missing)} of {sum(map(len, job['bundles']))} recordings have no labels: "
            f"{', '.join(map(repr, missing[:MAX_NAMES]))}{more}; see their logs, then type\n"
            f"{job['missing'].replace('{bundles}', bundles)}"
        )
        raise BadInput(msg)
    return str(labels)


def _labelled(labels: Path, recording: str, model: str) -> bool:
    """Whether the tables of a recording by the model with that digest exist."""
    record = records.read_record(records.place_of(labels, recording))
    if record is None or record["asked"]["model"] != model:
        return False
    return all((labels / name).is_file() for session in record["sessions"].values() for name in session["files"])
