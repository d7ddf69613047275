"""One job on the reference backend, and its steps on another backend from the same input."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from bsoid_gpu.doctor.judge import trustworthiness
from bsoid_gpu.estimators import registry, umap
from bsoid_gpu.estimators.base import CLASSIFIER
from bsoid_gpu.method import classification, clustering, embedding, labelling, preprocess
from bsoid_gpu.method.held_out import held_out_parts
from bsoid_gpu.method.session_features import session_features
from bsoid_gpu.method.subsample import training_bins

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.io.sessions import Content
    from bsoid_gpu.method.clustering import Clustering
    from bsoid_gpu.settings.schema import Settings

T = TypeVar("T")


@dataclass(frozen=True)
class Recordings:
    """What a job computes from.

    Parameters
    ----------
    contents
        Files of sessions, each its own recording.
    settings
        All settings, with the frame rate.
    folder
        Folder of the files; None if they are in memory only.
    """

    contents: Sequence[Content]
    settings: Settings
    folder: Path | None = None

    def features(self, backend: Backend) -> list[NDArray[np.float64]]:
        """Features (bins, columns) of the training bins of each session."""
        settings, fps = self.settings, self.settings.input.fps
        by_session: list[NDArray[np.float64]] = []
        keypoints: tuple[str, ...] = ()
        for content in self.contents:
            extracted = session_features(content.tracks(fps, backend), fps, settings, backend, keypoints)
            keypoints = extracted[0].keypoints
            by_session += [backend.to_host(session.features) for session in extracted]
        chosen = training_bins([len(part) for part in by_session], settings.max_training_bins, settings.seed)
        return [part[rows] for part, rows in zip(by_session, chosen, strict=True)]

    def labels(self, classifier: dict[str, NDArray[Any]], backend: Backend) -> NDArray[np.int64]:
        """Labels of the frames of the first session, by a classifier with its arrays on the host."""
        settings = self.settings
        session = preprocess.filtered(self.contents[0].tracks(settings.input.fps, backend), settings, backend)[0]
        estimator = registry.of(CLASSIFIER, settings.classifier)
        assert estimator.from_arrays is not None
        restored = estimator.from_arrays({name: backend.asarray(array) for name, array in classifier.items()})
        return labelling.label_frames(session, restored, settings.features, backend).labels


@dataclass(frozen=True)
class ReferenceJob:
    """Results of each step on the reference backend, on the host; ``seconds`` are those of each step."""

    recordings: Recordings
    features: NDArray[np.float64]
    session_bins: list[int]
    scaled: NDArray[np.float64]
    points: NDArray[np.float32]
    clusters: Clustering
    classifier: dict[str, NDArray[Any]]
    scores: dict[str, Any]
    labels: NDArray[np.int64]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def bins(self) -> int:
        """Number of bins."""
        return len(self.features)

    @property
    def settings(self) -> Settings:
        """All settings."""
        return self.recordings.settings

    @cached_property
    def trustworthiness(self) -> float:
        """That of the reference embedding."""
        return trustworthiness(self.scaled, self.points)

    def features_on(self, backend: Backend) -> NDArray[np.float64]:
        """Features of the same recordings on a backend."""
        return np.concatenate(self.recordings.features(backend))

    def neighbours_on(self, backend: Backend) -> NDArray[np.int32]:
        """Neighbours of the same standardised features, which every layout gets on a backend."""
        points = backend.to_host(backend.asarray(self.scaled.astype(np.float32)))
        number = umap.resolved(self.settings.embedding, self.bins).neighbours
        return umap.exact_neighbours(points, number, backend)[1]

    def embedded(self, backend: Backend, settings: Settings) -> NDArray[np.float32]:
        """Embedding of the same features on a backend."""
        return _embedded(self.features, self.session_bins, backend, settings)[1]

    def classified(self, backend: Backend) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Classifier of the same features and labels on a backend, and its scores."""
        return _classified(self.features, self.clusters.soft, self.session_bins, backend, self.settings)


def run(recordings: Recordings, backend: Backend) -> ReferenceJob:
    """The complete job on one backend."""
    settings, seconds = recordings.settings, {}

    def timed(step: str, function: Callable[[], T]) -> T:
        started = time.perf_counter()
        result = function()
        seconds[step] = round(time.perf_counter() - started, 3)
        return result

    by_session = timed("features", lambda: recordings.features(backend))
    features, session_bins = np.concatenate(by_session), [len(part) for part in by_session]
    scaled, points = timed("embedding", lambda: _embedded(features, session_bins, backend, settings))
    clusters = timed("clusters", lambda: clustering.cluster(points, settings.features.bin_s, settings, backend))
    classifier, scores = timed(
        "classifier", lambda: _classified(features, clusters.soft, session_bins, backend, settings)
    )
    labels = timed("labels", lambda: recordings.labels(classifier, backend))
    return ReferenceJob(
        recordings, features, session_bins, scaled, points, clusters, classifier, scores, labels, seconds
    )


def _embedded(
    features: NDArray[np.float64], session_bins: list[int], backend: Backend, settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    names = [f"session {number}" for number in range(len(session_bins))]
    embedded = embedding.embed(backend.asarray(features), session_bins, names, settings, backend)
    return backend.to_host(embedded.scaled), backend.to_host(embedded.positions)


def _classified(
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    session_bins: list[int],
    backend: Backend,
    settings: Settings,
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    parts = held_out_parts(session_bins, settings.features.bin_s, settings)
    fitted = classification.classify(backend.asarray(features), labels, parts, settings, backend)
    return {name: backend.to_host(array) for name, array in fitted.classifier.items()}, fitted.scores
