"""The order of the stages of a build; of a prediction see :mod:`bsoid_gpu.workflows.predict`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu import files, log, machine
from bsoid_gpu.backends import get_backend
from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.estimators import perceptron as mlp
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.io import sessions as recordings
from bsoid_gpu.log import logger
from bsoid_gpu.method import clustering, embedding, preprocess, reliability, subsample
from bsoid_gpu.run_folder import arrays, model_file, stages, store, tables
from bsoid_gpu.run_folder.results import Run
from bsoid_gpu.settings import schema
from bsoid_gpu.workflows import cost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.estimators.perceptron import Perceptron
    from bsoid_gpu.io.sessions import Sessions
    from bsoid_gpu.method.preprocess import Extracted

Path_ = str | os.PathLike[str]


def build(
    sessions: Sessions,
    fps: float | str | None = None,
    out: Path_ | None = None,
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
        Run folder; where it holds finished stages of the same job, they are not run again. None keeps nothing.
    settings
        The method of Hsu & Yttri (2021) where they are left out.
    backend
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    seed
        Takes the place of the settings' seed; ``"none"`` gives up that the same seed gives the same embedding, which
        makes a GPU faster.
    keypoints
        Exact names, taking the place of the settings'.
    executor
        Who reads the recordings and computes their features; the processes of this machine where it is left out.

    Raises
    ------
    BadInput
        Sessions or settings that cannot be used.
    BackendUnavailable
        The backend cannot run here.
    """
    s = _settled(settings or schema.Settings(), fps, seed, keypoints)
    b = get_backend(backend)
    found = recordings.sources(sessions)
    with store.Store(None if out is None else Path(out), b.describe()) as kept, _log_file(kept.folder):
        logger.info("%d files to import, at %g fps, on the %s backend", len(found), s.input.fps, b.name)
        try:
            extracted, digests = stages.features(found, s, b, kept, executor or Executor())
            embedding.check_bins(sum(session.features.shape[0] for session in extracted), s)
        except BadInput:
            kept.forget()
            raise
        run = _learn(extracted, digests, s, b, kept)
        if kept.folder is not None:
            tables.write_run(kept.folder, run, extracted, kept.stages, b)
            kept.remove_others()
    return run


def planned(
    sessions: Sessions,
    fps: float | str | None = None,
    *,
    settings: schema.Settings | None = None,
    backend: str = "auto",
    keypoints: Sequence[str] = (),
) -> str:
    """What :func:`build` would take, in lines for people; the sessions are looked at but not read.

    Raises
    ------
    BadInput
        As :func:`build` does, as far as the beginnings of the files tell.
    BackendUnavailable
        The backend cannot run here.
    """
    s = _settled(settings or schema.Settings(), fps, None, keypoints)
    b = get_backend(backend)
    problems, outlines = [], []
    for source in recordings.sources(sessions):
        try:
            outlines.append(source.outline())
        except BadInput as error:
            problems.append(str(error))
    raise_all(problems)
    job = cost.size(outlines, s)
    embedding.check_bins(job.training_bins, s)
    steps = cost.on_cpu(job, s, machine.cores(), cost.speed()) if b.name == "cpu" else cost.on_cuda(job, s)
    return cost.report(steps, job)


def _settled(
    settings: schema.Settings, fps: float | str | None, seed: int | str | None, keypoints: Sequence[str]
) -> schema.Settings:
    """Settings with what was given beside them; every problem is reported together."""
    problems = schema.problems_of(settings) or schema.fps_problems(settings.input.fps if fps is None else fps)
    if seed == "none":
        settings, seed = replace(settings, embedding=replace(settings.embedding, repeatable=False)), None
    if seed is not None and not str(seed).isdecimal():
        problems.append(f"the seed is {seed!r}; expected a whole number from 0, or none")
    if isinstance(keypoints, str) or not all(isinstance(name, str) for name in keypoints):
        problems.append(f"the keypoints are {keypoints!r}; expected a list of names")
    raise_all(problems, heading="settings that cannot be used:" if len(problems) > 1 else "")
    taken = replace(
        settings.input,
        fps=schema.parse_fps(settings.input.fps if fps is None else fps),
        keypoints=tuple(keypoints) or settings.input.keypoints,
    )
    return schema.check(replace(settings, input=taken, seed=settings.seed if seed is None else int(seed)))


