"""The proof that a backend is correct on this machine: every step at several sizes, measured against the CPU.

The result is one JSON, written after each row, so that a killed proof leaves what it has; and one table to read.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu.backends import cuda_probe
from bsoid_gpu.backends.cuda import CudaBackend
from bsoid_gpu.doctor import proof_steps, sessions, tolerances
from bsoid_gpu.doctor.card_memory import CardMemory, Memory, NoMemory
from bsoid_gpu.doctor.job import Recordings, ReferenceJob, run
from bsoid_gpu.doctor.measuring import circumstances, text_of
from bsoid_gpu.doctor.proof_builds import WORKER, builds
from bsoid_gpu.doctor.proof_record import Record
from bsoid_gpu.doctor.proof_worker import ALLOCATORS
from bsoid_gpu.doctor.result import information
from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.sessions import Source, sources
from bsoid_gpu.method.embedding import MIN_BINS
from bsoid_gpu.settings.schema import Settings, parse_fps

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend

SIZES = (3_000, 30_000, 70_000)  # bins; above 65,536 there are more than 256 neighbours, which cuML selects otherwise
LAYOUTS = ("cuml", "own")
NVIDIA_SMI_S = 60.0
Step = Callable[[ReferenceJob, "Backend", Record], None]


@dataclass(frozen=True)
class Plan:
    """What is proven.

    Parameters
    ----------
    sizes
        Bins of the simulated sessions of each job.
    recordings, fps
        A folder of real recordings, one more job, and its frames per second.
    settings
        All settings but the frame rate.
    layouts
        Layouts of UMAP.
    allocators
        Allocators of the builds; see :mod:`bsoid_gpu.doctor.proof_worker`.
    worker
        Command of the builds.
    facts
        What else the report says of itself.
    """

    sizes: Sequence[int] = SIZES
    recordings: Path | None = None
    fps: float | str | None = None
    settings: Settings = field(default_factory=Settings)
    layouts: Sequence[str] = LAYOUTS
    allocators: Sequence[str] = tuple(ALLOCATORS)
    worker: Sequence[str] = WORKER
    facts: Mapping[str, Any] = field(default_factory=dict)


def prove(path: Path, reference: Backend, other: Backend, plan: Plan, memory: Memory | None = None) -> dict[str, Any]:
    """Measure every step on the other backend against the reference.

    Parameters
    ----------
    path
        File of the report, JSON; complete after each row.
    reference
        The backend that is known to be correct.
    other
        The backend to prove. An error is a failed row, and the next steps still run.
    plan
        What is proven.
    memory
        Measures device memory; by default, that of the card of a CUDA backend.

    Returns
    -------
    dict
        The report; ``passed`` if no row failed.
    """
    if memory is not None:
        return _proved(path, reference, other, plan, memory)
    if not isinstance(other, CudaBackend):
        return _proved(path, reference, other, plan, NoMemory())
    card = CardMemory(other)
    try:
        return _proved(path, reference, other, plan, card)
    finally:
        card.close()


def _proved(path: Path, reference: Backend, other: Backend, plan: Plan, memory: Memory) -> dict[str, Any]:
    jobs = _jobs(plan)
    record = Record(path, head(other, plan), memory)
    for data, recordings in jobs.items():
        job = None
        with record.step(data, f"the job on {reference.name}"):
            job = run(recordings(), reference)
            record.add(information(f"on {reference.name}", text_of(job.seconds)), stages=job.seconds)
        if job is None:
            continue
        for name, step in steps(plan).items():
            with record.step(data, name):
                step(job, other, record)
    return record.finish()


def sizes_from(text: str) -> tuple[int, ...]:
    """Sizes from comma-separated numbers of bins.

    Raises
    ------
    BadInput
        No numbers, or jobs too small to compute.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) >= MIN_BINS for part in parts):
        msg = f"the sizes are {text!r}; expected numbers of bins from {MIN_BINS} on, for example --sizes 3000,30000"
        raise BadInput(msg)
    return tuple(map(int, parts))


def steps(plan: Plan) -> dict[str, Step]:
    """The steps by name."""
    layouts = {f"layout {kind}": partial(proof_steps.layout, kind=kind) for kind in plan.layouts}
    return {
        "features": proof_steps.features,
        "neighbours": proof_steps.neighbours,
        **layouts,
        "tree of cuML": proof_steps.tree,
        "classifier": proof_steps.classifier,
        "builds": partial(builds, allocators=plan.allocators, worker=plan.worker),
    }


def _jobs(plan: Plan) -> dict[str, Callable[[], Recordings]]:
    """A function that reads the recordings of each job, by its name."""
    jobs: dict[str, Callable[[], Recordings]] = {
        f"{bins:,} bins": partial(_simulated, bins, plan.settings) for bins in plan.sizes
    }
    if plan.recordings is not None:
        fps = parse_fps(plan.fps)
        parts = sources(plan.recordings, fps)  # now: what cannot be read stops the proof before its first job
        jobs["recordings"] = partial(_read, parts, plan.recordings, _with_fps(plan.settings, fps))
    return jobs


def _simulated(bins: int, settings: Settings) -> Recordings:
    return Recordings(sessions.simulated(bins), _with_fps(settings, sessions.FPS))


def _read(parts: Sequence[Source], folder: Path, settings: Settings) -> Recordings:
    return Recordings([part.read() for part in parts], settings, folder)


def _with_fps(settings: Settings, fps: float) -> Settings:
    return replace(settings, input=replace(settings.input, fps=fps))


def head(other: Backend, plan: Plan) -> dict[str, Any]:
    """What the report says of the machine and of itself."""
    return {
        "what": "every step of a build on another backend, measured against the CPU",
        **circumstances(),
        "card": other.describe(),
        "survey": cuda_probe.survey().to_dict(),
        "nvidia_smi": nvidia_smi(),
        "sizes": list(plan.sizes),
        "warm_up": "the first build of a process is named cold, the next ones are warm; other rows are measured once",
        "tolerances": tolerances.described(),
        **plan.facts,
    }


def nvidia_smi() -> str:
    """What nvidia-smi prints, without the processes of other people; else why there is nothing."""
    try:
        done = subprocess.run(["nvidia-smi"], check=False, capture_output=True, text=True, timeout=NVIDIA_SMI_S)
    except (OSError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"
    return (done.stdout or done.stderr).partition("Processes:")[0].rstrip("| \n+-=")
