"""Which recordings of a job have no labels yet."""

from __future__ import annotations

import json
from pathlib import Path

from bsoid_gpu.errors import BadInput
from bsoid_gpu.files import digest
from bsoid_gpu.hpc.scripts import KNOWN
from bsoid_gpu.run_folder import model_file, records

SHOWN = 20  # names; the number of all is told


def gather(folder: str) -> str:
    """Give the folder of the labels where every recording of a job has them, made by the model of its run.

    Raises
    ------
    BadInput
        Not a folder of a job, or labels are missing: of which recordings, and what to type.
    """
    try:
        job = json.loads((Path(folder) / KNOWN).read_text())
    except (OSError, ValueError) as error:
        msg = f"{folder!r} holds no job ({KNOWN}: {error}): give the --out of bsoid-gpu hpc sbatch, swarm or local"
        raise BadInput(msg) from error
    run, labels = Path(job["run"]), Path(job["labels"])
    file = run / model_file.FILE if run.is_dir() else run
    if not file.is_file():
        msg = (
            f"there is no model at {str(file)!r}, so nothing has labels: the log of its job tells why; then type\n"
            f"{job['all']}"
        )
        raise BadInput(msg)
    made_by = digest(file.read_bytes())
    lacking = {
        number: [name for name in names if not _labelled(labels, name, made_by)]
        for number, names in enumerate(job["bundles"])
    }
    missing = [name for names in lacking.values() for name in names]
    if missing:
        more = f", and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        bundles = ",".join(str(number) for number, names in lacking.items() if names)
        msg = (
            f"{len(missing)} of {sum(map(len, job['bundles']))} recordings have no labels: "
            f"{', '.join(map(repr, missing[:SHOWN]))}{more}; their logs tell why; then type\n"
            f"{job['missing'].replace('{bundles}', bundles)}"
        )
        raise BadInput(msg)
    return str(labels)


def _labelled(labels: Path, recording: str, made_by: str) -> bool:
    """Whether the tables of a recording are there, made by that model."""
    record = records.read_record(records.place_of(labels, recording))
    if record is None or record["asked"]["model"] != made_by:
        return False
    return all((labels / name).is_file() for session in record["sessions"].values() for name in session["files"])
