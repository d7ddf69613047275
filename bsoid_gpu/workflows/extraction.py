"""The features of every session of a build, recording by recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import machine
from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io.sessions import Content, Source, by_recording, check_names
from bsoid_gpu.log import logger, progress
from bsoid_gpu.method.preprocess import VERSION, SessionFeatures, session_features
from bsoid_gpu.method.tracking_quality import format_report
from bsoid_gpu.run_folder.codecs import decode, encode
from bsoid_gpu.run_folder.stages import FEATURES
from bsoid_gpu.run_folder.store import Stage, Store, key_of, timed
from bsoid_gpu.settings.toml import as_dict
from bsoid_gpu.workflows.recording import Recording, attempt, attempt_each, digests_of, tracks_of

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.execution.executors import Executor
    from bsoid_gpu.settings.schema import Settings


@dataclass(frozen=True)
class RecordingFeatures:
    """The stage of one recording."""

    sessions: list[SessionFeatures]


@dataclass(frozen=True)
class Extraction:
    """The work on one recording; without ``keypoints`` it takes those of the recording."""

    recording: Recording
    keypoints: tuple[str, ...]
    settings: Settings
    backend: Backend
    folder: Path | None

    def stage(self, digests: dict[str, str]) -> tuple[str, int, dict[str, Any]]:
        """Name, version and inputs of its stage."""
        s = self.settings
        inputs = {
            "role": FEATURES,
            "files": list(digests.items()),
            "keypoints": list(self.keypoints),
            "settings": [as_dict(section) for section in (s.input, s.likelihood, s.features)],
            "backend": self.backend.name,
        }
        return f"{FEATURES} {self.recording.name}", VERSION, inputs

    def run(self, contents: Sequence[Content]) -> tuple[dict[str, str], Stage | None]:
        """Digests of the parts, and the stage; None in its place where the run folder has it."""
        digests = digests_of(contents)
        name, version, inputs = self.stage(digests)
        if Store(self.folder).has(name, key_of(name, version, inputs)):
            return digests, None
        return digests, timed(lambda: self.compute(contents), self.backend.describe())

    def compute(self, contents: Sequence[Content]) -> Stage:
        """The stage's result; every problem of the recording is reported together."""
        s, b = self.settings, self.backend
        tracks, problems = tracks_of(contents, s.input.fps, b, s.input.keypoints)
        try:
            sessions = session_features(tracks, s.input.fps, s, b, self.keypoints)
        except BadInput as error:
            problems.append(str(error))
        raise_all(problems)
        for session in sessions:
            logger.info("%s: %d frames x %d keypoints", session.name, session.frames, len(session.keypoints))
        return Stage(*encode(RecordingFeatures(sessions), b.to_host))


def extract_features(
    sources: Sequence[Source], s: Settings, b: Backend, store: Store, executor: Executor
) -> tuple[list[SessionFeatures], dict[str, str]]:
    """Features of every session, one stage for each recording, and the digests of the files.

    The first recording gives the keypoints that the others must have; the executor distributes those.

    Raises
    ------
    BadInput
        Sessions that cannot be used; the problems of all are reported together.
    """
    problems: list[str] = []
    sessions: list[SessionFeatures] = []
    digests: dict[str, str] = {}

    def take(work: Extraction, outcome: tuple[dict[str, str], Stage | None] | BadInput) -> None:
        if isinstance(outcome, BadInput):
            problems.append(str(outcome))
            return
        of_parts, stage = outcome
        digests.update(of_parts)
        sessions.extend(_stored(work, of_parts, stage, store, memory).sessions)

    works = [
        Extraction(Recording(name, parts), (), s, b, store.folder)
        for name, parts in by_recording(sources, s.input).items()
    ]
    with machine.PeakMemory() as memory:
        while works and not sessions:
            first = works.pop(0)
            take(first, attempt(first))
        works = [replace(work, keypoints=sessions[0].keypoints) for work in works]
        outcomes = zip(works, attempt_each(works, executor, b), strict=True)
        for work, outcome in progress(outcomes, FEATURES, len(works)):
            take(work, outcome)
    raise_all(problems)
    check_names([session.name for session in sessions])
    _report(sessions, len(digests))
    return sessions, digests


def _stored(
    work: Extraction, digests: dict[str, str], stage: Stage | None, store: Store, memory: machine.PeakMemory
) -> RecordingFeatures:
    """The features of a recording as the run folder keeps them; its arrays are read as they are needed."""
    name, version, inputs = work.stage(digests)
    if stage is None or stage.making is None:  # the run folder has it, or it is damaged there
        stage = store.run(name, version, inputs, lambda _: work.compute(work.recording.read()), mapped=True)
    else:
        peak = max(memory.megabytes, stage.making.peak_memory_mb)  # of all processes together
        making = replace(stage.making, peak_memory_mb=peak)
        stage = store.add(name, key_of(name, version, inputs), replace(stage, making=making), mapped=True)
    return decode(RecordingFeatures, stage.arrays, stage.facts)


def _report(sessions: Sequence[SessionFeatures], files: int) -> None:
    frames = sum(session.frames for session in sessions)
    logger.info("%d files imported: %d sessions, %s frames", files, len(sessions), f"{frames:,}")
    report = [row for session in sessions for row in session.quality]
    logger.info("quality of the input:\n%s", format_report(report))
    for row in report:
        if row.warning:
            logger.warning(row.warning)
