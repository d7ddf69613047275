"""Labels for every frame of sessions, recording by recording.

Completed recordings are not predicted again; see :mod:`bsoid_gpu.run_folder.records`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import files, log
from bsoid_gpu._version import __version__
from bsoid_gpu.backends import get_backend
from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.io.session_twins import twin_sentences
from bsoid_gpu.io.sessions import Content, by_recording, name_problems, sources
from bsoid_gpu.log import logger
from bsoid_gpu.method import labelling
from bsoid_gpu.method.labelling import Prediction
from bsoid_gpu.method.preprocess import filtered
from bsoid_gpu.run_folder import records, tables
from bsoid_gpu.run_folder.model_file import Model, load_model
from bsoid_gpu.settings import schema
from bsoid_gpu.workflows.recording import Recording, attempt_each, digests_of, tracks_of

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
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
    job = _label_each(model, sessions, fps, out, backend, min_confidence, executor, problems, again=True)
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
    job = _label_each(model, sessions, fps, out, backend, min_confidence, executor, problems, again=False)
    names = [name for _, record in job for name in record["sessions"]]
    raise_all(problems)
    return names


@dataclass(frozen=True)
class Labelling:
    """Labelling of one recording; ``again`` repeats completed recordings and returns the predictions."""

    recording: Recording
    others: frozenset[str]
    model: Model
    digest: str
    fps: float
    backend: Backend
    min_confidence: float
    out: Path | None
    again: bool

    def request(self, contents: Sequence[Content]) -> dict[str, Any]:
        """Everything that its tables depend on."""
        return {
            "model": self.digest,
            "digests": digests_of(contents),
            "fps": self.fps,
            "min_confidence": self.min_confidence,
            "backend": self.backend.name,
            "versions": {"bsoid_gpu": __version__, "labelling": labelling.VERSION, "tables": tables.VERSION},
        }

    def run(self, contents: Sequence[Content]) -> tuple[list[Prediction], dict[str, Any]]:
        """Labels of the recording's sessions, and the record of their tables."""
        started = time.perf_counter()
        request = self.request(contents)
        if self.out is not None and not self.again:
            finished = records.finished(self.out, self.recording.name, request)
            if finished is not None:
                for name in finished["sessions"]:
                    logger.info("%s: resumed, its tables are complete", name)
                return [], finished
        predictions = self.predict(contents)
        tracks = {prediction.name: records.track_facts(prediction.track) for prediction in predictions}
        record: dict[str, Any] = {"asked": request, "sessions": {}, "tracks": tracks}
        for prediction in predictions:
            written = tables.write_prediction(self.out, prediction, self.model.labels) if self.out is not None else {}
            record["sessions"][prediction.name] = {"frames": len(prediction.labels), "files": written}
            seconds = log.seconds_text(time.perf_counter() - started)
            logger.info("%s: %d frames labelled, %s", prediction.name, len(prediction.labels), seconds)
        if self.out is not None:
            records.write_record(records.place_of(self.out, self.recording.name), record)
        return (predictions if self.again else []), record

    def predict(self, contents: Sequence[Content]) -> list[Prediction]:
        """Labels of the recording's sessions; all problems of the recording are reported together."""
        model, backend, name = self.model, self.backend, self.recording.name
        tracks, problems = tracks_of(contents, self.fps, backend, model.keypoints)
        raise_all(problems + name_problems([pose.name for pose in tracks], self.others))
        stored = model.thresholds if model.settings.input.group else {}
        thresholds = {name: backend.asarray(stored[name])} if name in stored else {}
        classifier = model.fitted(backend)
        return [
            labelling.label_frames(session, classifier, model.settings.features, backend, self.min_confidence)
            for session in filtered(tracks, model.settings, backend, thresholds)
        ]


def _label_each(
    model_or_path: Model | str | os.PathLike[str],
    sessions: Sessions,
    fps: float | str | None,
    out: str | os.PathLike[str] | None,
    backend_name: str,
    min_confidence: float,
    executor: Executor | None,
    problems: list[str],
    *,
    again: bool,
) -> Iterator[tuple[list[Prediction], dict[str, Any]]]:
    """Predictions and record of each usable recording; the problems of the others are added to ``problems``."""
    model = model_or_path if isinstance(model_or_path, Model) else load_model(model_or_path)
    raise_all(labelling.confidence_problems(min_confidence) + schema.fps_problems(model.fps if fps is None else fps))
    rate = schema.parse_fps(model.fps if fps is None else fps)
    if rate != model.fps:
        logger.info("the model has %g fps, the sessions %g: windows are 100 ms at either rate", model.fps, rate)
    backend = get_backend(backend_name)
    grouped = by_recording(sources(sessions), model.settings.input)
    every = frozenset(part.name for parts in grouped.values() for part in parts)
    folder, digest = None if out is None else Path(out), model.digest()
    works = [
        Labelling(
            recording=Recording(name, parts),
            others=every - {part.name for part in parts},
            model=model,
            digest=digest,
            fps=rate,
            backend=backend,
            min_confidence=min_confidence,
            out=folder,
            again=again,
        )
        for name, parts in grouped.items()
    ]
    if folder is not None:
        for path in (folder, folder / records.RECORDS):
            files.remove_leftovers(path)
    names: list[str] = []
    tracks: dict[str, Track] = {}
    for outcome in log.progress(attempt_each(works, executor or Executor(), backend), "predict", len(works)):
        if isinstance(outcome, BadInput):
            problems.append(str(outcome))
            continue
        names += outcome[1]["sessions"]
        tracks |= records.tracks_in(outcome[1])
        yield outcome
    for sentence in twin_sentences(tracks, every):
        logger.warning("%s; both are labelled", sentence)
    if folder is not None and names:
        records.write_manifest(folder, model, backend, rate, min_confidence, problems)
    problems += name_problems(names)
