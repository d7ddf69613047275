"""The labels of one recording, and the options of a prediction."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import log
from bsoid_gpu._version import __version__
from bsoid_gpu.errors import raise_all
from bsoid_gpu.io.sessions import Content, name_problems
from bsoid_gpu.log import logger
from bsoid_gpu.method import labelling
from bsoid_gpu.method.labelling import Prediction
from bsoid_gpu.method.preprocess import filtered
from bsoid_gpu.method.session_features import other_dimensions
from bsoid_gpu.method.smoothing import smoothing_problems
from bsoid_gpu.method.units import units_px
from bsoid_gpu.run_folder import labelled, records, tables
from bsoid_gpu.run_folder.model_file import Model
from bsoid_gpu.settings.schema import BODY
from bsoid_gpu.workflows.recording import Recording, digests_of, tracks_of

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.behaviours.names import Behaviours
    from bsoid_gpu.settings.schema import LabelSettings

NEEDED = "the model needs it: leave this file out, or build a model without this keypoint (build --keypoints)"


@dataclass(frozen=True)
class Options:
    """How to label, see :func:`predict`."""

    min_confidence: float
    individuals: tuple[str, ...]
    scale: float | str
    px_per_mm: float | None
    smooth: float | None = None

    def problems(self, model: Model) -> list[str]:
        """A sentence for each option that cannot be used."""
        problems = labelling.confidence_problems(self.min_confidence)
        problems += smoothing_problems(self.smooth) if self.smooth is not None else []
        if self.scale != "auto" and not _is_positive(self.scale):
            problems.append(f"the scale is {self.scale!r}; expected a number above 0, or auto, for example --scale 0.5")
        elif self.scale == "auto" and model.training_range is None:
            problems.append("the model does not store body lengths: build it again, or give --scale a number")
        scaled = self.px_per_mm is not None or str(self.scale) not in ("1", "1.0")
        if scaled and model.settings.features.lengths == BODY:
            problems.append(
                "the model's lengths are body lengths of each recording, which no factor changes: leave out --scale "
                "and --px-per-mm"
            )
            return problems
        if self.px_per_mm is None:
            return problems
        if not _is_positive(self.px_per_mm):
            problems.append(f"--px-per-mm is {self.px_per_mm!r}; expected a number above 0")
        if not model.settings.input.px_per_mm:
            problems.append("the model has no pixels per millimetre: build it with [input] px_per_mm, or use --scale")
        if str(self.scale) not in ("1", "1.0"):
            problems.append("--scale and --px-per-mm both give the factor on the positions: leave out one")
        return problems

    def smoothing(self, model: Model) -> LabelSettings:
        """How labels are smoothed: as in the model's settings, or with another probability to stay."""
        labels = model.settings.labels
        return labels if self.smooth is None else replace(labels, stay=float(self.smooth))

    def factor(self, model: Model) -> float | None:
        """Factor on the positions; None if it follows from the body length of each session."""
        if self.px_per_mm is not None:
            return model.settings.input.px_per_mm / float(self.px_per_mm)
        return None if self.scale == "auto" else float(self.scale)


def _is_positive(value: object) -> bool:
    try:
        return 0.0 < float(str(value)) < math.inf
    except ValueError:
        return False


def smoothing_facts(labels: LabelSettings) -> dict[str, float]:
    """How labels are smoothed, for JSON."""
    return {"stay": labels.stay, "evidence": labels.evidence}


@dataclass(frozen=True)
class Labelling:
    """Labelling of one recording; ``again`` repeats completed recordings and returns the predictions."""

    recording: Recording
    others: frozenset[str]
    model: Model
    behaviours: Behaviours
    fps: float
    backend: Backend
    options: Options
    out: Path | None
    again: bool

    def request(self, contents: Sequence[Content]) -> dict[str, Any]:
        """Everything that its tables depend on."""
        return {
            "model": self.behaviours.model,
            "digests": digests_of(contents),
            "fps": self.fps,
            "min_confidence": self.options.min_confidence,
            "smoothing": smoothing_facts(self.options.smoothing(self.model)),
            "individuals": list(self.options.individuals),
            "scale": self.options.factor(self.model),
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
                place = records.place_of(self.out, self.recording.name)
                return [], records.renamed(self.out, place, finished, self.behaviours)
        predictions = self.predict(contents)
        tracks = {prediction.name: records.track_facts(prediction.track) for prediction in predictions}
        record: dict[str, Any] = {"asked": request, "sessions": {}, "tracks": tracks, "names": self.behaviours.digest()}
        for prediction in predictions:
            written = self.written(prediction)
            record["sessions"][prediction.name] = {
                "frames": len(prediction.labels),
                "observed_frames": int(prediction.observed.sum()),
                "smoothed_frames": int(prediction.smoothed.sum()),
                "scale": prediction.scale,
                "start_s": prediction.start_s,
                "notes": list(prediction.notes),
                "files": written,
            }
            seconds = log.seconds_text(time.perf_counter() - started)
            logger.info("%s: %d frames labelled, %s", prediction.name, len(prediction.labels), seconds)
        if self.out is not None:
            records.write_record(records.place_of(self.out, self.recording.name), record)
        return (predictions if self.again else []), record

    def written(self, prediction: Prediction) -> dict[str, str]:
        """Digests of the files of a session, which are written if there is an output folder."""
        if self.out is None:
            return {}
        track = labelled.write_track(self.out, prediction, self.model.keypoints)
        return track | tables.write_prediction(self.out, prediction, self.behaviours)

    def predict(self, contents: Sequence[Content]) -> list[Prediction]:
        """Labels of the recording's sessions; all problems of the recording are reported together."""
        model, backend, name = self.model, self.backend, self.recording.name
        tracks, problems = tracks_of(contents, self.fps, backend, model.keypoints, self.options.individuals)
        dimensions = {pose.name: pose.position.shape[3] for pose in tracks}
        problems += other_dimensions(dimensions, model.dimensions, "the model")
        raise_all(problems + name_problems([pose.name for pose in tracks], self.others))
        stored = model.thresholds if model.settings.input.group else {}
        thresholds = {name: backend.asarray(stored[name])} if name in stored else {}
        classifier = model.fitted(backend)
        sessions = filtered(tracks, model.settings, backend, thresholds, NEEDED)
        units = units_px(sessions, model.settings.features, backend)
        return [
            labelling.label_frames(
                session,
                classifier,
                model.settings.features,
                backend,
                self.options.min_confidence,
                smoothing=self.options.smoothing(model),
                scale=self.options.factor(model),
                known=model.training_range,
                unit_px=units[session.recording],
                training_fps=model.fps,
            )
            for session in sessions
        ]
