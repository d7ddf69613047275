"""Options that several commands share, and their values."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bsoid_gpu.settings.schema import Settings

F = TypeVar("F", bound=Callable[..., Any])


def debug(function: F) -> F:
    """Add the option --debug to a command."""

    def remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.meta["debug"] = True

    option = click.option(
        "--debug", is_flag=True, expose_value=False, callback=remember, help="Show the traceback of an error."
    )
    return option(function)


backend_option = click.option(
    "--backend",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to compute; cuda never falls back to cpu.",
)
preset_option = click.option(
    "--preset",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Named settings: default, multiscale, bsoid-1, bsoid-1.3 or bsoid-2.",
)
individuals_option = click.option(
    "--individuals", metavar="NAME,...", help="Exact names of the animals, comma-separated."
)

report_option = click.option(
    "--no-report", is_flag=True, help="Do not write report.html; `bsoid-gpu report` writes it later."
)

videos_option = click.option(
    "--videos",
    multiple=True,
    metavar="PATH",
    type=click.Path(path_type=str),
    help="Video, folder with videos, or SESSION=FILE; again for more.",
)


def executor_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options --scheduler and --workers to a command, which gets them as one executor."""

    def command(scheduler: str, workers: int, **options: Any) -> Any:
        from bsoid_gpu.execution.executors import Executor

        return function(executor=Executor(scheduler, workers), **options)

    option = click.option(
        "--scheduler",
        default="processes",
        show_default=True,
        metavar="processes|dask|slurm|ADDRESS",
        help="Run on processes or Dask workers of this machine, on Slurm jobs, or on a Dask scheduler.",
    )
    number = click.option(
        "--workers", type=click.IntRange(0), default=0, help="Number of workers.  [default: as many as fit]"
    )
    return option(number(functools.update_wrapper(command, function)))


def settings_of(
    preset_name: str, settings_file: str | None, models: int | None = None, *, no_stability: bool = False
) -> Settings:
    """Settings of a preset, with those of a file and of the options in their place."""
    from dataclasses import replace

    from bsoid_gpu.settings.presets import preset
    from bsoid_gpu.settings.toml import load

    settings = preset(preset_name)
    settings = load(settings_file, settings) if settings_file else settings
    settings = replace(settings, models=models) if models else settings
    return replace(settings, validation=replace(settings.validation, stability=False)) if no_stability else settings


def names_in(text: str | None) -> tuple[str, ...]:
    """Comma-separated names; a name with a comma is quoted, as in CSV."""
    import csv

    return tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True))) if text else ()
