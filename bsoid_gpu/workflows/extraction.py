"""The features of every session of a build, recording by recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import machine
from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io.session_twins import source_of, twins_among
from bsoid_gpu.io.sessions import Content, Source, by_recording, check_names
from bsoid_gpu.log import logger, progress
from bsoid_gpu.method.consensus import phases
from bsoid_gpu.method.session_features import VERSION, SessionFeatures, other_dimensions, session_features
from bsoid_gpu.method.tracking_quality import arena_warning, format_report
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
    """Result of the feature stage of one recording."""

    sessions: list[SessionFeatures]


@dataclass(frozen=True)
class Extraction:
    """Feature extraction of one recording; without ``keypoints``, those of the recording are used.

    With ``check_only`` the features are computed and dropped: sessions keep their number of bins, without columns.
    """

    recording: Recording
    keypoints: tuple[str, ...]
    settings: Settings
    backend: Backend
    folder: Path | None
    check_only: bool = False

    @property
    def phases(self) -> tuple[float, ...]:
        """Phases of the bins of the models of the build."""
        return (0.0,) if self.check_only else tuple(each.phase for each in phases(self.settings))

    def stage(self, digests: dict[str, str]) -> tuple[str, int, dict[str, Any]]:
        """Name, version and inputs of its stage."""
        settings = self.settings
        sections = (settings.input, settings.likelihood, settings.features)
        inputs = {
            "role": FEATURES,
            "files": list(digests.items()),
            "keypoints": list(self.keypoints),
            "settings": [as_dict(section) for section in sections],
            "phases": list(self.phases),
            "backend": self.backend.name,
        }
        return f"{FEATURES} {self.recording.name}", VERSION, inputs

    def run(self, contents: Sequence[Content]) -> tuple[dict[str, str], Stage | None]:
        """Digests of the parts, and the stage, or None if the run folder has it."""
        digests = digests_of(contents)
        name, version, inputs = self.stage(digests)
        if Store(self.folder).has(name, key_of(name, version, inputs)):
            return digests, None
        return digests, timed(lambda: self.compute(contents), self.backend.describe())

    def compute(self, contents: Sequence[Content]) -> Stage:
        """The stage's result; all problems of the recording are reported together."""
        fps = self.settings.input.fps
        chosen = self.settings.input
        tracks, problems = tracks_of(contents, fps, self.backend, chosen.keypoints, chosen.individuals)
        try:
            sessions = session_features(tracks, fps, self.settings, self.backend, self.keypoints, phases=self.phases)
        except BadInput as error:
            problems.append(str(error))
        raise_all(problems)
        if self.check_only:
            sessions = [replace(session, features=session.features[:, :0], shifted=()) for session in sessions]
        for session in sessions:
            logger.info("%s: %d frames x %d keypoints", session.name, session.frames, len(session.keypoints))
        return Stage(*encode(RecordingFeatures(sessions), self.backend.to_host))


def extract_features(
    sources: Sequence[Source],
    settings: Settings,
    backend: Backend,
    store: Store,
    executor: Executor,
    *,
    check_only: bool = False,
) -> tuple[list[SessionFeatures], dict[str, str]]:
    """Features of every session, one stage for each recording, and the digests of the files.

    All recordings must have the keypoints of the first one. The executor distributes the others. ``check_only`` drops
    the features, see :class:`Extraction`.

    Raises
    ------
    BadInput
        Sessions that cannot be used; all problems are reported together.
    """
    problems: list[str] = []
    sessions: list[SessionFeatures] = []
    digests: dict[str, str] = {}

    def take(work: Extraction, outcome: tuple[dict[str, str], Stage | None] | BadInput) -> None:
        if isinstance(outcome, BadInput):
            problems.append(str(outcome))
            return
        part_digests, stage = outcome
        digests.update(part_digests)
        sessions.extend(_stored(work, part_digests, stage, store, memory).sessions)

    works = [
        Extraction(Recording(name, parts), (), settings, backend, store.folder, check_only)
        for name, parts in by_recording(sources, settings.input).items()
    ]
    with machine.PeakMemory() as memory:
        while works and not sessions:
            first = works.pop(0)
            take(first, attempt(first))
        works = [replace(work, keypoints=sessions[0].keypoints) for work in works]
        outcomes = zip(works, attempt_each(works, executor, backend), strict=True)
        for work, outcome in progress(outcomes, FEATURES, len(works)):
            take(work, outcome)
    if sessions:
        dimensions = {session.name: session.dimensions for session in sessions}
        problems += other_dimensions(dimensions, sessions[0].dimensions, f"the first session, {sessions[0].name},")
    raise_all(dict.fromkeys(problems))  # what is wrong with the settings is wrong with each recording
    check_names([session.name for session in sessions])
    sessions = _each_once(sessions, digests, settings, store)
    _report(sessions, len(digests))
    return sessions, digests


def _stored(
    work: Extraction, digests: dict[str, str], stage: Stage | None, store: Store, memory: machine.PeakMemory
) -> RecordingFeatures:
    """Features of a recording from the run folder, with mapped arrays."""
    name, version, inputs = work.stage(digests)
    if stage is None or stage.making is None:  # the run folder has it, perhaps damaged
        stage = store.run(name, version, inputs, lambda _: work.compute(work.recording.read()), mapped=True)
    else:
        peak = max(memory.megabytes, stage.making.peak_memory_mb)  # of all processes together
        making = replace(stage.making, peak_memory_mb=peak)
        stage = store.add(name, key_of(name, version, inputs), replace(stage, making=making), mapped=True)
    return decode(RecordingFeatures, stage.arrays, stage.facts)


def _each_once(
    sessions: list[SessionFeatures], digests: dict[str, str], settings: Settings, store: Store
) -> list[SessionFeatures]:
    """Sessions without those that are equal to others; files and stages without a session are removed too."""
    left_out = twins_among(sessions, digests)
    kept = [session for session in sessions if session.name not in left_out]
    used = {source_of(session.name, digests) for session in kept}
    recordings = {settings.input.recording_of(source) for source in used}
    for source in digests.keys() - used:
        del digests[source]
        if (recording := settings.input.recording_of(source)) not in recordings:
            store.stages.pop(f"{FEATURES} {recording}", None)
    return kept


def _report(sessions: Sequence[SessionFeatures], files: int) -> None:
    frames = sum(session.frames for session in sessions)
    logger.info("%d files imported: %d sessions, %s frames", files, len(sessions), f"{frames:,}")
    for session in sessions:
        for note in session.notes:
            logger.warning("%s: %s", session.name, note)
    for warning in arena_warning([session.still_keypoints for session in sessions], sessions[0].keypoints):
        logger.warning(warning)
    report = [row for session in sessions for row in session.quality]
    logger.info("quality of the input:\n%s", format_report(report))
    for row in report:
        if row.warning:
            logger.warning(row.warning)
