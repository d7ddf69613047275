"""Labels for every frame of sessions, recording by recording.

Completed recordings are not predicted again; see :mod:`bsoid_gpu.run_folder.records`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import files, log
from bsoid_gpu.backends import get_backend
from bsoid_gpu.behaviours.names_file import copy_names, names_beside
from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.io.session_twins import twin_sentences
from bsoid_gpu.io.sessions import by_recording, name_problems, sources
from bsoid_gpu.log import logger
from bsoid_gpu.method.labelling import Prediction
from bsoid_gpu.run_folder import records
from bsoid_gpu.run_folder.model_file import Model, folder_of, load_model
from bsoid_gpu.settings import schema
from bsoid_gpu.workflows.recording import Recording, attempt_each
from bsoid_gpu.workflows.recording_labels import Labelling, Options, smoothing_facts

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.behaviours.names import Behaviours
    from bsoid_gpu.io.sessions import Sessions
    from bsoid_gpu.method.same_track import Track


class Predictions(list[Prediction]):
    """Predictions of sessions, in order, and ``problems``: a sentence for each that cannot be used."""

    def __init__(self, predictions: Iterable[Prediction], problems: Iterable[str] = ()) -> None:
        super().__init__(predictions)
        self.problems = tuple(problems)


def predict(
    model: Model | str | os.PathLike[str],
    sessions: Sessions,
    fps: float | str | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    backend: str = "auto",
    min_confidence: float = 0.0,
    individuals: Sequence[str] = (),
    scale: float | str = 1.0,
    px_per_mm: float | None = None,
    smooth: float | None = None,
    executor: Executor | None = None,
) -> Predictions:
    """Label every frame of sessions.

    Parameters
    ----------
    model
        A model, a model file, or a run folder.
    sessions
        Files, folders of files, or poses, with the keypoints of the model.
    fps
        Frames per second of these sessions; by default, those of the model.
    out
        Folder for the tables; None writes none.
    backend
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    min_confidence
        Frames with a lower confidence get the label -1.
    individuals
        Exact names of the animals to label; by default all that have the keypoints of the model.
    scale
        Factor on the positions, or ``"auto"``: that which gives each session the body length of training.
    px_per_mm
        Pixels per millimetre of these sessions: the factor follows from that of the model's settings.
    smooth
        Probability of the same label in the next frame, see :func:`bsoid_gpu.method.smoothing.smoothed_labels`; 0 does
        not smooth. By default, as in the model's settings.
    executor
        Runs the work on each recording; by default, in processes of this machine.

    Returns
    -------
    Predictions
        The predictions of the sessions that can be used, and the problems of the others, which are also logged as
        warnings.

    Raises
    ------
    BadInput
        Unusable settings, or no usable session; all problems are reported together.
    """
    problems: list[str] = []
    options = Options(min_confidence, tuple(individuals), scale, px_per_mm, smooth)
    job = _label_each(model, sessions, fps, out, backend, options, executor, problems, again=True)
    predictions = [prediction for group, _ in job for prediction in group]
    if not predictions:
        raise_all(problems)
    for problem in problems:
        logger.warning(problem)
    return Predictions(predictions, problems)


def predict_files(
    model: Model | str | os.PathLike[str],
    sessions: Sessions,
    fps: float | str | None = None,
    out: str | os.PathLike[str] = "labels",
    *,
    backend: str = "auto",
    min_confidence: float = 0.0,
    individuals: Sequence[str] = (),
    scale: float | str = 1.0,
    px_per_mm: float | None = None,
    smooth: float | None = None,
    executor: Executor | None = None,
) -> list[str]:
    """Write the tables of sessions and return their names; see :func:`predict`.

    Recordings whose tables are complete, from the same content and model, are skipped.

    Raises
    ------
    BadInput
        Unusable settings or sessions; the tables of usable sessions are written nevertheless.
    """
    problems: list[str] = []
    options = Options(min_confidence, tuple(individuals), scale, px_per_mm, smooth)
    job = _label_each(model, sessions, fps, out, backend, options, executor, problems, again=False)
    names = [name for _, record in job for name in record["sessions"]]
    raise_all(problems)
    return names


def _label_each(
    model_or_path: Model | str | os.PathLike[str],
    sessions: Sessions,
    fps: float | str | None,
    out: str | os.PathLike[str] | None,
    backend_name: str,
    options: Options,
    executor: Executor | None,
    problems: list[str],
    *,
    again: bool,
) -> Iterator[tuple[list[Prediction], dict[str, Any]]]:
    """Predictions and record of each usable recording; the problems of the others are added to ``problems``."""
    model = model_or_path if isinstance(model_or_path, Model) else load_model(model_or_path)
    raise_all(options.problems(model) + schema.fps_problems(model.fps if fps is None else fps))
    rate = schema.parse_fps(model.fps if fps is None else fps)
    backend = get_backend(backend_name)
    beside = None if isinstance(model_or_path, Model) else folder_of(model_or_path)
    behaviours = names_beside([beside, None if out is None else Path(out)], model.digest(), model.labels)
    with log.collected() as warnings:
        _log_assumptions(model, rate, options, assumed=fps is None)
        works = _works(model, behaviours, sessions, rate, out, backend, options, again=again)
        names: list[str] = []
        tracks: dict[str, Track] = {}
        for outcome in log.progress(attempt_each(works, executor or Executor(), backend), "predict", len(works)):
            if isinstance(outcome, BadInput):
                problems.append(str(outcome))
                continue
            names += outcome[1]["sessions"]
            for name, session in outcome[1]["sessions"].items():
                for note in session["notes"]:
                    logger.warning("%s: %s", name, note)
            tracks |= records.tracks_in(outcome[1])
            yield outcome
        for sentence in twin_sentences(tracks, [part.name for work in works for part in work.recording.parts]):
            logger.warning("%s; both are labelled", sentence)
        problems += name_problems(names)
        if out is not None and names:
            copy_names(Path(out), behaviours)
            facts = {"min_confidence": options.min_confidence, "smoothing": smoothing_facts(options.smoothing(model))}
            records.write_manifest(Path(out), model, backend, rate, facts, problems, warnings)


def _log_assumptions(model: Model, fps: float, options: Options, *, assumed: bool) -> None:
    """Log what is assumed of the sessions."""
    if assumed:
        logger.warning("the frame rate is not given: %g fps are assumed, as in training; --fps gives another", fps)
    elif fps != model.fps:
        logger.info("the model has %g fps, the sessions %g: windows are 100 ms at either rate", model.fps, fps)
    if model.training_range is None:
        logger.warning("the model does not store the range of its training sessions: sizes and rates are not compared")
    if stay := options.smoothing(model).stay:
        logger.info("labels are smoothed in time (stay = %g); --smooth 0 gives those of the classifier", stay)


def _works(
    model: Model,
    behaviours: Behaviours,
    sessions: Sessions,
    fps: float,
    out: str | os.PathLike[str] | None,
    backend: Backend,
    options: Options,
    *,
    again: bool,
) -> list[Labelling]:
    """The work on each recording."""
    grouped = by_recording(sources(sessions, fps), model.settings.input)
    every = frozenset(part.name for parts in grouped.values() for part in parts)
    folder = None if out is None else Path(out)
    if folder is not None:
        for path in (folder, folder / records.RECORDS):
            files.remove_leftovers(path)
    return [
        Labelling(
            recording=Recording(name, parts),
            others=every - {part.name for part in parts},
            model=model,
            behaviours=behaviours,
            fps=fps,
            backend=backend,
            options=options,
            out=folder,
            again=again,
        )
        for name, parts in grouped.items()
    ]