@contextlib.contextmanager
def _log_file(folder: Path | None) -> Iterator[None]:
    if folder is None:
        yield
        return
    with files.telling(folder):
        handler = log.to_file(folder / "log.txt")
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def _learn(
    extracted: Sequence[Extracted], digests: dict[str, str], s: schema.Settings, b: Backend, kept: store.Store
) -> Run:
    """Embed, cluster and classify."""
    all_bins = [session.features.shape[0] for session in extracted]
    chosen = subsample.training_bins(all_bins, s.max_training_bins, s.seed)
    session_bins = [len(part) for part in chosen]
    share = sum(session_bins) / sum(all_bins)
    if share < 1:
        msg = "%s of %s bins are learnt from (setting max_training_bins); the classifier labels the others too"
        logger.info(msg, f"{sum(session_bins):,}", f"{sum(all_bins):,}")
    together = np.concatenate([_rows(session, part) for session, part in zip(extracted, chosen, strict=True)])
    features = b.asarray(together)
    embedded = stages.embedding(features, session_bins, [session.recording for session in extracted], s, b, kept)
    clustered = stages.clusters(embedded, s, b, kept)
    found = clustering.from_stage(clustered)
    bin_s = s.features.bin_s / share
    learnt = stages.classifier(features, session_bins, clustered, found.soft, bin_s, s, b, kept)
    predicted = learnt.predicted if share == 1 else _predicted(learnt.perceptron, extracted, b)
    scores = {
        "bins": len(found.soft),
        "clusters": found.membership.shape[1],
        "noise_share": float(np.mean(found.hard < 0)),
        "session_information": reliability.session_information(
            found.soft, np.repeat(np.arange(len(session_bins)), session_bins)
        ),
        **learnt.scores,
    }
    scores["doubts"] = reliability.doubts(scores, s.features.standardise)
    for doubt in scores["doubts"]:
        logger.warning(doubt)
    model = model_file.Model(
        perceptron=learnt.perceptron,
        keypoints=extracted[0].keypoints,
        fps=s.input.fps,
        settings=s,
        label_bins=tuple(np.bincount(found.soft).tolist()),
        thresholds={session.recording: b.to_host(session.threshold) for session in extracted},
        scales=embedding.scales_from_stage(embedded),
        sessions=digests,
        backend=b.name,
        scores=scores,
        versions=kept.stages["classifier"].versions,
    )
    return Run(
        model=model,
        features=together,
        scaled_features=embedded.arrays["scaled"],
        embedding=embedded.arrays["embedding"],
        hard_labels=found.hard,
        soft_labels=found.soft,
        membership=found.membership,
        training_bins=np.concatenate(
            [part + first for part, first in zip(chosen, np.cumsum([0, *all_bins]), strict=False)]
        ),
        predicted_labels=predicted,
        scores=scores,
        confusion=learnt.confusion,
        sweep=found.sweep,
        sessions=[preprocess.facts_of(session) for session in extracted],
        doubts=scores["doubts"],
    )


def _rows(session: Extracted, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Features of the chosen bins, read into memory."""
    taken = np.asarray(session.features[chosen])
    arrays.let_go(session.features)
    return taken


def _predicted(perceptron: Perceptron, extracted: Sequence[Extracted], b: Backend) -> NDArray[np.int64]:
    """Label of every bin of every session, by the classifier."""
    fitted, labels = model_file.on_backend(perceptron, b), []
    for session in log.progress(extracted, "labels"):
        labels.append(b.to_host(mlp.predict(fitted, b.asarray(np.asarray(session.features)))))
        arrays.let_go(session.features)
    return np.concatenate(labels)
