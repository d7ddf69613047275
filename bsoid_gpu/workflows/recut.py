"""Another cut of the tree of a run, from what its folder holds: the recordings themselves are not needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu import log
from bsoid_gpu.behaviours.names_file import make_way, names_beside
from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.method import labelling, presence
from bsoid_gpu.method.preprocess import Filtered
from bsoid_gpu.method.units import units_px
from bsoid_gpu.run_folder import labelled, records, tables
from bsoid_gpu.run_folder.codecs import decode
from bsoid_gpu.run_folder.stages import FEATURES
from bsoid_gpu.run_folder.store import Store
from bsoid_gpu.run_folder.stored_run import StoredRun
from bsoid_gpu.settings.schema import check
from bsoid_gpu.workflows.discovery import discover
from bsoid_gpu.workflows.extraction import RecordingFeatures

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.behaviours.names import Behaviours
    from bsoid_gpu.method.session_features import SessionFeatures
    from bsoid_gpu.run_folder.model_file import Model
    from bsoid_gpu.settings.schema import Settings

SELECTIONS = ("leaf", "eom")


def cut_problems(run: StoredRun, size: object, selection: object) -> list[str]:
    """A sentence for each reason why the tree of a run cannot be cut so."""
    settings, clustering = run.model.settings, run.clustering
    if settings.models > 1:
        return ["the labels are joined from several models: no single tree gives them"]
    if not isinstance(settings.clusters, HdbscanSettings) or clustering is None or clustering.tree is None:
        return ["the run has no tree: it is not clustered by HDBSCAN, or by an earlier version; build it again"]
    bins = len(clustering.hard)
    problems = []
    if type(size) is not int or not 2 <= size <= bins:
        problems.append(f"the minimum cluster size is {size!r}; expected 2 to {bins} bins")
    if selection not in SELECTIONS:
        problems.append(f"the selection is {selection!r}; expected {' or '.join(SELECTIONS)}")
    return problems


def with_cut(settings: Settings, size: int, selection: str, bins: int, bin_s: float) -> Settings:
    """Settings of a build with clusters of at least ``size`` of its bins."""
    share = size / bins
    clusters = replace(
        settings.clusters,
        smallest=share,
        largest=share,
        smallest_s=min(settings.clusters.smallest_s, size * bin_s),
        selection=selection,
    )
    return check(replace(settings, clusters=clusters))


def recut(run: StoredRun, size: int, selection: str, backend: Backend, labels: Path) -> None:
    """Cut the tree of a run at another minimum cluster size, fit its classifier again, and label its sessions again.

    Parameters
    ----------
    run
        The run; its folder has the new model afterwards.
    size
        Minimum cluster size in bins.
    selection
        ``"leaf"`` or ``"eom"``.
    backend
        Where to compute.
    labels
        Folder with the labels of the training sessions, which are made again from the stored positions.

    Raises
    ------
    BadInput
        The tree cannot be cut so, or the run folder is not complete.
    """
    model, clustering = run.model, run.clustering
    bins = 0 if clustering is None else len(clustering.hard)
    settings = with_cut(model.settings, size, selection, bins, model.scores["training_s"] / bins)
    before = model.digest()
    with log.collected() as warnings, Store(run.folder, backend.describe()) as store:
        extracted = stored_features(run, store)
        result = discover(extracted, model.sessions, settings, backend, store, Executor())
        imported = [one for one in run.manifest["warnings"] if one not in model.scores["warnings"]]
        result = replace(result, warnings=list(dict.fromkeys([*imported, *warnings])))
        digest = result.model.digest()
        make_way(run.folder, digest)
        behaviours = names_beside([run.folder], digest, result.model.labels)
        tables.write_run(run.folder, result, extracted, store.stages, backend, behaviours)
        store.remove_others()
    of_before = records.records_of(labels, before)
    for place, record in log.progress(of_before.items(), "labels", len(of_before)):
        relabel(labels, place, record, result.model, behaviours, backend)
    if of_before:
        facts = {name: record["asked"][name] for name in ("min_confidence", "smoothing")}
        records.write_manifest(labels, result.model, backend, record["asked"]["fps"], facts, [], warnings)


def stored_features(run: StoredRun, store: Store) -> list[SessionFeatures]:
    """Features of the sessions of a run, from its stages.

    Raises
    ------
    BadInput
        A stage is missing or damaged.
    """
    names = {session["name"] for session in run.manifest["sessions"]}
    extracted: list[SessionFeatures] = []
    for recording in dict.fromkeys(session["recording"] for session in run.manifest["sessions"]):
        stage = store.take(f"{FEATURES} {recording}")
        if stage is None:
            msg = f"the features of {recording!r} are missing in {str(run.folder)!r}: run the same build again"
            raise BadInput(msg)
        extracted += decode(RecordingFeatures, stage.arrays, stage.facts).sessions
    return [session for session in extracted if session.name in names]


def relabel(
    folder: Path, place: Path, record: dict[str, Any], model: Model, behaviours: Behaviours, backend: Backend
) -> None:
    """Label the sessions of a record again with another model, from their stored positions in float32."""
    asked, settings = record["asked"], model.settings
    recording = settings.input.recording_of(next(iter(record["sessions"])))
    sessions = [_filtered(folder, name, recording, facts, model, backend) for name, facts in record["sessions"].items()]
    units = units_px(sessions, settings.features, backend)
    classifier = model.fitted(backend)
    for session, facts in zip(sessions, record["sessions"].values(), strict=True):
        prediction = labelling.label_frames(
            session,
            classifier,
            settings.features,
            backend,
            asked["min_confidence"],
            smoothing=replace(settings.labels, **asked["smoothing"]),
            scale=facts["scale"],
            unit_px=units[recording],
            training_fps=model.fps,
        )
        facts["smoothed_frames"] = int(prediction.smoothed.sum())
        facts["files"] |= tables.write_prediction(folder, prediction, behaviours)
    changed = {**record, "asked": {**asked, "model": behaviours.model}, "names": behaviours.digest()}
    records.write_record(place, changed)


def _filtered(
    folder: Path, name: str, recording: str, facts: dict[str, Any], model: Model, backend: Backend
) -> Filtered:
    """A session as after the likelihood filter, from its stored positions."""
    session = labelled.load_session(folder, name)
    pose = session.pose
    segments = presence.segments_of(session.confidence <= 0, pose.frame_numbers)
    parts = tuple(backend.asarray(pose.position[part.start : part.stop, 0]) for part in segments)
    pose = replace(pose, position=backend.asarray(pose.position), confidence=backend.asarray(pose.confidence))
    threshold = model.thresholds.get(recording, np.zeros(len(pose.keypoints)))
    return Filtered(pose, segments, parts, backend.asarray(threshold), recording, tuple(facts["notes"]))
