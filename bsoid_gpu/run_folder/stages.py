"""Each stage's name, version, and what its result depends on.

Raise a version by hand whenever the code of its stage changes its results.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu import files, machine
from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io import sessions
from bsoid_gpu.log import logger, progress
from bsoid_gpu.method import classification, clustering, preprocess
from bsoid_gpu.method import embedding as embed
from bsoid_gpu.method.tracking_quality import format_report
from bsoid_gpu.run_folder import store
from bsoid_gpu.settings.toml import as_dict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Array, Backend
    from bsoid_gpu.execution.executors import Executor
    from bsoid_gpu.io.sessions import Source
    from bsoid_gpu.method.classification import Classification
    from bsoid_gpu.method.preprocess import Extracted
    from bsoid_gpu.settings.schema import Settings

    _Outcome = tuple[dict[str, str], store.Stage | None] | BadInput

FEATURES = "features"
FILE_MEMORY = 10  # bytes of memory for each byte of a file, while its features are computed


def features(
    found: Sequence[Source], s: Settings, b: Backend, kept: store.Store, executor: Executor
) -> tuple[list[Extracted], dict[str, str]]:
    """Features of every session, one stage for each recording, and the digests of the files.

    The first recording tells the keypoints that the others must have; those are shared out by the executor.

    Raises
    ------
    BadInput
        Sessions that cannot be used; the problems of all are told at once.
    """
    problems: list[str] = []
    done: list[Extracted] = []
    digests: dict[str, str] = {}

    def take(work: _Recording, outcome: _Outcome) -> None:
        if isinstance(outcome, BadInput):
            problems.append(str(outcome))
            return
        of_parts, stage = outcome
        digests.update(of_parts)
        name, version, inputs = work.stage(of_parts)
        if stage is None:  # the run folder has it, or it is damaged there
            stage = kept.run(name, version, inputs, lambda _: work.compute(), mapped=True)
        else:
            peak = max(memory.megabytes, stage.making.peak_memory_mb if stage.making else 0.0)
            making = stage.making and replace(stage.making, peak_memory_mb=peak)  # of the workers together
            key = store.key_of(name, version, inputs)
            stage = kept.add(name, key, replace(stage, making=making), mapped=True)
        done.extend(preprocess.from_stage(stage))

    waiting = [
        _Recording(name, parts, (), s, b, kept.folder) for name, parts in sessions.by_recording(found, s.input).items()
    ]
    with machine.PeakMemory() as memory:
        while waiting and not done:
            first = waiting.pop(0)
            take(first, _extracted(first))
        waiting = [replace(work, keypoints=done[0].keypoints) for work in waiting]
        largest = max((work.size() for work in waiting), default=0)
        outcomes = executor.run_each(_extracted, waiting, b, FILE_MEMORY * largest)
        for work, outcome in progress(zip(waiting, outcomes, strict=True), FEATURES, len(waiting)):
            take(work, outcome)
    raise_all(problems)
    sessions.check_names([session.name for session in done])
    frames = sum(session.frames for session in done)
    logger.info("%d files imported: %d sessions, %s frames", len(digests), len(done), f"{frames:,}")
    report = [row for session in done for row in session.quality]
    logger.info("quality of the input:\n%s", format_report(report))
    for warning in preprocess.warnings_of(report):
        logger.warning(warning)
    return done, digests


@dataclass(frozen=True)
class _Recording:
    """What there is to do for one recording, in this process or in another."""

    name: str
    parts: Sequence[Source]
    keypoints: Sequence[str]
    settings: Settings
    backend: Backend
    folder: Path | None

    def stage(self, digests: dict[str, str]) -> tuple[str, int, dict[str, Any]]:
        """Name, version and inputs of its stage."""
        s = self.settings
        inputs = {
            "files": list(digests.items()),
            "keypoints": list(self.keypoints),
            "settings": [as_dict(section) for section in (s.input, s.likelihood, s.features)],
            "backend": self.backend.name,
        }
        return f"{FEATURES} {self.name}", 1, inputs

    def size(self) -> int:
        """Bytes of its files."""
        return sum(part.size() for part in self.parts)

    def compute(self, contents: Sequence[sessions.Content] = ()) -> store.Stage:
        """The stage's result."""
        s, b = self.settings, self.backend
        read = contents or [part.read() for part in self.parts]
        return preprocess.to_stage(preprocess.extract(read, s.input.fps, s, b, self.keypoints), b)


def _extracted(work: _Recording) -> _Outcome:
    """Digests of a recording's files and its stage, None where the run folder has it; or what is wrong with it."""
    try:
        contents = [part.read() for part in work.parts]
        digests = {content.name: content.digest() for content in contents}
        name, version, inputs = work.stage(digests)
        if store.Store(work.folder).has(name, store.key_of(name, version, inputs)):
            return digests, None
        return digests, store.timed(lambda: work.compute(contents), work.backend.describe())
    except BadInput as error:
        return error


def _features_digest(kept: store.Store) -> str:
    return files.digest_of([stage.digest for name, stage in kept.stages.items() if name.startswith(f"{FEATURES} ")])


def embedding(
    features: Array,
    session_bins: Sequence[int],
    recording_names: Sequence[str],
    s: Settings,
    b: Backend,
    kept: store.Store,
) -> store.Stage:
    """Scaled features and embedding of all sessions; see :func:`bsoid_gpu.method.embedding.embed`."""
    inputs = {
        "features": _features_digest(kept),
        "training_bins": features.shape[0],
        "settings": [as_dict(s.embedding), s.features.standardise, s.seed],
        "backend": b.name,
    }

    def compute(checkpoint: store.Checkpoint) -> store.Stage:
        return embed.to_stage(embed.embed(features, session_bins, recording_names, s, b, checkpoint), b)

    done = kept.run("embedding", 3, inputs, compute)
    bins, columns = done.arrays["scaled"].shape
    logger.info("%s bins from %d into %d dimensions", f"{bins:,}", columns, s.embedding.dimensions)
    return done


def clusters(embedded: store.Stage, s: Settings, b: Backend, kept: store.Store) -> store.Stage:
    """Hard and soft labels; see :func:`bsoid_gpu.method.clustering.cluster`."""
    inputs = {"embedding": embedded.digest, "settings": as_dict(s.clusters), "backend": b.name}
    points = embedded.arrays["embedding"]

    def compute(_: store.Checkpoint) -> store.Stage:
        return clustering.to_stage(clustering.cluster(b.asarray(points), s.clusters, b))

    done = kept.run("clusters", 2, inputs, compute)
    noise = float(np.mean(done.arrays["hard"] < 0))
    labels = done.arrays["membership"].shape[1]
    logger.info("%d clusters, %.0f %% noise before soft assignment", labels, 100 * noise)
    return done


def classifier(
    features: Array,
    session_bins: Sequence[int],
    clustered: store.Stage,
    labels: NDArray[np.int64],
    bin_s: float,
    s: Settings,
    b: Backend,
    kept: store.Store,
) -> Classification:
    """The perceptron and its scores; see :func:`bsoid_gpu.method.classification.classify`."""
    inputs = {
        "features": _features_digest(kept),
        "clusters": clustered.digest,
        "settings": [as_dict(s.classifier), bin_s, s.seed],
        "backend": b.name,
    }

    def compute(checkpoint: store.Checkpoint) -> store.Stage:
        return classification.to_stage(
            classification.classify(features, labels, session_bins, bin_s, s, b, checkpoint), b
        )

    learnt = classification.from_stage(kept.run("classifier", 1, inputs, compute))
    classification.log_scores(learnt.scores)
    return learnt
