"""A model and sessions: a label for every frame, recording by recording.

The tables of a recording are finished when ``records/RECORDING.json`` is there: what was read, by which model, and the
digests of the tables. What is finished is not done again.
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
from bsoid_gpu.execution import executors
from bsoid_gpu.io import sessions as recordings
from bsoid_gpu.log import logger
from bsoid_gpu.method import labelling, preprocess
from bsoid_gpu.run_folder import model_file
from bsoid_gpu.run_folder import tables as outputs
from bsoid_gpu.settings import schema

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.io.sessions import Sessions, Source

    _Outcome = tuple[list[labelling.Prediction], dict[str, Any]] | BadInput

Path_ = str | os.PathLike[str]
FILE_MEMORY = 10  # bytes of memory for each byte of a file


class Predictions(list[labelling.Prediction]):
    """Predictions of sessions, in order, and the ``problems`` of those that could not be used, a sentence each."""

    def __init__(self, predictions: Iterable[labelling.Prediction], problems: Iterable[str] = ()) -> None:
        super().__init__(predictions)
        self.problems = tuple(problems)


def predict(
    model: model_file.Model | Path_,
    sessions: Sessions,
    fps: float | str | None = None,
    out: Path_ | None = None,
    *,
    backend: str = "auto",
    min_confidence: float = 0.0,
    executor: executors.Executor | None = None,
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
        Who shares the recordings out; the processes of this machine where it is left out.

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
    job = _job(model, sessions, fps, out, backend, min_confidence, executor, problems, again=True)
    predictions = [prediction for of_recording, _ in job for prediction in of_recording]
    if not predictions:
        raise_all(problems)
    for problem in problems:
        logger.warning(problem)
    return Predictions(predictions, problems)


def predict_files(
    model: model_file.Model | Path_,
    sessions: Sessions,
    fps: float | str | None = None,
    out: Path_ = "labels",
    *,
    backend: str = "auto",
    min_confidence: float = 0.0,
    executor: executors.Executor | None = None,
) -> list[str]:
    """Write the tables of sessions, and give their names; see :func:`predict`.

    Recordings whose tables are there already, from the same content by the same model, are left as they are.

    Raises
    ------
    BadInput
        Sessions that cannot be used, or settings; the tables of those that can be used are written all the same.
    """
    problems: list[str] = []
    job = _job(model, sessions, fps, out, backend, min_confidence, executor, problems, again=False)
    names = [name for _, record in job for name in record["sessions"]]
    raise_all(problems)
    return names


@dataclass(frozen=True)
class _Recording:
    """What there is to do for one recording, in this process or in another."""

    name: str
    parts: Sequence[Source]
    others: frozenset[str]
    model: model_file.Model
    digest: str
    fps: float
    backend: Backend
    min_confidence: float
    out: Path | None
    again: bool

    def record(self) -> Path | None:
        """The file that tells that its tables are finished."""
        return None if self.out is None else self.out / outputs.RECORDS / f"{files.safe_name(self.name)}.json"

    def asked(self, digests: dict[str, str]) -> dict[str, Any]:
        """What its tables depend on."""
        return {
            "model": self.digest,
            "digests": digests,
            "fps": self.fps,
            "min_confidence": self.min_confidence,
            "backend": self.backend.name,
            "versions": {"bsoid_gpu": __version__, "labelling": labelling.VERSION, "tables": outputs.TABLES_VERSION},
        }


def _job(
    model: model_file.Model | Path_,
    sessions: Sessions,
    fps: float | str | None,
    out: Path_ | None,
    backend: str,
    min_confidence: float,
    executor: executors.Executor | None,
    problems: list[str],
    *,
    again: bool,
) -> Iterator[tuple[list[labelling.Prediction], dict[str, Any]]]:
    m = model if isinstance(model, model_file.Model) else model_file.load_model(model)
    raise_all(labelling.confidence_problems(min_confidence) + schema.fps_problems(m.fps if fps is None else fps))
    rate = schema.parse_fps(m.fps if fps is None else fps)
    if rate != m.fps:
        logger.info(
            "the model is of %g fps, the sessions of %g: windows of 100 ms are taken at their rate", m.fps, rate
        )
    b = get_backend(backend)
    grouped = recordings.by_recording(recordings.sources(sessions), m.settings.input)
    every = frozenset(part.name for parts in grouped.values() for part in parts)
    folder, digest = None if out is None else Path(out), m.digest()
    works = [
        _Recording(name, parts, every - {p.name for p in parts}, m, digest, rate, b, min_confidence, folder, again)
        for name, parts in grouped.items()
    ]
    if folder is not None:
        for place in (folder, folder / outputs.RECORDS):
            files.remove_leftovers(place)
    largest = max(sum(part.size() for part in work.parts) for work in works)
    names: list[str] = []
    outcomes = (executor or executors.Executor()).run_each(_labelled, works, b, FILE_MEMORY * largest)
    for outcome in log.progress(outcomes, "predict", len(works)):
        if isinstance(outcome, BadInput):
            problems.append(str(outcome))
            continue
        names += outcome[1]["sessions"]
        yield outcome
    if folder is not None and names:
        outputs.write_prediction_manifest(folder, m, b, rate, min_confidence, problems)
    problems += recordings.name_problems(names)


def _labelled(work: _Recording) -> _Outcome:
    """Labels of a recording's sessions, and the record of their tables; or what is wrong with it."""
    started = time.perf_counter()
    m, b = work.model, work.backend
    try:
        contents = [part.read() for part in work.parts]
        asked = work.asked({content.name: content.digest() for content in contents})
        done = None if work.again else _finished(work, asked)
        if done is not None:
            for name in done["sessions"]:
                logger.info("%s: its tables are there", name)
            return [], done
        tracks = [pose for content in contents for pose in content.tracks(work.fps, b, m.keypoints)]
        recordings.check_names([pose.name for pose in tracks], work.others)
        own = m.thresholds if m.settings.input.group else {}
        known = {work.name: b.asarray(own[work.name])} if work.name in own else {}
        perceptron = model_file.on_backend(m.perceptron, b)
        found = [
            labelling.label_frames(session, perceptron, m.settings.features, b, work.min_confidence)
            for session in preprocess.filtered(tracks, m.settings, b, known)
        ]
        record: dict[str, Any] = {"asked": asked, "sessions": {}}
        for prediction in found:
            tables = outputs.write_prediction(work.out, prediction, m.labels) if work.out is not None else {}
            record["sessions"][prediction.name] = {"frames": len(prediction.labels), "files": tables}
            seconds = log.seconds_text(time.perf_counter() - started)
            logger.info("%s: %d frames labelled, %s", prediction.name, len(prediction.labels), seconds)
        if (place := work.record()) is not None:
            outputs.write_record(place, record)
    except BadInput as error:
        return error
    return (found if work.again else []), record


def _finished(work: _Recording, asked: dict[str, Any]) -> dict[str, Any] | None:
    """The record of a recording whose tables are there and whole, made of what is asked now."""
    place = work.record()
    record = outputs.read_record(place) if place is not None else None
    if record is None or work.out is None or record["asked"] != asked:
        return None
    tables = {name: digest for session in record["sessions"].values() for name, digest in session["files"].items()}
    try:
        whole = all(files.digest((work.out / name).read_bytes()) == digest for name, digest in tables.items())
    except OSError:  # a table is not there any more
        return None
    return record if whole else None
