"""A build: files, features, labels, tables; and one model of a build, for a job array."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bsoid_gpu import files, log
from bsoid_gpu.backends import get_backend
from bsoid_gpu.behaviours.names_file import make_way, names_beside
from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.io.sessions import sources
from bsoid_gpu.log import logger
from bsoid_gpu.method.embedding import check_bins
from bsoid_gpu.run_folder import tables
from bsoid_gpu.run_folder.results import Run
from bsoid_gpu.run_folder.store import Store
from bsoid_gpu.settings import schema
from bsoid_gpu.workflows.discovery import discover
from bsoid_gpu.workflows.extraction import extract_features
from bsoid_gpu.workflows.member import classifiers_of, members
from bsoid_gpu.workflows.training import bins_to_train, of_phase

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.io.sessions import Sessions
    from bsoid_gpu.method.session_features import SessionFeatures


def build(
    sessions: Sessions,
    fps: float | str | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    settings: schema.Settings | None = None,
    backend: str = "auto",
    seed: int | str | None = None,
    keypoints: Sequence[str] = (),
    individuals: Sequence[str] = (),
    executor: Executor | None = None,
) -> Run:
    """Discover behaviours in sessions.

    Parameters
    ----------
    sessions
        Files, folders of files, or poses.
    fps
        Frames per second of the camera; by default, those of the settings.
    out
        Run folder; a repeated build resumes from its completed stages. None stores nothing.
    settings
        By default, those of :class:`bsoid_gpu.Settings`; :func:`bsoid_gpu.preset` gives others.
    backend
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    seed
        Replaces the seed of the settings; with ``"none"`` the embedding is not repeatable, which is faster on a GPU.
    keypoints, individuals
        Exact names; they replace those of the settings.
    executor
        Runs the work on each recording, and several models side by side; by default, in processes of this machine.

    Returns
    -------
    Run
        The model, and the results of every step.

    Raises
    ------
    BadInput
        Sessions or settings that cannot be used.
    BackendUnavailable
        The backend cannot run here.
    """
    settings = settled(settings or schema.Settings(), fps, seed, keypoints, individuals)
    selected, executor = get_backend(backend), executor or Executor()
    folder = None if out is None else Path(out)
    with log.collected() as warnings, Store(folder, selected.describe()) as store, _log_file(store.folder):
        extracted, digests = _extracted(sessions, settings, selected, store, executor)
        run = replace(discover(extracted, digests, settings, selected, store, executor), warnings=warnings)
        if store.folder is not None:
            digest = run.model.digest()
            make_way(store.folder, digest)
            behaviours = names_beside([store.folder], digest, run.model.labels)
            tables.write_run(store.folder, run, extracted, store.stages, selected, behaviours)
            store.remove_others()
    return run


def build_member(
    sessions: Sessions,
    fps: float | str | None,
    out: str | os.PathLike[str],
    number: int,
    *,
    settings: schema.Settings | None = None,
    backend: str = "auto",
    seed: int | str | None = None,
    keypoints: Sequence[str] = (),
    individuals: Sequence[str] = (),
    executor: Executor | None = None,
) -> None:
    """Compute one of the models of a build, so that the tasks of a job array compute them; :func:`build` joins them.

    Parameters
    ----------
    number
        Number of the model, from 1 to the ``models`` of the settings.
    sessions, fps, out, settings, backend, seed, keypoints, individuals, executor
        As of :func:`build`. Tasks wait for the one that imports the files.

    Raises
    ------
    BadInput
        As of :func:`build`, or a number that no model has.
    BackendUnavailable
        The backend cannot run here.
    """
    settings = settled(settings or schema.Settings(), fps, seed, keypoints, individuals)
    if settings.models < 2 or not 1 <= number <= settings.models:
        possible = f"1 to {settings.models}" if settings.models > 1 else "several models: give --models 5"
        msg = f"the model to compute is {number}; expected {possible}"
        raise BadInput(msg)
    selected = get_backend(backend)
    with Store(Path(out), selected.describe(), wait=True) as store, _log_file(store.folder):
        extracted, _ = _extracted(sessions, settings, selected, store, executor or Executor())
        first = bins_to_train(of_phase(extracted, 0), settings)
        chosen = members(extracted, first, settings, selected, store)[number - 1]
    classifiers_of(chosen)


def _extracted(
    sessions: Sessions, settings: schema.Settings, backend: Backend, store: Store, executor: Executor
) -> tuple[list[SessionFeatures], dict[str, str]]:
    """Features of every session, and digests of the files; a new run folder does not survive unusable input."""
    try:
        parts = sources(sessions, settings.input.fps)
        logger.info("%d files to import, at %g fps, on the %s backend", len(parts), settings.input.fps, backend.name)
        extracted, digests = extract_features(parts, settings, backend, store, executor)
        check_bins(sum(session.features.shape[0] for session in extracted), settings)
    except BadInput:
        store.remove_if_new()
        raise
    return extracted, digests


def settled(
    settings: schema.Settings,
    fps: float | str | None,
    seed: int | str | None,
    keypoints: Sequence[str],
    individuals: Sequence[str] = (),
) -> schema.Settings:
    """Settings with the other arguments applied; all problems are reported together."""
    problems = schema.problems_in(settings)
    if fps is not None or not problems:
        problems += schema.fps_problems(settings.input.fps if fps is None else fps)
    if seed not in (None, "none") and not str(seed).isdecimal():
        problems.append(f"the seed is {seed!r}; expected a whole number from 0, or none")
    for kind, names in (("keypoints", keypoints), ("individuals", individuals)):
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            problems.append(f"the {kind} are {names!r}; expected a list of names")
    raise_all(problems, heading="settings that cannot be used:" if len(problems) > 1 else "")
    if seed == "none" and hasattr(settings.embedding, "repeatable"):
        settings = replace(settings, embedding=replace(settings.embedding, repeatable=False))
    changed_input = replace(
        settings.input,
        fps=schema.parse_fps(settings.input.fps if fps is None else fps),
        keypoints=tuple(keypoints) or settings.input.keypoints,
        individuals=tuple(individuals) or settings.input.individuals,
    )
    number = settings.seed if seed in (None, "none") else int(seed or 0)
    return schema.check(replace(settings, input=changed_input, seed=number))


@contextlib.contextmanager
def _log_file(folder: Path | None) -> Iterator[None]:
    if folder is None:
        yield
        return
    with files.explained(folder):
        handler = log.to_file(folder / "log.txt")
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
