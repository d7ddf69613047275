"""From the features of all sessions to labels: embed, cluster and classify, once or for several models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace

from bsoid_gpu import log
from bsoid_gpu.estimators.base import Classifier, predict
from bsoid_gpu.estimators.standard_scaler import scale_of
from bsoid_gpu.log import logger
from bsoid_gpu.method import reliability
from bsoid_gpu.method.classification import Classification, MemberClassifiers, restorer
from bsoid_gpu.method.clustering import Clustering
from bsoid_gpu.method.columns import column_warnings
from bsoid_gpu.method.consensus import consensus, groups_of_models, returns
from bsoid_gpu.method.held_out import held_out_parts
from bsoid_gpu.method.scaling import TOGETHER
from bsoid_gpu.method.training_labels import training_labels
from bsoid_gpu.method.training_range import training_range
from bsoid_gpu.run_folder import stages, tables
from bsoid_gpu.run_folder.arrays import release
from bsoid_gpu.run_folder.model_file import Model
from bsoid_gpu.run_folder.results import Run
from bsoid_gpu.workflows import member
from bsoid_gpu.workflows.member import Member, classifiers_of, members
from bsoid_gpu.workflows.stability import log_stability, stability, stability_warnings
from bsoid_gpu.workflows.training import TrainingBins, bins_to_train, of_phase

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.execution.executors import Executor
    from bsoid_gpu.method.embedding import Embedding
    from bsoid_gpu.method.session_features import SessionFeatures
    from bsoid_gpu.run_folder.store import Store
    from bsoid_gpu.settings.schema import Settings
    from bsoid_gpu.typing import Array


@dataclass(frozen=True)
class Discovered:
    """Embedding, labels and classifier of the training bins; ``stability`` is None if it was not measured."""

    embedded: Embedding
    clustered: Clustering
    classified: Classification
    stability: dict[str, Any] | None


def discover(
    extracted: Sequence[SessionFeatures],
    digests: dict[str, str],
    settings: Settings,
    backend: Backend,
    store: Store,
    executor: Executor,
) -> Run:
    """Embed, cluster and classify the training bins.

    Parameters
    ----------
    extracted
        Features of each session, at the phase of each model.
    digests
        Name and digest of each file.
    settings
        All settings.
    backend
        Where to compute.
    store
        The run folder.
    executor
        Runs the models side by side.
    """
    wide = column_warnings(extracted[0].keypoints, settings.features)
    for warning in wide:
        logger.warning(warning)
    training = bins_to_train(of_phase(extracted, 0), settings)
    if training.share < 1:
        message = "embedding a subsample of %s of %s bins (max_training_bins); the classifier labels all of them"
        logger.info(message, f"{len(training.features):,}", f"{sum(training.all_bins):,}")
    features = backend.asarray(training.features)
    every = members(extracted, training, settings, backend, store)
    if settings.models == 1:
        result = single(every, features, settings, store)
    else:
        result = joined(every, features, settings, store, executor)
    member.remove_others(store.folder, every if settings.models > 1 else every[1:])
    scores = _scores(result, training, settings)
    scores["warnings"] = wide + scores["warnings"]
    model = Model(
        classifier=stages.on_host(result.classified.classifier, backend),
        keypoints=extracted[0].keypoints,
        fps=settings.input.fps,
        settings=settings,
        label_bins=tuple(np.bincount(result.clustered.soft).tolist()),
        thresholds={session.recording: np.asarray(session.threshold) for session in extracted},
        scales=_scales(result.embedded, extracted),
        sessions=digests,
        backend=backend.name,
        scores=scores,
        versions=store.stages[stages.CLASSIFICATION].versions,
        training_range=training_range(training.features, [session.body_length_px for session in extracted]),
        dimensions=extracted[0].dimensions,
    )
    firsts = np.cumsum([0, *training.all_bins])
    start_s = [
        session.start_s + frames / settings.input.fps
        for session, frames in zip(extracted, training.bin_frames, strict=True)
    ]
    names = np.array([session.name for session in extracted], dtype=object)
    predicted = result.classified.predicted
    if len(predicted) < sum(training.all_bins):
        predicted = _predicted(model, extracted, backend)
    return Run(
        model=model,
        features=training.features,
        scaled_features=result.embedded.scaled,
        embedding=result.embedded.positions,
        hard_labels=result.clustered.hard,
        soft_labels=result.clustered.soft,
        membership=result.clustered.membership,
        training_bins=np.concatenate([part + first for part, first in zip(training.chosen, firsts, strict=False)]),
        predicted_labels=predicted,
        scores=scores,
        confusion=result.classified.confusion,
        sweep=result.clustered.sweep,
        sessions=[tables.session_facts(session) for session in extracted],
        warnings=scores["warnings"],
        session_of_bin=np.repeat(names, training.session_bins),
        start_s=np.concatenate(start_s),
        backend=backend,
        backend_features=features,
    )


def single(every: Sequence[Member], features: Array, settings: Settings, store: Store) -> Discovered:
    """One model, whose stages are those of the run; a second one shows which labels return."""
    first, backend = every[0], every[0].backend
    training, digest = first.training, stages.features_digest(store)
    bins, bin_s = training.session_bins, training.bin_s
    embedded = stages.embedding(features, bins, first.recordings, settings, backend, store, digest)
    clustered = stages.clusters(embedded.positions, bin_s, settings, backend, store)
    rows, labels = training_labels(clustered.hard, clustered.soft, settings.labels.training)
    parts = held_out_parts(bins, bin_s, settings, rows)
    chosen = training.rows_of(features, rows, backend)
    classes = clustered.membership.shape[1]
    of_rows = stages.rows_digest(digest, rows)
    classified = stages.classifier(chosen, labels, parts, settings, backend, store, of_rows, classes=classes)
    discovered = Discovered(embedded, clustered, classified, None)
    if len(every) == 1:
        return discovered
    second = classifiers_of(every[1])
    fitted = [_restored(each.classifier, settings, backend) for each in (classified, second)]
    with backend.repeatable():
        grouped = groups_of_models([classifier.predict_proba(features) for classifier in fitted], backend)
    without_blocks = [classified.without_blocks, second.without_blocks]
    measured = _stability(first, without_blocks, returns(grouped)[grouped[0]], features)
    return replace(discovered, stability=measured)


def joined(
    every: Sequence[Member], features: Array, settings: Settings, store: Store, executor: Executor
) -> Discovered:
    """Several models side by side, whose labels are joined; positions and noise are those of the first."""
    first, backend = every[0], every[0].backend
    training, digest = first.training, stages.features_digest(store)
    embedded, clustered, of_first = first.steps()
    logger.info("model 1 of %d: %d clusters", first.models, clustered.membership.shape[1])
    fitted = [of_first, *_side_by_side(every[1:], executor)]
    together = consensus([_restored(each.classifier, settings, backend) for each in fitted], features, backend)
    counts = returns(together.grouped)
    logger.info("%d labels from those of %d models", len(counts), first.models)
    of_clusters = np.append(together.grouped[0], -1)  # noise remains -1
    clustered = Clustering(of_clusters[clustered.hard], together.labels, together.membership, clustered.sweep)
    parts = held_out_parts(training.session_bins, training.bin_s, settings)
    classified = stages.classifier(
        features, together.labels, parts, settings, backend, store, digest, joined=together.classifier
    )
    discovered = Discovered(embedded, clustered, classified, None)
    if not settings.validation.stability:
        return discovered
    return replace(discovered, stability=_stability(first, [each.without_blocks for each in fitted], counts, features))


def _side_by_side(every: Sequence[Member], executor: Executor) -> list[MemberClassifiers]:
    """Classifiers of the members, in order; the executor distributes them."""
    backend, memory = every[0].backend, max(each.memory() for each in every)
    results = executor.run_each(classifiers_of, every, backend, memory, heavy=True)
    return list(log.progress(results, "models", len(every)))


def _restored(named: dict[str, Array], settings: Settings, backend: Backend) -> Classifier:
    """A classifier from its arrays, on the backend."""
    return restorer(settings)({name: backend.asarray(array) for name, array in named.items()})


def _stability(
    first: Member, without_blocks: Sequence[dict[str, Array]], returns_in: NDArray[np.int64], features: Array
) -> dict[str, Any]:
    """See :func:`stability`; the held-out time blocks are those of the first model."""
    backend = first.backend
    classifiers = [_restored(named, first.settings, backend) for named in without_blocks if named]
    at = backend.asarray(np.flatnonzero(first.blocks))
    held_out = array_namespace(features).take(features, at, axis=0)
    measured = stability(classifiers, held_out, returns_in, first.models, backend)
    log_stability(measured)
    return measured


def _scores(result: Discovered, training: TrainingBins, settings: Settings) -> dict[str, Any]:
    """Scores of the classifier and of the clusters, and the warnings that follow from them."""
    clustered = result.clustered
    session = np.repeat(np.arange(len(training.session_bins)), training.session_bins)
    scores = {
        "bins": len(clustered.soft),
        "training_s": len(clustered.soft) * training.bin_s,
        "clusters": clustered.membership.shape[1],
        "sweep_clusters": clustered.sweep["clusters"].tolist(),
        "noise_share": float(np.mean(clustered.hard < 0)),
        "session_information": reliability.session_information(clustered.soft, session),
        **result.classified.scores,
        "stability": result.stability,
    }
    selection = getattr(settings.clusters, "selection", "leaf")
    scores["warnings"] = reliability.warnings(scores, settings.features.standardise, selection)
    scores["warnings"] += stability_warnings(result.stability) if result.stability else []
    for warning in scores["warnings"]:
        logger.warning(warning)
    return scores


def _scales(embedded: Embedding, extracted: Sequence[SessionFeatures]) -> dict[str, NDArray[np.float64]]:
    """Mean and standard deviation (2, columns) by recording; without training bins, those of all its bins."""
    scales = {name: np.stack([np.asarray(part) for part in scale]) for name, scale in embedded.scales.items()}
    by_recording: dict[str, list[NDArray[np.float64]]] = {}
    if TOGETHER not in scales:
        for session in extracted:
            if session.recording not in scales:
                by_recording.setdefault(session.recording, []).append(np.asarray(session.features))
    return scales | {name: np.stack(scale_of(np.concatenate(parts))) for name, parts in by_recording.items()}


def _predicted(model: Model, extracted: Sequence[SessionFeatures], backend: Backend) -> NDArray[np.int64]:
    """Label of every bin of every session, by the classifier."""
    classifier, labels = model.fitted(backend), []
    for session in log.progress(extracted, "labels"):
        labels.append(backend.to_host(predict(classifier, backend.asarray(np.asarray(session.features)))))
        release(session.features)
    return np.concatenate(labels)
