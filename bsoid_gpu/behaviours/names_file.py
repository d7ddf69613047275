"""The file ``behaviours.toml`` beside a model: read, save, and take along.

It belongs to one model, by its digest. Every save raises its version, so that none overwrites another unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bsoid_gpu import files
from bsoid_gpu.behaviours.names import Behaviours, from_tables
from bsoid_gpu.errors import BadInput
from bsoid_gpu.locks import lock
from bsoid_gpu.log import logger
from bsoid_gpu.settings.toml import read_toml

FILE = "behaviours.toml"
REMEDY = "correct it, or write it again with `bsoid-gpu names`"


class Conflict(BadInput):
    """The names were saved elsewhere meanwhile."""


def load_names(path: Path, model: str, count: int) -> Behaviours:
    """Behaviours of a model from a file or folder; if there is no file, each label is a behaviour without a name.

    Raises
    ------
    BadInput
        The file cannot be used, or belongs to another model.
    """
    path = path / FILE if path.is_dir() else path
    if not path.exists():
        return Behaviours(model, count)
    tables = read_toml(path, "the names", REMEDY)
    if (other := tables.get("model")) != model:
        msg = (
            f"the names in {str(path)!r} belong to another model (digest {str(other)[:12]!r}, this one has "
            f"{model[:12]!r}): their labels are others; move the file away, and name the labels of this model"
        )
        raise BadInput(msg)
    try:
        return from_tables(tables, model, count)
    except BadInput as error:
        msg = f"the names in {str(path)!r} cannot be used: {error}; {REMEDY}"
        raise BadInput(msg) from error


def names_beside(folders: Sequence[Path | None], model: str, count: int) -> Behaviours:
    """Behaviours from the first of the folders that has names of a model; without any, labels have no names."""
    for folder in folders:
        if folder is not None and has_names(folder, model):
            return load_names(folder, model, count)
    return Behaviours(model, count)


def save_names(folder: Path, behaviours: Behaviours) -> Behaviours:
    """Write ``behaviours.toml`` into a run folder, as the version after the one that it was changed from.

    Raises
    ------
    Conflict
        The names were saved elsewhere meanwhile; they remain.
    BadInput
        The folder cannot be written to.
    """
    with files.explained(folder), lock(folder, f".{FILE}.lock", wait=True):
        saved = load_names(folder, behaviours.model, behaviours.count)
        if saved.version != behaviours.version:
            msg = (
                f"the names were saved elsewhere meanwhile (version {saved.version}, yours is based on "
                f"{behaviours.version}): load them again, and repeat the change"
            )
            raise Conflict(msg)
        behaviours = replace(behaviours, version=behaviours.version + 1)
        files.write_atomic(folder / FILE, behaviours.to_toml().encode())
    return behaviours


def has_names(folder: Path, model: str) -> bool:
    """Whether a folder has names of a model."""
    path = folder / FILE
    return path.exists() and read_toml(path, "the names", REMEDY).get("model") == model


def make_way(folder: Path, model: str) -> None:
    """Keep names of another model in a file of another name, with a warning; those of this model come back."""
    path, kept = folder / FILE, folder / _kept_name(model)
    if path.exists() and not has_names(folder, model):
        other = str(read_toml(path, "the names", REMEDY).get("model"))
        path.replace(folder / _kept_name(other))
        logger.warning("the labels are new: the names of the earlier model are kept in %r", _kept_name(other))
    if kept.exists() and not path.exists():
        kept.replace(path)


def _kept_name(model: str) -> str:
    return f"behaviours.{files.safe_name(model[:12])}.toml"


def copy_names(folder: Path, behaviours: Behaviours) -> None:
    """Copy the names to the folder of a prediction; those that were saved there later are kept, with a warning."""
    make_way(folder, behaviours.model)
    path, content = folder / FILE, behaviours.to_toml()
    if not path.exists() and behaviours.version == 0:
        return
    if path.exists() and path.read_text(encoding="utf-8") != content:
        saved = load_names(folder, behaviours.model, behaviours.count)
        if saved.version > behaviours.version:
            aside = folder / f"behaviours.version{saved.version}.toml"
            path.replace(aside)
            logger.warning(
                "%r has the names of the model; those that were saved there are in %r", str(path), aside.name
            )
    files.write_atomic(path, content.encode())
