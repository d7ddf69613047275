"""A model and sessions: a label for every frame, recording by recording.

What is finished is not predicted again; see :mod:`bsoid_gpu.run_folder.records`.
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


class Predictions(list[Prediction]):
    """Predictions of sessions, in order, and the ``problems`` of those that could not be used, a sentence each."""

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
        Frames per second of these sessions; the model's where it is left out.
    out
        Folder for the tables; None writes none.
    backend
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    min_confidence
        Frames whose likeliest label is less probable get the label -1.
    executor
        Who distributes the recordings; the processes of this machine where it is left out.

    Returns
    -------
    Predictions
        A list of the predictions of the sessions that can be used; its ``problems`` say what is wrong with the others,
        and so do warnings in the log.

    Raises
    ------
    BadInput
        Settings that cannot be used, or no session that can; all problems are reported together.
    """
    problems: list[str] = []
    job = _label_each(model, sessions, fps, out, backend, min_confidence, executor, problems, again=True)
    predictions = [prediction for of_recording, _ in job for prediction in of_recording]
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
    """Write the tables of sessions, and give their names; see :func:`predict`.

    Recordings whose tables are there already, from the same content by the same model, are left as they are.

    Raises
    ------
    BadInput
        Sessions that cannot be used, or settings; the tables of those that can be used are written all the same.
    """
    problems: list[str] = []
    job = _label_each(model, sessions, fps, out, backend, min_confidence, executor, problems, again=False)
    names = [name for _, record in job for name in record["sessions"]]
    raise_all(problems)
    return names


@dataclass(frozen=True)
class Labelling:
    """The work on one recording; ``again`` labels what is finished too, and gives the predictions."""

    recording: Recording
    others: frozenset[str]
    model: Model
    digest: str
    fps: float
    backend: Backend
    min_confidence: float
    out: Path | None
    again: bool

    def asked(self, contents: Sequence[Content]) -> dict[str, Any]:
        """What its tables depend on."""
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
        asked = self.asked(contents)
        if self.out is not None and not self.again:
            finished = records.finished(self.out, self.recording.name, asked)
            if finished is not None:
                for name in finished["sessions"]:
                    logger.info("%s: resumed, its tables are complete", name)
                return [], finished
        predictions = self.predict(contents)
        record: dict[str, Any] = {"asked": asked, "sessions": {}}
        for prediction in predictions:
            written = tables.write_prediction(self.out, prediction, self.model.labels) if self.out is not None else {}
            record["sessions"][prediction.name] = {"frames": len(prediction.labels), "files": written}
            seconds = log.seconds_text(time.perf_counter() - started)
            logger.info("%s: %d frames labelled, %s", prediction.name, len(prediction.labels), seconds)
        if self.out is not None:
            records.write_record(records.place_of(self.out, self.recording.name), record)
        return (predictions if self.again else []), record

    def predict(self, contents: Sequence[Content]) -> list[Prediction]:
        """Labels of the recording's sessions; every problem of the recording is reported together."""
        m, b, name = self.model, self.backend, self.recording.name
        tracks, problems = tracks_of(contents, self.fps, b, m.keypoints)
        raise_all(problems + name_problems([pose.name for pose in tracks], self.others))
        own = m.thresholds if m.settings.input.group else {}
        known = {name: b.asarray(own[name])} if name in own else {}
        classifier = m.fitted(b)
        return [
            labelling.label_frames(session, classifier, m.settings.features, b, self.min_confidence)
            for session in filtered(tracks, m.settings, b, known)
        ]


def _label_each(
    model: Model | str | os.PathLike[str],
    sessions: Sessions,
    fps: float | str | None,
    out: str | os.PathLike[str] | None,
    backend: str,
    min_confidence: float,
    executor: Executor | None,
    problems: list[str],
    *,
    again: bool,
) -> Iterator[tuple[list[Prediction], dict[str, Any]]]:
    """Predictions and record of each recording; what is wrong with the others is added to ``problems``."""
    m = model if isinstance(model, Model) else load_model(model)
    raise_all(labelling.confidence_problems(min_confidence) + schema.fps_problems(m.fps if fps is None else fps))
    rate = schema.parse_fps(m.fps if fps is None else fps)
    if rate != m.fps:
        logger.info("the model is of %g fps, the sessions of %g: windows are 100 ms at either rate", m.fps, rate)
    b = get_backend(backend)
    grouped = by_recording(sources(sessions), m.settings.input)
    every = frozenset(part.name for parts in grouped.values() for part in parts)
    folder, digest = None if out is None else Path(out), m.digest()
    works = [
        Labelling(
            Recording(name, parts), every - {p.name for p in parts}, m, digest, rate, b, min_confidence, folder, again
        )
        for name, parts in grouped.items()
    ]
    if folder is not None:
        for place in (folder, folder / records.RECORDS):
            files.remove_leftovers(place)
    names: list[str] = []
    for outcome in log.progress(attempt_each(works, executor or Executor(), b), "predict", len(works)):
        if isinstance(outcome, BadInput):
            problems.append(str(outcome))
            continue
        names += outcome[1]["sessions"]
        yield outcome
    if folder is not None and names:
        records.write_manifest(folder, m, b, rate, min_confidence, problems)
    problems += name_problems(names)
