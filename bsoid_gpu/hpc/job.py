"""A job on sessions: what is learnt from, what is labelled, and in which bundles."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bsoid_gpu.errors import BadInput
from bsoid_gpu.hpc.needs import to_label
from bsoid_gpu.hpc.resources import MOST_TASKS
from bsoid_gpu.io import find_sessions
from bsoid_gpu.io import sessions as recordings
from bsoid_gpu.run_folder import model_file
from bsoid_gpu.settings import schema, toml
from bsoid_gpu.settings.schema import Settings

WORTH_MINUTES = 15.0  # a scheduler's work on a job pays off above this


@dataclass(frozen=True)
class Bundle:
    """Recordings that one task labels: their names, and their files."""

    recordings: tuple[str, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Job:
    """All that the scripts say; every path is absolute. ``learn`` is empty where the model is there already."""

    folder: Path
    learn: tuple[Path, ...]
    bundles: tuple[Bundle, ...]
    settings: Settings
    run: Path
    labels: Path
    backend: str
    fps: str = ""
    settings_file: Path | None = None
    min_confidence: float = 0.0

    @property
    def label(self) -> list[Path]:
        """Every file that gets labels."""
        return [file for bundle in self.bundles for file in bundle.files]


def collect(
    sessions: Sequence[str],
    more: Sequence[str],
    folder: str,
    *,
    fps: str | None,
    run: str | None,
    labels: str | None,
    settings_file: str | None,
    backend: str,
    min_confidence: float,
    bundle: int | None,
) -> Job:
    """Find the files of a job, and share them out.

    Parameters
    ----------
    sessions
        What is learnt from, and labelled; empty takes the model that is at ``run``.
    more
        What is labelled too.
    folder
        Where the scripts go.
    fps, run, labels, settings_file, backend, min_confidence
        As the commands ``build`` and ``predict`` take them; run and labels are in the folder unless given.
    bundle
        Recordings a task; None takes as many as are worth a task.

    Raises
    ------
    BadInput
        Nothing to label, no such files, two of one name, no frame rate, settings that cannot be used.
    """
    place = absolute(folder)
    if not sessions and not (more and run):
        msg = "no sessions: give those to learn from, or --predict those to label and --run a model that is there"
        raise BadInput(msg)
    if bundle is not None and bundle < 1:
        msg = f"--bundle is {bundle}; expected 1 or more recordings a task"
        raise BadInput(msg)
    settings = toml.load(settings_file) if settings_file else Settings()
    learn = [absolute(path) for path in find_sessions(sessions)] if sessions else []
    if not learn and not settings_file:
        settings = model_file.load_model(run or "").settings
    rate = schema.parse_fps(fps or settings.input.fps)
    label = learn + [absolute(path) for path in find_sessions(more)] if more else learn
    grouped = recordings.by_recording(recordings.sources(list(dict.fromkeys(label))), settings.input)
    files = {name: tuple(Path(str(part.origin)) for part in parts) for name, parts in grouped.items()}
    return Job(
        folder=place,
        learn=tuple(learn),
        bundles=tuple(_bundles(files, bundle)),
        settings=replace(settings, input=replace(settings.input, fps=rate)),
        run=absolute(run) if run else place / "run",
        labels=absolute(labels) if labels else place / "labels",
        backend=backend,
        fps=fps or "",
        settings_file=absolute(settings_file) if settings_file else None,
        min_confidence=min_confidence,
    )


def absolute(path: str | os.PathLike[str]) -> Path:
    """The path from the root: a job may begin in another folder; links stay, since sessions are named by them."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - without ".." and with its links


def _bundles(files: dict[str, tuple[Path, ...]], size: int | None) -> list[Bundle]:
    """Recordings in order, so many together; parts of one recording stay together."""
    if size is None:
        each = to_label([file for parts in files.values() for file in parts]).minutes / len(files)
        size = math.ceil(WORTH_MINUTES / each)
    size = max(size, math.ceil(len(files) / MOST_TASKS))
    names = list(files)
    chunks = [tuple(names[start : start + size]) for start in range(0, len(names), size)]
    return [Bundle(chunk, tuple(file for name in chunk for file in files[name])) for chunk in chunks]
