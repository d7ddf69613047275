"""The command line: the only module that prints or exits.

Heavy modules are imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bsoid_gpu._version import __version__
from bsoid_gpu.cli.doctor import doctor
from bsoid_gpu.cli.hpc import hpc
from bsoid_gpu.cli.movies import clips_command, video_command
from bsoid_gpu.cli.names import names
from bsoid_gpu.cli.options import (
    backend_option,
    debug,
    executor_options,
    individuals_option,
    names_in,
    preset_option,
    report_option,
    settings_of,
    videos_option,
)
from bsoid_gpu.cli.report import report_command, view
from bsoid_gpu.errors import BsoidError, OutOfMemory

if TYPE_CHECKING:
    from bsoid_gpu.execution.executors import Executor

INTERRUPTED = 130  # as a shell reports Ctrl-C

EPILOG = """\b
Exit codes: 0 done, 1 a bug, 2 usage, 3 backend unavailable, 4 bad input, 5 out of memory,
6 stopped by SIGTERM or SIGUSR1, 130 interrupted by Ctrl-C: the same command resumes.
The path of the result goes to stdout, everything else to stderr."""


class _Commands(click.Group):
    """Commands that report errors as messages, with exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BsoidError as error:
            _fail(ctx, error, str(error), error.exit_code)
        except MemoryError as error:
            text = "out of memory: use fewer sessions, a smaller [embedding] neighbours, or a machine with more memory"
            _fail(ctx, error, text, OutOfMemory.exit_code)
        except KeyboardInterrupt as error:
            _fail(ctx, error, "interrupted: run the same command to resume", INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a message
            text = f"a bug in bsoid_gpu {__version__}: {type(error).__name__}: {error}; --debug shows the traceback"
            _fail(ctx, error, text, 1)


def _fail(ctx: click.Context, error: BaseException, text: str, code: int) -> None:
    if ctx.meta.get("debug"):
        raise error
    click.echo(f"error: {text}", err=True)
    ctx.exit(code)


@click.group(cls=_Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bsoid-gpu")
@debug
def main() -> None:
    """Discover what freely moving animals do, from pose tracks, without naming the behaviours first."""
    from bsoid_gpu.log import to_stderr

    to_stderr()


@main.command(epilog="\b\nExample:\n  bsoid-gpu simulate demo --sessions 3 --minutes 5 --fps 60")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=str))
@click.option("--sessions", default=3, show_default=True, help="Number of sessions.")
@click.option("--minutes", default=5.0, show_default=True, help="Length of each session.")
@click.option("--fps", default=60.0, show_default=True, help="Frames per second.")
@click.option("--seed", default=0, show_default=True, help="Seed of the random number generator.")
@click.option("--hard", is_flag=True, help="Vary animals, cameras, movement and tracking as in real recordings.")
@click.option("--slow", is_flag=True, help="Two forms of walking and grooming that differ in rhythm only.")
@debug
def simulate(folder: str, sessions: int, minutes: float, fps: float, seed: int, hard: bool, slow: bool) -> None:
    """Simulate DeepLabCut sessions of a mouse with known behaviours.

    DIR/NAME.csv are the sessions, DIR/truth/NAME.truth.csv the behaviour in each frame.
    """
    from pathlib import Path

    from bsoid_gpu.synthetic.sessions import simulate as write_sessions

    write_sessions(Path(folder), sessions=sessions, minutes=minutes, fps=fps, seed=seed, hard=hard, slow=slow)
    click.echo(folder)


@main.command(epilog="\b\nExample:\n  bsoid-gpu build recordings/ --fps 60 --out run1")
@click.argument("sessions", nargs=-1, required=True, metavar="SESSIONS...", type=click.Path(path_type=str))
@click.option("--fps", help="Frames per second of the camera, at least 10.")
@click.option("--out", required=True, metavar="RUN", type=click.Path(path_type=str), help="Run folder.")
@backend_option
@preset_option
@click.option(
    "--config", "settings_file", type=click.Path(path_type=str), help="Settings file, as `bsoid-gpu config` prints it."
)
@click.option(
    "--seed",
    metavar="NUMBER|none",
    help="Seed of the random number generator; none: faster on a GPU, not repeatable.  [default: 23]",
)
@click.option(
    "--models", type=click.IntRange(1), help="Models of other seeds whose labels are joined.  [default: the preset's]"
)
@click.option("--no-stability", is_flag=True, help="Do not build a second model to see which labels return.")
@click.option(
    "--member", type=int, metavar="NUMBER", help="Only compute this one of the models, from 1 on, for a job array."
)
@click.option("--keypoints", metavar="NAME,...", help="Exact names of the keypoints to use, comma-separated.")
@individuals_option
@executor_options
@report_option
@videos_option
@click.option("--dry-run", is_flag=True, help="Only check the files, and print the time and memory of each stage.")
@debug
def build(
    sessions: tuple[str, ...],
    fps: str | None,
    out: str,
    backend: str,
    preset: str,
    settings_file: str | None,
    seed: str | None,
    models: int | None,
    no_stability: bool,
    member: int | None,
    keypoints: str | None,
    individuals: str | None,
    no_report: bool,
    videos: tuple[str, ...],
    dry_run: bool,
    executor: Executor,
) -> None:
    """Discover behaviours in SESSIONS, DeepLabCut files or folders.

    RUN/report.html shows them. After an interruption, run the same command to resume: finished stages are not
    repeated.
    """
    from bsoid_gpu.workflows import cost
    from bsoid_gpu.workflows.build import build as build_run
    from bsoid_gpu.workflows.build import build_member
    from bsoid_gpu.workflows.report import report_of_training

    settings = settings_of(preset, settings_file, models, no_stability=no_stability)
    chosen: dict[str, Any] = {"keypoints": names_in(keypoints), "individuals": names_in(individuals)}
    if dry_run:
        click.echo(cost.plan(list(sessions), fps, settings=settings, backend=backend, executor=executor, **chosen))
        return
    chosen |= {"settings": settings, "backend": backend, "seed": seed, "executor": executor}
    if member is not None:
        build_member(list(sessions), fps, out, member, **chosen)
    else:
        build_run(list(sessions), fps, out, **chosen)
        if not no_report:
            shared = {name: chosen[name] for name in ("backend", "individuals", "executor")}
            report_of_training(out, list(sessions), fps, videos=videos, **shared)
    click.echo(out)


