"""A job: training sessions, recordings to label, and their bundles."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bsoid_gpu.errors import BadInput
from bsoid_gpu.hpc.needs import label_needs
from bsoid_gpu.hpc.resources import MAX_TASKS
from bsoid_gpu.io import find_sessions
from bsoid_gpu.io import sessions as recordings
from bsoid_gpu.run_folder import model_file
from bsoid_gpu.settings import schema, toml
from bsoid_gpu.settings.schema import Settings

TASK_MINUTES = 15.0  # shorter tasks are not worth the scheduler's overhead


@dataclass(frozen=True)
class Bundle:
    """Recordings that one task labels: names and files."""

    recordings: tuple[str, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Job:
    """Content of the scripts; all paths are absolute. ``training`` is empty if the model exists already."""

    folder: Path
    training: tuple[Path, ...]
    bundles: tuple[Bundle, ...]
    settings: Settings
    run: Path
    labels: Path
    backend: str
    fps: str = ""
    settings_file: Path | None = None
    min_confidence: float = 0.0

    @property
    def to_label(self) -> list[Path]:
        """All files that get labels."""
        return [file for bundle in self.bundles for file in bundle.files]


def collect(
    sessions: Sequence[str],
    predict: Sequence[str],
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
    """Find the files of a job, and distribute them over tasks.

    Parameters
    ----------
    sessions
        Training sessions, which are labelled too; empty uses the model at ``run``.
    predict
        Further sessions to label.
    folder
        Folder for the scripts.
    fps, run, labels, settings_file, backend, min_confidence
        Options of the commands ``build`` and ``predict``; run and labels are in the folder by default.
    bundle
        Recordings per task; None for about 15 minutes of work.

    Raises
    ------
    BadInput
        Nothing to label, missing files, two with one name, no frame rate, or settings that cannot be used.
    """
    jobs = absolute(folder)
    if not sessions and not (predict and run):
        msg = "no sessions: give SESSIONS to build a model, or --predict SESSIONS and --run of an existing model"
        raise BadInput(msg)
    if bundle is not None and bundle < 1:
        msg = f"--bundle is {bundle}; expected 1 or more recordings per task"
        raise BadInput(msg)
    settings = toml.load(settings_file) if settings_file else Settings()
    training = [absolute(path) for path in find_sessions(sessions)] if sessions else []
    if not training and not settings_file:
        settings = model_file.load_model(run or "").settings
    rate = schema.parse_fps(fps or settings.input.fps)
    to_label = training + [absolute(path) for path in find_sessions(predict)] if predict else training
    grouped = recordings.by_recording(recordings.sources(list(dict.fromkeys(to_label))), settings.input)
    files = {name: tuple(Path(str(part.origin)) for part in parts) for name, parts in grouped.items()}
    return Job(
        folder=jobs,
        training=tuple(training),
        bundles=tuple(_bundles(files, bundle)),
        settings=replace(settings, input=replace(settings.input, fps=rate)),
        run=absolute(run) if run else jobs / "run",
        labels=absolute(labels) if labels else jobs / "labels",
        backend=backend,
        fps=fps or "",
        settings_file=absolute(settings_file) if settings_file else None,
        min_confidence=min_confidence,
    )


def absolute(path: str | os.PathLike[str]) -> Path:
    """Absolute path, since a job may start in another folder; links are kept, since sessions are named after them."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolves ".." but no links


def _bundles(files: dict[str, tuple[Path, ...]], size: int | None) -> list[Bundle]:
    """Bundles of that many recordings, in order; parts of one recording stay together."""
    if size is None:
        minutes = label_needs([file for parts in files.values() for file in parts]).minutes / len(files)
        size = math.ceil(TASK_MINUTES / minutes)
    size = max(size, math.ceil(len(files) / MAX_TASKS))
    names = list(files)
    chunks = [tuple(names[start : start + size]) for start in range(0, len(names), size)]
    return [Bundle(chunk, tuple(file for name in chunk for file in files[name])) for chunk in chunks]
