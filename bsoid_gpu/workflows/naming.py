"""Name, merge and hide behaviours of a run, and write the tables again that show it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bsoid_gpu.behaviours.names import Behaviours
from bsoid_gpu.behaviours.names_file import FILE, load_names, names_beside, save_names
from bsoid_gpu.behaviours.proposals import MERGE
from bsoid_gpu.errors import BadInput
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.run_folder import records, tables
from bsoid_gpu.run_folder.model_file import Model, folder_of, load_model
from bsoid_gpu.workflows.labelled_sessions import LABELS, with_names
from bsoid_gpu.workflows.summarised import Summarised


class Change(NamedTuple):
    """Another value of the behaviour of a label: its ``name``, ``description``, ``colour``, or whether ``hidden``."""

    label: int
    what: str
    value: str | bool


def change_names(
    run: str | os.PathLike[str],
    changes: Sequence[Change] = (),
    merges: Sequence[tuple[Sequence[int], str]] = (),
    separate: Sequence[int] = (),
    file: str | os.PathLike[str] | None = None,
) -> Behaviours:
    """Change the names of a run and save them, all changes or none.

    Parameters
    ----------
    run
        Run folder, or model file.
    changes
        Other values, after merging and separating.
    merges
        Labels to merge, and the name of the merged behaviour; without a name, one of the behaviours gives its own.
    separate
        Labels whose behaviours are taken apart, before merging.
    file
        Names to begin with, as a page saves them; by default those of the run.

    Returns
    -------
    Behaviours
        The saved names.

    Raises
    ------
    BadInput
        Labels that the model does not have, or names that cannot be used.
    """
    model = load_model(run)
    behaviours = current_names(run, model)
    if file is not None:
        if not Path(file).is_file():
            msg = f"there is no file {str(file)!r}: give the {FILE} that a page saved"
            raise BadInput(msg)
        given = load_names(Path(file), behaviours.model, behaviours.count)
        behaviours = Behaviours(given.model, given.count, given.behaviours, behaviours.version)
    for label in separate:
        behaviours = behaviours.separated(label)
    for labels, name in merges:
        behaviours = behaviours.merged(labels, name)
    for change in changes:
        behaviours = behaviours.changed(change.label, **{change.what: change.value})
    return save(run, behaviours)


def save(run: str | os.PathLike[str], behaviours: Behaviours) -> Behaviours:
    """Save the names of a run, and write the tables of its training sessions again.

    Raises
    ------
    Conflict
        The names were saved elsewhere meanwhile.
    """
    folder = folder_of(run)
    behaviours = save_names(folder, behaviours)
    if (folder / "training.csv").is_file():
        tables.rename_training(folder, behaviours)
    for place, record in records.records_of(folder / LABELS, behaviours.model).items():
        records.renamed(folder / LABELS, place, record, behaviours)
    return behaviours


def current_names(run: str | os.PathLike[str], model: Model) -> Behaviours:
    """Names beside a model."""
    return names_beside([folder_of(run)], model.digest(), model.labels)


def listed(run: str | os.PathLike[str]) -> str:
    """The behaviours of a run, for people: labels, share of the training bins, name and description."""
    model = load_model(run)
    bins = sum(model.label_bins)
    lines = ["label  share   name"]
    for one in current_names(run, model).behaviours:
        share = sum(model.label_bins[label] for label in one.labels) / bins
        labels = " + ".join(map(str, one.labels)) if len(one.labels) > 1 else ""
        notes = "; ".join(filter(None, [f"labels {labels}" if labels else "", one.description, "hidden" * one.hidden]))
        lines.append(f"{one.number:5d}  {share:6.1%}  {one.name or '-'}" + (f"  ({notes})" if notes else ""))
    return "\n".join(lines) + "\n"


def proposed(run: str | os.PathLike[str]) -> str:
    """Labels of a run that may be one behaviour, for people, each with the reason and what to type.

    Raises
    ------
    BadInput
        The training sessions have no labels with positions.
    """
    shown = Summarised.of(with_names(run), Executor())
    lines = [
        f"--merge {','.join(map(str, one.labels))}: {one.reason}"
        if one.kind == MERGE
        else f"labels {' and '.join(map(str, one.labels))}: {one.reason}"
        for one in shown.proposals()
    ]
    return "\n".join(lines or ["no labels are so much alike that merging them is proposed"]) + "\n"
