"""The files of a job: scripts, manifests, and what :mod:`bsoid_gpu.hpc.gather` has to know."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bsoid_gpu.errors import BadInput
from bsoid_gpu.files import telling, write_atomic, write_json
from bsoid_gpu.hpc.job import Bundle, Job, absolute
from bsoid_gpu.hpc.needs import to_build, to_label
from bsoid_gpu.hpc.resources import Resources, time_text
from bsoid_gpu.log import logger

TEMPLATES = Path(__file__).with_name("templates")
KNOWN = "job.json"
LOGS = "logs"
AT_LEAST_GB = 20  # RAPIDS and the driver's own share
AT_LEAST_MINUTES = 60


@dataclass(frozen=True)
class Program:
    """Where the program is on the nodes: in modules, in a container, or in the environment that is active."""

    modules: tuple[str, ...] = ()
    container: str = ""

    @property
    def here(self) -> bool:
        """Whether it is this installation."""
        return not self.modules and not self.container

    def check(self, job: Job) -> None:
        """Raise :class:`~bsoid_gpu.errors.BadInput` where a name or a path cannot be given to them."""
        for module in self.modules:
            if not re.fullmatch(r"[\w.+/-]+", module) or module.startswith("-"):
                msg = f"--module is {module!r}; expected the name of a module, for example bsoid-gpu/1.0"
                raise BadInput(msg)
        bad = [str(path) for path in self.binds(job) if set(":,\\") & set(str(path))] if self.container else []
        if bad:
            msg = f"Apptainer cannot bind a path with ':', ',' or a backslash: rename or move {bad[0]!r}"
            raise BadInput(msg)

    def binds(self, job: Job) -> list[Path]:
        """The folders that the container has to see, none inside another."""
        files = [*job.learn, *job.label, *([job.settings_file] if job.settings_file else [])]
        folders = {job.folder, job.run.parent, job.labels.parent}
        folders |= {folder for file in files for folder in (file.parent, file.resolve().parent)}
        return sorted(folder for folder in folders if not folders & set(folder.parents))

    def lines(self, job: Job, gpu: bool) -> str:
        """How a script finds the program."""
        if not self.container:
            return _fill("here", bin=_quoted(Path(sys.executable).parent))
        image = self.container if "://" in self.container else absolute(self.container)
        binds = " ".join(f"--bind {_quoted(path)}" for path in self.binds(job))
        return _fill("container", nv="--nv " if gpu else "", binds=binds, image=_quoted(image))


def write_sbatch(job: Job, program: Program, resources: Resources, at_once: int) -> None:
    """Write batch scripts, the one that submits them, and what they read."""
    build, predict, gather = _asked(job, resources)
    array = f"--array=0-{len(job.bundles) - 1}%{at_once}"
    texts = {
        "predict.sbatch": _predict(job, predict.sbatch("predict", f"{array} --output=%x.%A_%a.out")),
        "gather.sbatch": _gather(job, gather.sbatch("gather", "--output=%x.%j.out")),
        "submit.sh": _fill("submit", jobs=_quoted(job.folder)),
    }
    if job.learn:
        texts["build.sbatch"] = _build(job, build.sbatch("build", "--output=%x.%j.out"))
    again = f"cd {_quoted(job.folder / LOGS)} && sbatch --array={{bundles}}%{at_once} ../predict.sbatch"
    _write(job, program, resources.has_gpu, texts, again)


def write_swarm(job: Job, program: Program, resources: Resources) -> None:
    """Write a swarm file with a line for each bundle, and what comes before and after it."""
    if set("#\n\r") & set(str(job.folder)):
        msg = f"swarm takes what follows a '#' for a comment, and a line for a command: rename {str(job.folder)!r}"
        raise BadInput(msg)
    build, predict, gather = _asked(job, resources)
    line = f"bash {_quoted(job.folder / 'predict.sh')}"
    lines = [f"{line} {number}\n" for number in range(len(job.bundles))]
    texts = {
        "predict.sh": _predict(job, ""),
        "predict.swarm": predict.swarm(program.modules) + "".join(lines),
        "gather.sbatch": _gather(job, gather.sbatch("gather", "--output=%x.%j.out")),
        "submit.sh": _fill("submit_swarm", jobs=_quoted(job.folder)),
    }
    if job.learn:
        texts["build.sbatch"] = _build(job, build.sbatch("build", "--output=%x.%j.out"))
    chosen = 'awk -v chosen=,{bundles}, \'/^#/ || index(chosen, "," $NF ",")\''
    again = f"cd {_quoted(job.folder)} && {chosen} predict.swarm > again.swarm && swarm -f again.swarm --logdir {LOGS}"
    _write(job, program, resources.has_gpu, texts, again)


def write_local(job: Job, program: Program) -> None:
    """Write the same chain as a script that needs no scheduler."""
    texts = {
        "predict.sh": _predict(job, ""),
        "gather.sh": _gather(job, ""),
        "run.sh": _fill("local", jobs=_quoted(job.folder), bundles=str(len(job.bundles))),
    }
    if job.learn:
        texts["build.sh"] = _build(job, "")
    _write(job, program, job.backend != "cpu", texts, f"bash {_quoted(job.folder / 'run.sh')}")


def _asked(job: Job, resources: Resources) -> tuple[Resources, Resources, Resources]:
    """What building, labelling a bundle, and gathering ask for."""
    labelling = [to_label(bundle.files) for bundle in job.bundles]
    label = _chosen(resources, "label", max(need.gigabytes for need in labelling), max(need[1] for need in labelling))
    build = _chosen(resources, "learn from", *to_build(job.learn, job.settings, resources.cpus)) if job.learn else label
    gather = Resources("none", resources.cpu_partition, mem="2g", time="00:15:00", cpus=1, scratch_gb=0)
    return build, label, gather


def _chosen(resources: Resources, what: str, gigabytes: int, minutes: float) -> Resources:
    """Memory and time, where none are given."""
    if 0 < resources.memory_gb < gigabytes:
        logger.warning("--mem is %s; to %s these sessions is planned with %d GB", resources.mem, what, gigabytes)
    return replace(
        resources,
        mem=resources.mem or f"{max(gigabytes, AT_LEAST_GB)}g",
        time=resources.time or time_text(max(minutes, AT_LEAST_MINUTES)),
    )


def _build(job: Job, header: str) -> str:
    options = ["--out", job.run, "--backend", job.backend]
    options += ["--fps", job.fps] if job.fps else []
    options += ["--config", job.settings_file] if job.settings_file else []
    return _fill("build", header=header, jobs=_quoted(job.folder), options=_quoted(*options))


def _predict(job: Job, header: str) -> str:
    options = ["--out", job.labels, "--backend", job.backend]
    options += ["--fps", job.fps] if job.fps else []
    options += ["--min-confidence", job.min_confidence] if job.min_confidence else []
    quoted = {"jobs": _quoted(job.folder), "options": _quoted(*options), "model": _quoted(job.run)}
    return _fill("predict", header=header, **quoted)


def _gather(job: Job, header: str) -> str:
    return _fill("gather", header=header, jobs=_quoted(job.folder))


def _write(job: Job, program: Program, gpu: bool, texts: dict[str, str], again: str) -> None:
    """Write the files; what tells that they are all there comes last."""
    program.check(job)
    if (job.folder / KNOWN).exists():
        msg = f"{str(job.folder)!r} holds jobs already, and some may be running: choose another folder, or remove it"
        raise BadInput(msg)
    for folder in (job.folder / LOGS, job.run.parent, job.labels.parent):
        with telling(folder):
            folder.mkdir(parents=True, exist_ok=True)
    modules = _fill("modules", names=_quoted(*program.modules)) if program.modules else ""
    texts["environment.sh"] = _fill(
        "environment", jobs=_quoted(job.folder), modules=modules, program=program.lines(job, gpu)
    )
    manifests = {
        "build.manifest": map(str, job.learn),
        "predict.manifest": (f"{number}{file}" for number, file in _numbered(job.bundles)),
    }
    for name, entries in manifests.items():
        texts[name] = "".join(f"{entry}\0" for entry in entries)
    for name, text in texts.items():
        write_atomic(job.folder / name, os.fsencode(text))
    bundles = [bundle.recordings for bundle in job.bundles]
    chain = "run.sh" if "run.sh" in texts else "submit.sh"
    known = {
        "run": str(job.run),
        "labels": str(job.labels),
        "bundles": bundles,
        "missing": again,
        "all": f"bash {_quoted(job.folder / chain)}",
    }
    write_json(job.folder / KNOWN, known)


def _numbered(bundles: Iterable[Bundle]) -> list[tuple[int, Path]]:
    return [(number, file) for number, bundle in enumerate(bundles) for file in bundle.files]


def _quoted(*words: object) -> str:
    return shlex.join(map(str, words))


def _fill(template: str, **values: str) -> str:
    """A template with its ``{{name}}`` filled in."""
    text = (TEMPLATES / f"{template}.sh").read_text()
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], text)
