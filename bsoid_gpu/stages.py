"""Each stage's name, version, and what its result depends on: the code around what :mod:`bsoid_gpu.store` keeps.

Raise a version by hand whenever the code of its stage changes its results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu import classify, cluster, embed, extract, recordings, store
from bsoid_gpu.config_file import as_dict
from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.log import logger, progress
from bsoid_gpu.quality import format_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Array, Backend
    from bsoid_gpu.classify import Classification
    from bsoid_gpu.config import Settings
    from bsoid_gpu.extract import Extracted
    from bsoid_gpu.recordings import Source

FEATURES = "features"


def features(
    found: Sequence[Source], s: Settings, b: Backend, kept: store.Store
) -> tuple[list[Extracted], dict[str, str]]:
    """Features of every session, one stage for each recording, and the digests of the files.

    Raises
    ------
    BadInput
        Sessions that cannot be used; the problems of all are told at once.
    """
    problems: list[str] = []
    done: list[Extracted] = []
    digests: dict[str, str] = {}
    for recording, parts in progress(list(recordings.by_recording(found, s.input).items()), FEATURES):
        try:
            extracted, of_parts = _features_of(recording, parts, done[0].keypoints if done else (), s, b, kept)
        except BadInput as error:
            problems.append(str(error))
        else:
            done += extracted
            digests |= of_parts
    raise_all(problems)
    recordings.check_names([session.name for session in done])
    frames = sum(session.frames for session in done)
    logger.info("%d files imported: %d sessions, %s frames", len(digests), len(done), f"{frames:,}")
    report = [row for session in done for row in session.quality]
    logger.info("quality of the input:\n%s", format_report(report))
    for warning in extract.warnings_of(report):
        logger.warning(warning)
    return done, digests


def _features_of(
    recording: str, parts: Sequence[Source], keypoints: Sequence[str], s: Settings, b: Backend, kept: store.Store
) -> tuple[list[Extracted], dict[str, str]]:
    contents = [part.read() for part in parts]
    digests = {content.name: content.digest() for content in contents}
    inputs = {
        "files": list(digests.items()),
        "keypoints": list(keypoints),
        "settings": [as_dict(section) for section in (s.input, s.likelihood, s.features)],
        "backend": b.name,
    }

    def compute() -> store.Stage:
        return extract.to_stage(extract.extract(contents, s.input.fps, s, b, keypoints), b)

    return extract.from_stage(kept.run(f"{FEATURES} {recording}", 1, inputs, compute)), digests


def _features_digest(kept: store.Store) -> str:
    return store.digest_of([stage.digest for name, stage in kept.stages.items() if name.startswith(f"{FEATURES} ")])


def embedding(
    features: Array,
    session_bins: Sequence[int],
    recording_names: Sequence[str],
    s: Settings,
    b: Backend,
    kept: store.Store,
) -> store.Stage:
    """Scaled features and embedding of all sessions; see :func:`bsoid_gpu.embed.embed`."""
    inputs = {
        "features": _features_digest(kept),
        "settings": [as_dict(s.embedding), s.features.standardise, s.seed],
        "backend": b.name,
    }

    def compute() -> store.Stage:
        return embed.to_stage(embed.embed(features, session_bins, recording_names, s, b), b)

    done = kept.run("embedding", 3, inputs, compute)
    bins, columns = done.arrays["scaled"].shape
    logger.info("%s bins from %d into %d dimensions", f"{bins:,}", columns, s.embedding.dimensions)
    return done


def clusters(embedded: store.Stage, s: Settings, b: Backend, kept: store.Store) -> store.Stage:
    """Hard and soft labels; see :func:`bsoid_gpu.cluster.cluster`."""
    inputs = {"embedding": embedded.digest, "settings": as_dict(s.clusters), "backend": b.name}
    points = embedded.arrays["embedding"]
    done = kept.run("clusters", 2, inputs, lambda: cluster.to_stage(cluster.cluster(b.asarray(points), s.clusters, b)))
    noise = float(np.mean(done.arrays["hard"] < 0))
    labels = done.arrays["membership"].shape[1]
    logger.info("%d clusters, %.0f %% noise before soft assignment", labels, 100 * noise)
    return done


def classifier(
    features: Array,
    session_bins: Sequence[int],
    clustered: store.Stage,
    labels: NDArray[np.int64],
    s: Settings,
    b: Backend,
    kept: store.Store,
) -> Classification:
    """The perceptron and its scores; see :func:`bsoid_gpu.classify.classify`."""
    inputs = {
        "features": _features_digest(kept),
        "clusters": clustered.digest,
        "settings": [as_dict(s.classifier), s.features.bin_s, s.seed],
        "backend": b.name,
    }

    def compute() -> store.Stage:
        return classify.to_stage(classify.classify(features, labels, session_bins, s, b), b)

    learnt = classify.from_stage(kept.run("classifier", 1, inputs, compute))
    classify.log_scores(learnt.scores)
    return learnt
