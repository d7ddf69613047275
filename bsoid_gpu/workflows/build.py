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
from bsoid_gpu.method.embedding import check_bins
from bsoid_gpu.method.scaling import TOGETHER
from bsoid_gpu.method.subsample import training_bins
from bsoid_gpu.run_folder import stages, tables
from bsoid_gpu.run_folder.arrays import let_go
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
    from bsoid_gpu.method.preprocess import SessionFeatures


def build(
    sessions: Sessions,
    fps: float | str | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    settings: schema.Settings | None = None,
    backend: str = "auto",
    seed: int | str | None = None,
    keypoints: Sequence[str] = (),
    executor: Executor | None = None,
) -> Run:
    """Discover behaviours in sessions.

    Parameters
    ----------
    sessions
        Files, folders of files, or poses.
    fps
        Frames per second of the camera; the settings' where it is left out.
    out
        Run folder; finished stages of the same job are resumed from it. None keeps nothing.
    settings
        The method of Hsu & Yttri (2021) where they are left out.
    backend
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    seed
        Takes the place of the settings' seed; with ``"none"`` the embedding need not repeat, which makes a GPU faster.
    keypoints
        Exact names, taking the place of the settings'.
    executor
        Who reads the recordings and computes their features; the processes of this machine where it is left out.

    Returns
    -------
    Run
        The model and everything that it was made of.

    Raises
    ------
    BadInput
        Sessions or settings that cannot be used.
    BackendUnavailable
        The backend cannot run here.
    """
    s = settled(settings or schema.Settings(), fps, seed, keypoints)
    b = get_backend(backend)
    parts = sources(sessions)
    with Store(None if out is None else Path(out), b.describe()) as store, _log_file(store.folder):
        logger.info("%d files to import, at %g fps, on the %s backend", len(parts), s.input.fps, b.name)
        try:
            extracted, digests = extract_features(parts, s, b, store, executor or Executor())
            check_bins(sum(session.features.shape[0] for session in extracted), s)
        except BadInput:
            store.forget()
            raise
        run = _discover(extracted, digests, s, b, store)
        if store.folder is not None:
            tables.write_run(store.folder, run, extracted, store.stages, b)
            store.remove_others()
    return run


def settled(
    settings: schema.Settings, fps: float | str | None, seed: int | str | None, keypoints: Sequence[str]
) -> schema.Settings:
    """Settings with what was given beside them; every problem is reported together."""
    problems = schema.problems_in(settings)
    problems += schema.fps_problems(settings.input.fps if fps is None and not problems else fps)
    if seed not in (None, "none") and not str(seed).isdecimal():
        problems.append(f"the seed is {seed!r}; expected a whole number from 0, or none")
    if isinstance(keypoints, str) or not all(isinstance(name, str) for name in keypoints):
        problems.append(f"the keypoints are {keypoints!r}; expected a list of names")
    raise_all(problems, heading="settings that cannot be used:" if len(problems) > 1 else "")
    if seed == "none" and hasattr(settings.embedding, "repeatable"):
        settings = replace(settings, embedding=replace(settings.embedding, repeatable=False))
    taken = replace(
        settings.input,
        fps=schema.parse_fps(settings.input.fps if fps is None else fps),
        keypoints=tuple(keypoints) or settings.input.keypoints,
    )
    number = settings.seed if seed in (None, "none") else int(seed or 0)
    return schema.check(replace(settings, input=taken, seed=number))


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
    extracted: Sequence[SessionFeatures], digests: dict[str, str], s: schema.Settings, b: Backend, store: Store
) -> Run:
    """Embed, cluster and classify the training bins."""
    all_bins = [session.features.shape[0] for session in extracted]
    chosen = training_bins(all_bins, s.max_training_bins, s.seed)
    session_bins = [len(part) for part in chosen]
    share = sum(session_bins) / sum(all_bins)
    if share < 1:
        message = "a subsample of %s of %s bins is embedded (max_training_bins); the classifier labels the others too"
        logger.info(message, f"{sum(session_bins):,}", f"{sum(all_bins):,}")
    on_host = np.concatenate([_rows(session, part) for session, part in zip(extracted, chosen, strict=True)])
    features = b.asarray(on_host)
    embedded = stages.embedding(features, session_bins, [session.recording for session in extracted], s, b, store)
    clustered = stages.clusters(embedded.positions, s, b, store)
    bin_s = s.features.bin_s / share
    classified = stages.classifier(features, clustered.soft, session_bins, bin_s, s, b, store)
    scores = _scores(clustered, session_bins, classified.scores, s)
    model = Model(
        classifier=classified.classifier,
        keypoints=extracted[0].keypoints,
        fps=s.input.fps,
        settings=s,
        label_bins=tuple(np.bincount(clustered.soft).tolist()),
        thresholds={session.recording: np.asarray(session.threshold) for session in extracted},
        scales=_scales(embedded, extracted),
        sessions=digests,
        backend=b.name,
        scores=scores,
        versions=store.stages[stages.CLASSIFICATION].versions,
    )
    firsts = np.cumsum([0, *all_bins])
    return Run(
        model=model,
        features=on_host,
        scaled_features=embedded.scaled,
        embedding=embedded.positions,
        hard_labels=clustered.hard,
        soft_labels=clustered.soft,
        membership=clustered.membership,
        training_bins=np.concatenate([part + first for part, first in zip(chosen, firsts, strict=False)]),
        predicted_labels=classified.predicted if share == 1 else _predicted(model, extracted, b),
        scores=scores,
        confusion=classified.confusion,
        sweep=clustered.sweep,
        sessions=[tables.session_facts(session) for session in extracted],
        warnings=scores["warnings"],
    )


def _scores(
    clustered: Clustering, session_bins: Sequence[int], held_out: dict[str, Any], s: schema.Settings
) -> dict[str, Any]:
    """The scores of the classifier, those of the clusters, and the warnings that follow from them."""
    session = np.repeat(np.arange(len(session_bins)), session_bins)
    scores = {
        "bins": len(clustered.soft),
        "clusters": clustered.membership.shape[1],
        "noise_share": float(np.mean(clustered.hard < 0)),
        "session_information": reliability.session_information(clustered.soft, session),
        **held_out,
    }
    scores["warnings"] = reliability.warnings(scores, s.features.standardise)
    for warning in scores["warnings"]:
        logger.warning(warning)
    return scores


def _scales(embedded: Embedding, extracted: Sequence[SessionFeatures]) -> dict[str, NDArray[np.float64]]:
    """Mean and standard deviation (2, columns) by recording; one without training bins has that of all its bins."""
    scales = {name: np.stack([np.asarray(part) for part in scale]) for name, scale in embedded.scales.items()}
    by_recording: dict[str, list[NDArray[np.float64]]] = {}
    if TOGETHER not in scales:
        for session in extracted:
            if session.recording not in scales:
                by_recording.setdefault(session.recording, []).append(np.asarray(session.features))
    return scales | {name: np.stack(scale_of(np.concatenate(parts))) for name, parts in by_recording.items()}


def _rows(session: SessionFeatures, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Features of the chosen bins, read into memory."""
    taken = np.asarray(session.features[chosen])
    let_go(session.features)
    return taken


def _predicted(model: Model, extracted: Sequence[SessionFeatures], b: Backend) -> NDArray[np.int64]:
    """Label of every bin of every session, by the classifier."""
    classifier, labels = model.fitted(b), []
    for session in log.progress(extracted, "labels"):
        labels.append(b.to_host(predict(classifier, b.asarray(np.asarray(session.features)))))
        let_go(session.features)
    return np.concatenate(labels)
