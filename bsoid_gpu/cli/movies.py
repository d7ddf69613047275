"""The commands that write movies."""

from __future__ import annotations

import click

from bsoid_gpu.cli.options import debug, videos_option


@click.command(name="clips", epilog="\b\nExample:\n  bsoid-gpu clips run1 labels --videos recordings/ --out clips")
@click.argument("run", metavar="RUN", type=click.Path(path_type=str))
@click.argument("labels", required=False, metavar="[LABELS]", type=click.Path(path_type=str))
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=str), help="Folder for the movies.")
@videos_option
@click.option("--behaviours", metavar="LABEL,...", help="Only these, comma-separated.  [default: all]")
@click.option("--cells", default=16, show_default=True, help="Most bouts in a movie.")
@click.option(
    "--view",
    type=click.Choice(["arena", "egocentric"]),
    default="arena",
    show_default=True,
    help="Upright as the video, or turned so that the animal looks up.",
)
@click.option("--skeleton/--no-skeleton", default=True, show_default=True, help="Draw the pose over the video.")
@debug
def clips_command(
    run: str,
    labels: str | None,
    out: str,
    videos: tuple[str, ...],
    behaviours: str | None,
    cells: int,
    view: str,
    skeleton: bool,
) -> None:
    """Write a movie of each behaviour: its bouts side by side, from RUN and the folder LABELS of a prediction.

    Sessions whose video is given are shown with it, by the names of the files; the others show the pose alone.
    DIR/clips.csv lists the cells of the movies.
    """
    from bsoid_gpu.views.grid_cells import GridStyle
    from bsoid_gpu.workflows import movies

    style = GridStyle(cells=cells, view=view, overlay=skeleton)
    click.echo(movies.clips(run, labels, out, videos=videos, behaviours=_labels(behaviours), style=style))


def _labels(text: str | None) -> list[int]:
    """Labels of ``3,7``."""
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts):
        msg = f"{text!r} are no labels; expected numbers, comma-separated, for example --behaviours 3,7"
        raise click.UsageError(msg)
    return [int(part) for part in parts]


@click.command(
    name="video",
    epilog="\b\nExample:\n  bsoid-gpu video run1 labels --session mouse1 --video mouse1.mp4 --out mouse1-labels.mp4",
)
@click.argument("run", metavar="RUN", type=click.Path(path_type=str))
@click.argument("labels", required=False, metavar="[LABELS]", type=click.Path(path_type=str))
@click.option("--session", required=True, metavar="NAME", help="The session.")
@click.option("--video", "video_file", required=True, metavar="FILE", type=click.Path(path_type=str), help="Its video.")
@click.option("--out", required=True, metavar="FILE", type=click.Path(path_type=str), help="The result, .mp4 or .mov.")
@click.option("--skeleton", is_flag=True, help="Draw the pose.")
@debug
def video_command(run: str, labels: str | None, session: str, video_file: str, out: str, skeleton: bool) -> None:
    """Write the video of a session with the name, colour and confidence of the behaviour in every frame.

    Below is the ethogram: ten seconds before and after the frame, and the whole session. All time stamps are kept.
    """
    from bsoid_gpu.workflows import movies

    click.echo(movies.video(run, labels, session, video_file, out, skeleton=skeleton).path)
