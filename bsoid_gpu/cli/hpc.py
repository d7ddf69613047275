"""The commands ``bsoid-gpu hpc``: files for clusters."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bsoid_gpu.hpc.job import Job
    from bsoid_gpu.hpc.resources import Resources
    from bsoid_gpu.hpc.scripts import Program

F = TypeVar("F", bound=Callable[..., Any])
PATH = click.Path(path_type=str)

WORK = [
    click.argument("sessions", nargs=-1, metavar="SESSIONS...", type=PATH),
    click.option("--out", required=True, metavar="JOBS", type=PATH, help="Folder for the files."),
    click.option("--predict", multiple=True, metavar="SESSIONS", type=PATH, help="Label these too; may be repeated."),
    click.option("--fps", help="Frames per second of the camera, at least 10."),
    click.option("--run", metavar="RUN", type=PATH, help="Run folder, or model.  [default: JOBS/run]"),
    click.option("--labels", metavar="DIR", type=PATH, help="Folder for the tables.  [default: JOBS/labels]"),
    click.option("--config", "settings_file", type=PATH, help="Settings, as `bsoid-gpu config` prints them."),
    click.option("--min-confidence", default=0.0, show_default=True, help="Frames less sure get the label -1."),
    click.option("--bundle", type=int, help="Recordings a task.  [default: about 15 minutes of work]"),
    click.option("--module", "modules", multiple=True, metavar="NAME", help="Module to load; may be repeated."),
    click.option("--container", default="", metavar="IMAGE", help="Apptainer image that holds the program."),
]
ASK = [
    click.option("--backend", type=click.Choice(["auto", "cpu", "cuda"]), help="[default: cuda; cpu with --gpu none]"),
    click.option("--gpu", default="v100x", show_default=True, metavar="CARD", help="Slurm's name of it, or none."),
    click.option("--partition", default="", help="[default: gpu; --cpu-partition with --gpu none]"),
    click.option("--cpu-partition", default="norm", show_default=True, help="For jobs that need no card."),
    click.option("--mem", default="", metavar="20g", help="[default: by the size of the sessions, at least 20g]"),
    click.option("--time", default="", metavar="HH:MM:SS", help="[default: by the size, at least 01:00:00]"),
    click.option("--cpus", default=14, show_default=True, help="Cores a task."),
    click.option("--scratch-gb", default=10, show_default=True, help="Local scratch (gres lscratch); 0 asks for none."),
    click.option("--rapids", metavar="RELEASE", help="Check the card against it.  [default: the installed one]"),
    click.option("--cuda", type=click.IntRange(11), metavar="MAJOR", help="Check the card against CUDA 11, 12 or 13."),
]


def _options(options: list[Callable[[F], F]]) -> Callable[[F], F]:
    """Give a command several options."""

    def give(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return give


@click.group(epilog="\b\nExample:\n  bsoid-gpu hpc sbatch recordings/ --fps 60 --out jobs && bash jobs/submit.sh")
def hpc() -> None:
    """Write files for a cluster: batch scripts, a swarm, a module file."""


@hpc.command(
    epilog="\b\nExample:\n  bsoid-gpu hpc sbatch recordings/ --fps 60 --out jobs --gpu v100x && bash jobs/submit.sh"
)
@_options(WORK + ASK)
@click.option("--at-once", default=8, show_default=True, help="Tasks of the array that run at a time.")
def sbatch(at_once: int, **given: Any) -> None:
    """Write batch scripts that learn from SESSIONS, label them, and gather; JOBS/submit.sh submits them.

    Without SESSIONS, those of --predict are labelled by the model at --run.
    """
    from bsoid_gpu.hpc import scripts

    job, program, resources = _asked(given)
    scripts.write_sbatch(job, program, resources, max(at_once, 1))
    click.echo(os.fsencode(given["out"]))


@hpc.command(epilog="\b\nExample:\n  bsoid-gpu hpc swarm --predict new/ --run run1 --out jobs && bash jobs/submit.sh")
@_options(WORK + ASK)
def swarm(**given: Any) -> None:
    """Write the same for NIH's swarm: JOBS/predict.swarm has a line for each bundle of recordings."""
    from bsoid_gpu.hpc import scripts

    scripts.write_swarm(*_asked(given))
    click.echo(os.fsencode(given["out"]))


@hpc.command(epilog="\b\nExample:\n  bsoid-gpu hpc local recordings/ --fps 60 --out jobs && bash jobs/run.sh")
@_options(WORK)
@click.option("--backend", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
def local(**given: Any) -> None:
    """Write the same chain as a plain script, JOBS/run.sh, that needs no scheduler."""
    from bsoid_gpu.hpc import scripts

    scripts.write_local(_job(given), _program(given))
    click.echo(os.fsencode(given["out"]))


@hpc.command(epilog="\b\nExample:\n  bsoid-gpu hpc gather jobs")
@click.argument("jobs", metavar="JOBS", type=PATH)
def gather(jobs: str) -> None:
    """Name the recordings of a job that have no labels yet, and what to type; exit with 4 where there are some."""
    from bsoid_gpu.hpc import gather as gathering

    click.echo(os.fsencode(gathering.gather(jobs)))


@hpc.command(epilog="\b\nExample:\n  bsoid-gpu hpc module --out modulefiles/bsoid-gpu/1.0 --data bsoid-data")
@click.option("--out", required=True, metavar="FILE", type=PATH, help="The module file.")
@click.option("--data", metavar="FOLDER", type=PATH, help="Write sample recordings there, and tell it as BSOID_DATA.")
def module(out: str, data: str | None) -> None:
    """Write a module file of this installation, which Lmod and Environment Modules read.

    It sets BSOID_HOME, BSOID_BIN, BSOID_SRC and BSOID_DATA, and puts the program on PATH.
    """
    from bsoid_gpu.hpc import modulefile

    modulefile.write_module(out, data)
    click.echo(os.fsencode(out))


def _asked(given: dict[str, Any]) -> tuple[Job, Program, Resources]:
    """What the options say, checked against each other."""
    from bsoid_gpu.hpc import cards
    from bsoid_gpu.hpc.resources import Resources

    names = ("gpu", "partition", "cpu_partition", "mem", "time", "cpus", "scratch_gb")
    resources, program = Resources(**{name: given[name] for name in names}), _program(given)
    resources.check()
    given["backend"] = given["backend"] or ("cuda" if resources.has_gpu else "cpu")
    if given["backend"] == "cuda" and not resources.has_gpu:
        msg = "--backend cuda needs a card, and --gpu none asks for none: leave out one of them"
        raise click.UsageError(msg)
    if resources.has_gpu and given["backend"] != "cpu":
        cards.check(resources.gpu, given["rapids"], given["cuda"], here=program.here)
    return _job(given), program, resources


def _program(given: dict[str, Any]) -> Program:
    from bsoid_gpu.hpc.scripts import Program

    return Program(given["modules"], given["container"])


def _job(given: dict[str, Any]) -> Job:
    from bsoid_gpu.hpc.job import collect

    names = ("fps", "run", "labels", "settings_file", "backend", "min_confidence", "bundle")
    return collect(given["sessions"], given["predict"], given["out"], **{name: given[name] for name in names})