@main.command(epilog="\b\nExample:\n  bsoid-gpu predict run1 new_recordings/ --out labels --min-confidence 0.5")
@click.argument("model", metavar="RUN_OR_MODEL", type=click.Path(path_type=str))
@click.argument("sessions", nargs=-1, required=True, metavar="SESSIONS...", type=click.Path(path_type=str))
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=str), help="Folder for the tables.")
@backend_option
@click.option("--fps", help="Frames per second of these sessions.  [default: the model's]")
@click.option("--min-confidence", default=0.0, show_default=True, help="Frames below it get the label -1.")
@individuals_option
@click.option(
    "--scale",
    default="1",
    show_default=True,
    metavar="FACTOR|auto",
    help="Factor on the positions; auto: that which gives bodies the length of training.",
)
@click.option(
    "--smooth",
    type=float,
    metavar="STAY",
    help="Probability of the same label in the next frame; 0 does not smooth.  [default: the model's, 0.97]",
)
@click.option("--px-per-mm", type=float, help="Pixels per millimetre of these sessions, if the model knows its own.")
@report_option
@videos_option
@executor_options
@debug
def predict(
    model: str,
    sessions: tuple[str, ...],
    out: str,
    backend: str,
    fps: str | None,
    min_confidence: float,
    individuals: str | None,
    scale: str,
    smooth: float | None,
    px_per_mm: float | None,
    no_report: bool,
    videos: tuple[str, ...],
    executor: Executor,
) -> None:
    """Label every frame of SESSIONS with a model.

    Writes NAME.labels.csv, NAME.bouts.csv, NAME.summary.csv and NAME.transitions.csv for each session, and a page
    that shows them, report.html. Sessions that have tables from the same content and model are not labelled again.
    """
    from bsoid_gpu.workflows.predict import predict_files
    from bsoid_gpu.workflows.report import report

    predict_files(
        model,
        list(sessions),
        fps,
        out,
        backend=backend,
        min_confidence=min_confidence,
        individuals=names_in(individuals),
        scale=scale,
        smooth=smooth,
        px_per_mm=px_per_mm,
        executor=executor,
    )
    if not no_report:
        report(model, out, videos=videos, executor=executor)
    click.echo(out)


@main.command(epilog="\b\nExample:\n  bsoid-gpu info run1")
@click.argument("model", metavar="RUN_OR_MODEL", type=click.Path(path_type=str))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@debug
def info(model: str, as_json: bool) -> None:
    """Show a model: its sessions, labels and held-out accuracy."""
    import json

    from bsoid_gpu.run_folder import model_file

    loaded = model_file.load_model(model)
    about = model_file.about(loaded)
    click.echo(json.dumps(about, indent=1, sort_keys=True) if as_json else model_file.describe(loaded))


@main.command(epilog="\b\nExample:\n  bsoid-gpu config --preset bsoid-1.3 > settings.toml")
@click.argument("settings_file", required=False, metavar="[FILE]", type=click.Path(path_type=str))
@preset_option
@debug
def config(settings_file: str | None, preset: str) -> None:
    """Print all settings, explained: those of a preset, with those of FILE in their place."""
    from bsoid_gpu.settings.presets import PRESETS
    from bsoid_gpu.settings.toml import to_toml

    text = to_toml(settings_of(preset, settings_file))
    click.echo(f"# Presets: {', '.join(PRESETS)}.\n{text}", nl=False)


main.add_command(names)
main.add_command(report_command)
main.add_command(view)
main.add_command(clips_command)
main.add_command(video_command)
main.add_command(doctor)
main.add_command(hpc)
