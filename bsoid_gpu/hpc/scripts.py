"""Files of a job: scripts, manifests, and the record that :mod:`bsoid_gpu.hpc.gather` reads."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bsoid_gpu.errors import BadInput
from bsoid_gpu.files import explained, write_atomic, write_json
from bsoid_gpu.hpc.job import Bundle, Job, absolute
from bsoid_gpu.hpc.needs import build_needs, label_needs
from bsoid_gpu.hpc.resources import Resources, time_text
from bsoid_gpu.log import logger

TEMPLATES = Path(__file__).with_name("templates")
JOB_FILE = "job.json"
LOGS = "logs"
MIN_GB = 20  # includes RAPIDS and the driver
MIN_MINUTES = 60


@dataclass(frozen=True)
class Program:
    """Where the program is on the nodes: in modules, in a container, or in the active environment."""

    modules: tuple[str, ...] = ()
    container: str = ""

    @property
    def here(self) -> bool:
        """Whether the program is this installation."""
        return not self.modules and not self.container

    def check(self, job: Job) -> None:
        """Raise :class:`~bsoid_gpu.errors.BadInput` for a module or a path that a script cannot name."""
        for module in self.modules:
            if not re.fullmatch(r"[\w.+/-]+", module) or module.startswith("-"):
                msg = f"--module is {module!r}; expected the name of a module, for example bsoid-gpu/1.0"
                raise BadInput(msg)
        bad = [str(path) for path in self.binds(job) if set(":,\\") & set(str(path))] if self.container else []
        if bad:
            msg = f"Apptainer cannot bind a path with ':', ',' or a backslash: rename or move {bad[0]!r}"
            raise BadInput(msg)

    def binds(self, job: Job) -> list[Path]:
        """Folders that the container needs, none inside another."""
        files = [*job.training, *job.to_label, *([job.settings_file] if job.settings_file else [])]
        folders = {job.folder, job.run.parent, job.labels.parent}
        folders |= {folder for file in files for folder in (file.parent, file.resolve().parent)}
        return sorted(folder for folder in folders if not folders & set(folder.parents))

    def lines(self, job: Job, gpu: bool) -> str:
        """Lines of a script that find the program."""
        if not self.container:
            return _fill("here", bin=_quoted(Path(sys.executable).parent))
        image = self.container if "://" in self.container else absolute(self.container)
        binds = " ".join(f"--bind {_quoted(path)}" for path in self.binds(job))
        return _fill("container", nv="--nv " if gpu else "", binds=binds, image=_quoted(image))


def write_sbatch(job: Job, program: Program, resources: Resources, at_once: int) -> None:
    """Write batch scripts, their manifests, and the script that submits them."""
    build, predict, gather = _resources(job, resources)
    array = f"--array=0-{len(job.bundles) - 1}%{at_once}"
    texts = {
        "predict.sbatch": _predict(job, predict.sbatch("predict", f"{array} --output=%x.%A_%a.out")),
        "gather.sbatch": _gather(job, gather.sbatch("gather", "--output=%x.%j.out")),
        "submit.sh": _fill("submit", jobs=_quoted(job.folder)),
    }
    if job.training:
        texts["build.sbatch"] = _build(job, build.sbatch("build", "--output=%x.%j.out"))
    again = f"cd {_quoted(job.folder / LOGS)} && sbatch --array={{bundles}}%{at_once} ../predict.sbatch"
    _write(job, program, resources.has_gpu, texts, again)


def write_swarm(job: Job, program: Program, resources: Resources) -> None:
    """Write a swarm file with a line for each bundle, and the jobs before and after it."""
    if set("#\n\r") & set(str(job.folder)):
        msg = f"swarm reads '#' as a comment, and each line as a command: rename {str(job.folder)!r}"
        raise BadInput(msg)
    build, predict, gather = _resources(job, resources)
    line = f"bash {_quoted(job.folder / 'predict.sh')}"
    lines = [f"{line} {number}\n" for number in range(len(job.bundles))]
    texts = {
        "predict.sh": _predict(job, ""),
        "predict.swarm": predict.swarm(program.modules) + "".join(lines),
        "gather.sbatch": _gather(job, gather.sbatch("gather", "--output=%x.%j.out")),
        "submit.sh": _fill("submit_swarm", jobs=_quoted(job.folder)),
    }
    if job.training:
        texts["build.sbatch"] = _build(job, build.sbatch("build", "--output=%x.%j.out"))
    select = 'awk -v chosen=,{bundles}, \'/^#/ || index(chosen, "," $NF ",")\''
    again = f"cd {_quoted(job.folder)} && {select} predict.swarm > again.swarm && swarm -f again.swarm --logdir {LOGS}"
    _write(job, program, resources.has_gpu, texts, again)


def write_local(job: Job, program: Program) -> None:
    """Write the same jobs as a script that needs no scheduler."""
    texts = {
        "predict.sh": _predict(job, ""),
        "gather.sh": _gather(job, ""),
        "run.sh": _fill("local", jobs=_quoted(job.folder), bundles=str(len(job.bundles))),
    }
    if job.training:
        texts["build.sh"] = _build(job, "")
    _write(job, program, job.backend != "cpu", texts, f"bash {_quoted(job.folder / 'run.sh')}")


def _resources(job: Job, resources: Resources) -> tuple[Resources, Resources, Resources]:
    """Resources of building, of labelling a bundle, and of gathering."""
    needs = [label_needs(bundle.files) for bundle in job.bundles]
    label = _sized(resources, "labelling", max(need.gigabytes for need in needs), max(need.minutes for need in needs))
    build = label
    if job.training:
        build = _sized(resources, "building", *build_needs(job.training, job.settings, resources.cpus))
    gather = Resources("none", resources.cpu_partition, mem="4g", time="01:00:00", cpus=1, scratch_gb=0)
    return build, label, gather


def _sized(resources: Resources, step: str, gigabytes: int, minutes: float) -> Resources:
    """Resources with memory and time for a step, unless they are given."""
    if 0 < resources.memory_gb < gigabytes:
        logger.warning("--mem is %s, but %s these sessions may need %d GB", resources.mem, step, gigabytes)
    return replace(
        resources,
        mem=resources.mem or f"{max(gigabytes, MIN_GB)}g",
        time=resources.time or time_text(max(minutes, MIN_MINUTES)),
    )


def _build(job: Job, header: str) -> str:
    options = ["--out", job.run, "--no-report", "--backend", job.backend]
    options += ["--fps", job.fps] if job.fps else []
    options += ["--config", job.settings_file] if job.settings_file else []
    return _fill("build", header=header, jobs=_quoted(job.folder), options=_quoted(*options))


def _predict(job: Job, header: str) -> str:
    options = ["--out", job.labels, "--no-report", "--backend", job.backend]
    options += ["--fps", job.fps] if job.fps else []
    options += ["--min-confidence", job.min_confidence] if job.min_confidence else []
    quoted = {"jobs": _quoted(job.folder), "options": _quoted(*options), "model": _quoted(job.run)}
    return _fill("predict", header=header, **quoted)


def _gather(job: Job, header: str) -> str:
    return _fill("gather", header=header, jobs=_quoted(job.folder), model=_quoted(job.run), labels=_quoted(job.labels))


def _write(job: Job, program: Program, gpu: bool, texts: dict[str, str], again: str) -> None:
    """Write the files; the job file comes last and marks them complete."""
    program.check(job)
    if (job.folder / JOB_FILE).exists():
        msg = f"{str(job.folder)!r} already contains jobs, and some may be running: choose another folder, or remove it"
        raise BadInput(msg)
    for folder in (job.folder / LOGS, job.run.parent, job.labels.parent):
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
    modules = _fill("modules", names=_quoted(*program.modules)) if program.modules else ""
    texts["environment.sh"] = _fill(
        "environment", jobs=_quoted(job.folder), modules=modules, program=program.lines(job, gpu)
    )
    manifests = {
        "build.manifest": map(str, job.training),
        "predict.manifest": (f"{number}{file}" for number, file in _numbered(job.bundles)),
    }
    for name, entries in manifests.items():
        texts[name] = "".join(f"{entry}\0" for entry in entries)
    for name, text in texts.items():
        write_atomic(job.folder / name, os.fsencode(text))
    bundles = [bundle.recordings for bundle in job.bundles]
    chain = "run.sh" if "run.sh" in texts else "submit.sh"
    record = {
        "run": str(job.run),
        "labels": str(job.labels),
        "bundles": bundles,
        "missing": again,
        "all": f"bash {_quoted(job.folder / chain)}",
    }
    write_json(job.folder / JOB_FILE, record)


def _numbered(bundles: Iterable[Bundle]) -> list[tuple[int, Path]]:
    return [(number, file) for number, bundle in enumerate(bundles) for file in bundle.files]


def _quoted(*words: object) -> str:
    return shlex.join(map(str, words))


def _fill(template: str, **values: str) -> str:
    """Text of a template with each ``{{name}}`` replaced."""
    text = (TEMPLATES / f"{template}.sh").read_text()
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], text)
