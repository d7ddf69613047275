"""The commands that show results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bsoid_gpu.cli.options import debug, executor_options, videos_option

if TYPE_CHECKING:
    from bsoid_gpu.execution.executors import Executor


@click.command(name="report", epilog="\b\nExample:\n  bsoid-gpu report run1 labels")
@click.argument("run", metavar="RUN", type=click.Path(path_type=str))
@click.argument("labels", required=False, metavar="[LABELS]", type=click.Path(path_type=str))
@click.option("--out", metavar="FILE", type=click.Path(path_type=str), help="The page.  [default: report.html there]")
@videos_option
@click.option("--figures", metavar="DIR", type=click.Path(path_type=str), help="Also write figures, as PNG and SVG.")
@executor_options
@debug
def report_command(
    run: str, labels: str | None, out: str | None, videos: tuple[str, ...], figures: str | None, executor: Executor
) -> None:
    """Write a page that shows what the animals do, from RUN and the folder LABELS of a prediction.

    Without LABELS it shows the sessions that the run was built from. The page is one file, without anything from
    elsewhere: open it in a browser, or send it to someone.
    """
    from bsoid_gpu.workflows.report import report

    click.echo(report(run, labels, out, videos=videos, figures=figures, executor=executor))


@click.command(epilog="\b\nExample:\n  bsoid-gpu view run1 --port 8765")
@click.argument("run", metavar="RUN", type=click.Path(path_type=str))
@click.argument("labels", required=False, metavar="[LABELS]", type=click.Path(path_type=str))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of this machine.  [default: a free one]")
@click.option("--socket", "socket_path", metavar="PATH", type=click.Path(path_type=str), help="A Unix socket instead.")
@debug
def view(run: str, labels: str | None, port: int, socket_path: str | None) -> None:
    """Open the page of RUN where it can save names and cut the tree anew, until Ctrl-C.

    The address, with a token that keeps others out, goes to stdout. On a cluster, forward the port with `ssh -L`.
    """
    from pathlib import Path

    from bsoid_gpu.views.server import ViewServer
    from bsoid_gpu.workflows.view import RunActions, run_until_interrupted

    actions = RunActions(run, labels)
    server = ViewServer(actions, port, None if socket_path is None else Path(socket_path))
    click.echo(server.address)
    run_until_interrupted(server, actions)
