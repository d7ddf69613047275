"""The steps of a build, in order."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu import files, log
from bsoid_gpu.backends import get_backend
from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.estimators.base import predict
from bsoid_gpu.estimators.standard_scaler import scale_of
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.io.sessions import sources
from bsoid_gpu.log import logger
from bsoid_gpu.method import reliability
from bsoid_gpu.method.classification import training_labels
from bsoid_gpu.method.columns import column_warnings
from bsoid_gpu.method.embedding import check_bins
from bsoid_gpu.method.scaling import TOGETHER
from bsoid_gpu.method.subsample import training_bins
from bsoid_gpu.method.training_range import training_range
from bsoid_gpu.run_folder import stages, tables
from bsoid_gpu.run_folder.arrays import release
from bsoid_gpu.run_folder.model_file import Model
from bsoid_gpu.run_folder.results import Run
from bsoid_gpu.run_folder.store import Store
from bsoid_gpu.settings import schema
from bsoid_gpu.workflows.extraction import extract_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.io.sessions import Sessions
    from bsoid_gpu.method.clustering import Clustering
    from bsoid_gpu.method.embedding import Embedding
    from bsoid_gpu.method.session_features import SessionFeatures


def build(
    sessions: Sessions,
    fps: float | str | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    settings: schema.Settings | None = None,
    backend: str = "auto",
    seed: int | str | None = None,
    keypoints: Sequence[str] = (),
    individuals: Sequence[str] = (),
    executor: Executor | None = None,
) -> Run:
    """Discover behaviours in sessions.

    Parameters
    ----------
    sessions
        Files, folders of files, or poses.
    fps
        Frames per second of the camera; by default, those of the settings.
    out
        Run folder; a repeated build resumes from its completed stages. None stores nothing.
    settings
        By default, the method of Hsu & Yttri (2021).
    backend
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    seed
        Replaces the seed of the settings; with ``"none"`` the embedding is not repeatable, which is faster on a GPU.
    keypoints, individuals
        Exact names; they replace those of the settings.
    executor
        Runs the work on each recording; by default, in processes of this machine.

    Returns
    -------
    Run
        The model, and the results of every step.

    Raises
    ------
    BadInput
        Sessions or settings that cannot be used.
    BackendUnavailable
        The backend cannot run here.
    """
    settings = settled(settings or schema.Settings(), fps, seed, keypoints, individuals)
    selected = get_backend(backend)
    folder = None if out is None else Path(out)
    with log.collected() as warnings, Store(folder, selected.describe()) as store, _log_file(store.folder):
        try:
            parts = sources(sessions, settings.input.fps)
        except BadInput:
            store.remove_if_new()
            raise
        logger.info("%d files to import, at %g fps, on the %s backend", len(parts), settings.input.fps, selected.name)
        try:
            extracted, digests = extract_features(parts, settings, selected, store, executor or Executor())
            check_bins(sum(session.features.shape[0] for session in extracted), settings)
        except BadInput:
            store.remove_if_new()
            raise
        run = replace(_discover(extracted, digests, settings, selected, store), warnings=warnings)
        if store.folder is not None:
            tables.write_run(store.folder, run, extracted, store.stages, selected)
            store.remove_others()
    return run


def settled(
    settings: schema.Settings,
    fps: float | str | None,
    seed: int | str | None,
    keypoints: Sequence[str],
    individuals: Sequence[str] = (),
) -> schema.Settings:
    """Settings with the other arguments applied; all problems are reported together."""
    problems = schema.problems_in(settings)
    if fps is not None or not problems:
        problems += schema.fps_problems(settings.input.fps if fps is None else fps)
    if seed not in (None, "none") and not str(seed).isdecimal():
        problems.append(f"the seed is {seed!r}; expected a whole number from 0, or none")
    for kind, names in (("keypoints", keypoints), ("individuals", individuals)):
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            problems.append(f"the {kind} are {names!r}; expected a list of names")
    raise_all(problems, heading="settings that cannot be used:" if len(problems) > 1 else "")
    if seed == "none" and hasattr(settings.embedding, "repeatable"):
        settings = replace(settings, embedding=replace(settings.embedding, repeatable=False))
    changed_input = replace(
        settings.input,
        fps=schema.parse_fps(settings.input.fps if fps is None else fps),
        keypoints=tuple(keypoints) or settings.input.keypoints,
        individuals=tuple(individuals) or settings.input.individuals,
    )
    number = settings.seed if seed in (None, "none") else int(seed or 0)
    return schema.check(replace(settings, input=changed_input, seed=number))


@contextlib.contextmanager
def _log_file(folder: Path | None) -> Iterator[None]:
    if folder is None:
        yield
        return
    with files.explained(folder):
        handler = log.to_file(folder / "log.txt")
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def _discover(
    extracted: Sequence[SessionFeatures],
    digests: dict[str, str],
    settings: schema.Settings,
    backend: Backend,
    store: Store,
) -> Run:
    """Embed, cluster and classify the training bins."""
    wide = column_warnings(extracted[0].keypoints, settings.features)
    for warning in wide:
        logger.warning(warning)
    all_bins = [session.features.shape[0] for session in extracted]
    chosen = training_bins(all_bins, settings.max_training_bins, settings.seed)
    session_bins = [len(part) for part in chosen]
    share = sum(session_bins) / sum(all_bins)
    if share < 1:
        message = "embedding a subsample of %s of %s bins (max_training_bins); the classifier labels all of them"
        logger.info(message, f"{sum(session_bins):,}", f"{sum(all_bins):,}")
    on_host = np.concatenate([_rows(session, part) for session, part in zip(extracted, chosen, strict=True)])
    features = backend.asarray(on_host)
    recordings = [session.recording for session in extracted]
    embedded = stages.embedding(features, session_bins, recordings, settings, backend, store)
    bin_s = settings.features.bin_s / share
    clustered = stages.clusters(embedded.positions, bin_s, settings, backend, store)
    labelled = training_labels(clustered.hard, clustered.soft, session_bins, settings.labels.training)
    labelled_features = features if len(labelled.rows) == len(on_host) else backend.asarray(on_host[labelled.rows])
    classes = clustered.membership.shape[1]
    classified = stages.classifier(
        labelled_features, labelled.labels, labelled.session_bins, bin_s, settings, backend, store, classes
    )
    scores = _scores(clustered, session_bins, bin_s, classified.scores, settings)
    scores["warnings"] = wide + scores["warnings"]
    model = Model(
        classifier=classified.classifier,
        keypoints=extracted[0].keypoints,
        fps=settings.input.fps,
        settings=settings,
        label_bins=tuple(np.bincount(clustered.soft).tolist()),
        thresholds={session.recording: np.asarray(session.threshold) for session in extracted},
        scales=_scales(embedded, extracted),
        sessions=digests,
        backend=backend.name,
        scores=scores,
        versions=store.stages[stages.CLASSIFICATION].versions,
        training_range=training_range(on_host, [session.body_length_px for session in extracted]),
        dimensions=extracted[0].dimensions,
    )
    firsts = np.cumsum([0, *all_bins])
    start_s = [
        session.start_s + np.asarray(session.bin_frames)[part] / settings.input.fps
        for session, part in zip(extracted, chosen, strict=True)
    ]
    return Run(
        model=model,
        features=on_host,
        scaled_features=embedded.scaled,
        embedding=embedded.positions,
        hard_labels=clustered.hard,
        soft_labels=clustered.soft,
        membership=clustered.membership,
        training_bins=np.concatenate([part + first for part, first in zip(chosen, firsts, strict=False)]),
        predicted_labels=classified.predicted
        if len(classified.predicted) == sum(all_bins)
        else _predicted(model, extracted, backend),
        scores=scores,
        confusion=classified.confusion,
        sweep=clustered.sweep,
        sessions=[tables.session_facts(session) for session in extracted],
        warnings=scores["warnings"],
        session_of_bin=np.repeat(np.array([session.name for session in extracted], dtype=object), session_bins),
        start_s=np.concatenate(start_s),
        backend=backend,
        backend_features=features,
    )


def _scores(
    clustered: Clustering,
    session_bins: Sequence[int],
    bin_s: float,
    held_out: dict[str, Any],
    settings: schema.Settings,
) -> dict[str, Any]:
    """Scores of the classifier and of the clusters, and the warnings that follow from them."""
    session = np.repeat(np.arange(len(session_bins)), session_bins)
    scores = {
        "bins": len(clustered.soft),
        "training_s": len(clustered.soft) * bin_s,
        "clusters": clustered.membership.shape[1],
        "sweep_clusters": clustered.sweep["clusters"].tolist(),
        "noise_share": float(np.mean(clustered.hard < 0)),
        "session_information": reliability.session_information(clustered.soft, session),
        **held_out,
    }
    scores["warnings"] = reliability.warnings(
        scores, settings.features.standardise, getattr(settings.clusters, "selection", "leaf")
    )
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


def _rows(session: SessionFeatures, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Features of the chosen bins, read into memory."""
    rows = np.asarray(session.features[chosen])
    release(session.features)
    return rows


def _predicted(model: Model, extracted: Sequence[SessionFeatures], backend: Backend) -> NDArray[np.int64]:
    """Label of every bin of every session, by the classifier."""
    classifier, labels = model.fitted(backend), []
    for session in log.progress(extracted, "labels"):
        labels.append(backend.to_host(predict(classifier, backend.asarray(np.asarray(session.features)))))
        release(session.features)
    return np.concatenate(labels)
