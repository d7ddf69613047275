"""Whole builds of a proof, with each allocator of device memory in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bsoid_gpu.doctor import comparisons
from bsoid_gpu.doctor.measuring import text_of
from bsoid_gpu.doctor.proof_worker import ALLOCATORS, RUNS, SEEDED
from bsoid_gpu.doctor.result import information
from bsoid_gpu.files import write_atomic
from bsoid_gpu.settings.toml import to_toml

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.doctor.job import ReferenceJob
    from bsoid_gpu.doctor.proof_record import Record

WORKER = (sys.executable, "-m", "bsoid_gpu.doctor.proof_worker")


def builds(
    job: ReferenceJob, other: Backend, record: Record, allocators: Sequence[str], worker: Sequence[str] = WORKER
) -> None:
    """Seconds of each stage, and whether the model is the same each time."""
    models: dict[str, str] = {}
    other.free_bytes()  # what this process does not use is for the workers
    with tempfile.TemporaryDirectory() as scratch:
        folder, settings = job.recordings.folder or Path(scratch), Path(scratch, "settings.toml")
        if job.recordings.folder is None:
            for content in job.recordings.contents:
                write_atomic(folder / f"{content.name}.csv", content.data)
        write_atomic(settings, to_toml(job.settings).encode())
        for allocator in allocators:
            with record.step(record.data, f"build, {ALLOCATORS[allocator]}"):
                result = Path(scratch, f"{allocator}.json")
                _run([*worker, str(folder), str(settings), other.name, allocator, str(result)])
                runs = json.loads(result.read_text())
                models |= {f"{allocator} {name}": runs[name]["model"] for name in SEEDED}
                for name in RUNS:
                    seconds = runs[name]["seconds"]
                    record.add(
                        information(f"build, {allocator}, {name}", text_of(seconds)),
                        seconds=seconds["build"],
                        stages=seconds,
                    )
    if models:
        record.add(comparisons.same_bytes("build: repeated", list(models.values())))


def _run(command: Sequence[str]) -> None:
    """Run a worker; its error is the last line that it wrote."""
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        msg = f"the worker ended with {done.returncode}: {lines[-1]}"
        raise RuntimeError(msg)
