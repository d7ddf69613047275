"""The labels of sessions in the folder of a prediction, with the model that they are from and its names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu.behaviours.names_file import copy_names, names_beside
from bsoid_gpu.errors import BadInput
from bsoid_gpu.run_folder import records
from bsoid_gpu.run_folder.model_file import Model, folder_of, load_model
from bsoid_gpu.run_folder.stored_run import StoredRun, load_run

if TYPE_CHECKING:
    from bsoid_gpu.behaviours.names import Behaviours

LABELS = "labels"  # folder of the training sessions' labels in a run folder


@dataclass(frozen=True)
class Labelled:
    """A model, the folder with its labels of sessions, their names, and records of them."""

    model: Model
    run: StoredRun | None
    folder: Path
    behaviours: Behaviours
    sessions: dict[str, dict[str, Any]]

    @property
    def groups(self) -> list[tuple[int, ...]]:
        """Labels of what is described: each label, and each behaviour of several."""
        merged = [one.labels for one in self.behaviours.behaviours if len(one.labels) > 1]
        return [*((label,) for label in range(self.behaviours.count)), *merged]


def with_names(run: str | os.PathLike[str], labels: str | os.PathLike[str] | None = None) -> Labelled:
    """The labels of sessions by a model; tables in which behaviours have other names are written again.

    Raises
    ------
    BadInput
        No labels of this model in the folder.
    """
    model, beside = load_model(run), folder_of(run)
    folder = beside / LABELS if labels is None else Path(labels)
    stored = load_run(beside) if (beside / "manifest.json").is_file() else None
    behaviours = names_beside([beside, folder], model.digest(), model.labels)
    of_model = records.records_of(folder, behaviours.model)
    if not of_model:
        msg = (
            f"there are no labels of this model in {str(folder)!r}: run `bsoid-gpu predict {run} SESSIONS --out "
            f"{folder}` first"
        )
        raise BadInput(msg)
    sessions: dict[str, dict[str, Any]] = {}
    for place, record in of_model.items():
        sessions |= records.renamed(folder, place, record, behaviours)["sessions"]
    copy_names(folder, behaviours)
    return Labelled(model, stored, folder, behaviours, sessions)
