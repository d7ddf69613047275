"""The command that names behaviours."""

from __future__ import annotations

import click

from bsoid_gpu.cli.options import debug

SET = "Name of a label, for example --set 3=groom; without a name, it has none any more."
MERGE = "Labels that are one behaviour, and its name."


@click.command(epilog="\b\nExample:\n  bsoid-gpu names run1 --set 3=groom --merge 4,7=walk")
@click.argument("model", metavar="RUN", type=click.Path(path_type=str))
@click.option("--set", "named", multiple=True, metavar="LABEL=NAME", help=SET)
@click.option(
    "--merge", "merged", multiple=True, metavar="LABEL,LABEL,...[=NAME]", help="Labels that are one behaviour."
)
@click.option("--separate", multiple=True, type=int, metavar="LABEL", help="Undo the merging of a label with others.")
@click.option("--describe", multiple=True, metavar="LABEL=TEXT", help="Description of a label.")
@click.option("--colour", multiple=True, metavar="LABEL=#rrggbb", help="Colour of a label.")
@click.option("--hide", multiple=True, type=int, metavar="LABEL", help="Leave a label out of reports and clips.")
@click.option("--show", multiple=True, type=int, metavar="LABEL", help="Show a hidden label again.")
@click.option("--from", "file", type=click.Path(path_type=str), help="Take the names of a file, as a report saves it.")
@click.option("--proposals", is_flag=True, help="Propose labels to merge, with reasons.")
@debug
def names(
    model: str,
    named: tuple[str, ...],
    merged: tuple[str, ...],
    separate: tuple[int, ...],
    describe: tuple[str, ...],
    colour: tuple[str, ...],
    hide: tuple[int, ...],
    show: tuple[int, ...],
    file: str | None,
    proposals: bool,
) -> None:
    """Print or change the names of the behaviours of RUN, which all tables, reports and clips have.

    They are in RUN/behaviours.toml. The tables in RUN/labels have them at once, those of `bsoid-gpu predict` when it,
    or `bsoid-gpu report`, runs again.
    """
    from bsoid_gpu.workflows import naming

    changes = [
        *(naming.Change(label, "name", text) for label, text in map(_assignment, named)),
        *(naming.Change(label, "description", text) for label, text in map(_assignment, describe)),
        *(naming.Change(label, "colour", text) for label, text in map(_assignment, colour)),
        *(
            naming.Change(label, "hidden", hidden)
            for labels, hidden in ((hide, True), (show, False))
            for label in labels
        ),
    ]
    merges = [_merge(text) for text in merged]
    if changes or merges or separate or file:
        naming.change_names(model, changes, merges, separate, file)
    click.echo(naming.listed(model), nl=False)
    if proposals:
        click.echo(naming.proposed(model), nl=False)


def _assignment(text: str) -> tuple[int, str]:
    """Label and value of ``3=groom``."""
    label, equals, value = text.partition("=")
    if not equals or not label.strip().isdecimal():
        msg = f"{text!r} is no assignment; expected LABEL=VALUE, for example 3=groom"
        raise click.UsageError(msg)
    return int(label), value.strip()


def _merge(text: str) -> tuple[list[int], str]:
    """Labels and name of ``4,7=walk``."""
    labels, _, name = text.partition("=")
    parts = [part.strip() for part in labels.split(",")]
    if len(parts) < 2 or not all(part.isdecimal() for part in parts):
        msg = f"{text!r} are no labels to merge; expected LABEL,LABEL,... and perhaps =NAME, for example 4,7=walk"
        raise click.UsageError(msg)
    return [int(part) for part in parts], name.strip()
