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

JOB = [
    click.argument("sessions", nargs=-1, metavar="SESSIONS...", type=PATH),
    click.option("--out", required=True, metavar="JOBS", type=PATH, help="Folder for the files."),
    click.option(
        "--predict", multiple=True, metavar="SESSIONS", type=PATH, help="Further sessions to label; may be repeated."
    ),
    click.option("--fps", help="Frames per second of the camera, at least 10."),
    click.option("--run", metavar="RUN", type=PATH, help="Run folder, or model.  [default: JOBS/run]"),
    click.option("--labels", metavar="DIR", type=PATH, help="Folder for the tables.  [default: JOBS/labels]"),
    click.option("--config", "settings_file", type=PATH, help="Settings file, as `bsoid-gpu config` prints it."),
    click.option("--min-confidence", default=0.0, show_default=True, help="Frames below it get the label -1."),
    click.option("--bundle", type=int, help="Recordings per task.  [default: about 15 minutes of work]"),
    click.option("--module", "modules", multiple=True, metavar="NAME", help="Module to load; may be repeated."),
    click.option("--container", default="", metavar="IMAGE", help="Apptainer image with the program."),
]
RESOURCES = [
    click.option(
        "--backend", type=click.Choice(["auto", "cpu", "cuda"]), help="Backend.  [default: cuda; cpu with --gpu none]"
    ),
    click.option(
        "--gpu", default="v100x", show_default=True, metavar="NAME", help="Name of the GPU in Slurm, or none."
    ),
    click.option("--partition", default="", help="Partition.  [default: gpu; --cpu-partition with --gpu none]"),
    click.option("--cpu-partition", default="norm", show_default=True, help="Partition of jobs without GPU."),
    click.option(
        "--mem", default="", metavar="20g", help="Memory.  [default: by the size of the sessions, at least 20g]"
    ),
    click.option("--time", default="", metavar="HH:MM:SS", help="Time limit.  [default: by the size of the sessions]"),
    click.option("--cpus", default=14, show_default=True, help="Cores per task."),
    click.option(
        "--scratch-gb", default=10, show_default=True, help="Local scratch in GB (gres lscratch); 0 for none."
    ),
    click.option("--rapids", metavar="RELEASE", help="RAPIDS to check the GPU against.  [default: the installed one]"),
    click.option(
        "--cuda", type=click.IntRange(11), metavar="MAJOR", help="CUDA (11, 12 or 13) to check the GPU against."
    ),
]


def _with(options: list[Callable[[F], F]]) -> Callable[[F], F]:
    """Add options to a command."""

    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


@click.group(epilog="\b\nExample:\n  bsoid-gpu hpc sbatch recordings/ --fps 60 --out jobs && bash jobs/submit.sh")
def hpc() -> None:
    """Write files for a cluster: batch scripts, a swarm, a module."""


@hpc.command(
    epilog="\b\nExample:\n  bsoid-gpu hpc sbatch recordings/ --fps 60 --out jobs --gpu v100x && bash jobs/submit.sh"
)
@_with(JOB + RESOURCES)
@click.option("--at-once", default=8, show_default=True, help="Array tasks that run at the same time.")
def sbatch(at_once: int, **options: Any) -> None:
    """Write batch scripts that build a model and label sessions.

    JOBS/submit.sh submits them. The model is built from SESSIONS, which are labelled too. Without SESSIONS, the model
    at --run labels the sessions of --predict.
    """
    from bsoid_gpu.hpc import scripts

    job, program, resources = _request(options)
    scripts.write_sbatch(job, program, resources, max(at_once, 1))
    click.echo(os.fsencode(options["out"]))


@hpc.command(epilog="\b\nExample:\n  bsoid-gpu hpc swarm --predict new/ --run run1 --out jobs && bash jobs/submit.sh")
@_with(JOB + RESOURCES)
def swarm(**options: Any) -> None:
    """Write the same jobs for NIH's swarm.

    JOBS/predict.swarm has a line for each bundle of recordings.
    """
    from bsoid_gpu.hpc import scripts

    scripts.write_swarm(*_request(options))
    click.echo(os.fsencode(options["out"]))


@hpc.command(epilog="\b\nExample:\n  bsoid-gpu hpc local recordings/ --fps 60 --out jobs && bash jobs/run.sh")
@_with(JOB)
@click.option("--backend", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
def local(**options: Any) -> None:
    """Write the same jobs as a plain script, without a scheduler.

    JOBS/run.sh runs them.
    """
    from bsoid_gpu.hpc import scripts

    scripts.write_local(_job(options), _program(options))
    click.echo(os.fsencode(options["out"]))


@hpc.command(epilog="\b\nExample:\n  bsoid-gpu hpc gather jobs")
@click.argument("jobs", metavar="JOBS", type=PATH)
def gather(jobs: str) -> None:
    """List the recordings of a job without labels, and what to type.

    The exit code is 4 if there are any.
    """
    from bsoid_gpu.hpc import gather as gathering

    click.echo(os.fsencode(gathering.gather(jobs)))


@hpc.command(epilog="\b\nExample:\n  bsoid-gpu hpc module --out modulefiles/bsoid-gpu/1.0 --data bsoid-data")
@click.option("--out", required=True, metavar="FILE", type=PATH, help="The module file.")
@click.option("--data", metavar="FOLDER", type=PATH, help="Folder for sample recordings, set as BSOID_DATA.")
def module(out: str, data: str | None) -> None:
    """Write a module file for Lmod and Environment Modules.

    It sets BSOID_HOME, BSOID_BIN, BSOID_SRC and BSOID_DATA, and adds this installation to PATH.
    """
    from bsoid_gpu.hpc import modulefile

    modulefile.write_module(out, data)
    click.echo(os.fsencode(out))


def _request(options: dict[str, Any]) -> tuple[Job, Program, Resources]:
    """Job, program and resources of the options, checked against each other."""
    from bsoid_gpu.hpc import cards
    from bsoid_gpu.hpc.resources import Resources

    names = ("gpu", "partition", "cpu_partition", "mem", "time", "cpus", "scratch_gb")
    resources, program = Resources(**{name: options[name] for name in names}), _program(options)
    resources.check()
    options["backend"] = options["backend"] or ("cuda" if resources.has_gpu else "cpu")
    if options["backend"] == "cuda" and not resources.has_gpu:
        msg = "--backend cuda needs a GPU, and --gpu none requests none: leave out one of them"
        raise click.UsageError(msg)
    if resources.has_gpu and options["backend"] != "cpu":
        cards.check(resources.gpu, options["rapids"], options["cuda"], here=program.here)
    return _job(options), program, resources


def _program(options: dict[str, Any]) -> Program:
    from bsoid_gpu.hpc.scripts import Program

    return Program(options["modules"], options["container"])


def _job(options: dict[str, Any]) -> Job:
    from bsoid_gpu.hpc.job import collect

    names = ("fps", "run", "labels", "settings_file", "backend", "min_confidence", "bundle")
    return collect(options["sessions"], options["predict"], options["out"], **{name: options[name] for name in names})
