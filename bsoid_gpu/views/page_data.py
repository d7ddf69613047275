"""The data of the page: what a run and the labels of sessions show, as one object for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu._version import __version__
from bsoid_gpu.io.track_names import track_name
from bsoid_gpu.settings.toml import to_toml
from bsoid_gpu.views.map_data import centres, dendrogram, in_plane, map_points, matched
from bsoid_gpu.views.page_file import packed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.behaviours.body import Body
    from bsoid_gpu.behaviours.names import Behaviours
    from bsoid_gpu.run_folder.model_file import Model
    from bsoid_gpu.run_folder.stored_run import StoredRun, TrainingTable
    from bsoid_gpu.views.summary import SessionSummary

FORMAT = 1
BOUTS_BYTES = 1_500_000  # of the page, for the bouts of sessions
BYTES_PER_BOUT = 14
NO_LABEL = 65535  # of uint16


def page_data(
    title: str,
    model: Model,
    behaviours: Behaviours,
    body: Body,
    sessions: Sequence[SessionSummary],
    run: StoredRun | None,
    warnings: Sequence[str],
) -> dict[str, Any]:
    """Everything of the page but clips, descriptions and proposals.

    Parameters
    ----------
    title
        Of the page.
    model
        The model.
    behaviours
        Names and merged labels.
    body
        Roles of the keypoints.
    sessions
        The labelled sessions.
    run
        The build of the model, if its folder is at hand: without it the page has no map.
    warnings
        Of the labelling.
    """
    px_per_mm = model.settings.input.px_per_mm
    body_px = float(np.median([session.body_px for session in sessions]))
    shown, short = _sessions_to_show(sessions), short_names([session.name for session in sessions])
    counts = np.sum([np.bincount(_known(s.bouts.label), minlength=behaviours.count) for s in sessions], axis=0)
    return {
        "format": FORMAT,
        "program": f"bsoid_gpu {__version__}",
        "title": title,
        "model": behaviours.model,
        "version": behaviours.version,
        "labels": behaviours.count,
        "behaviours": [
            {
                "labels": list(one.labels),
                "name": one.name,
                "description": one.description,
                "colour": one.shown_colour,
                "hidden": one.hidden,
            }
            for one in behaviours.behaviours
        ],
        "keypoints": list(body.keypoints),
        "skeleton": [list(edge) for edge in body.skeleton],
        "front": list(body.front),
        "rear": list(body.rear),
        "unit": {"name": "mm", "px": px_per_mm} if px_per_mm else {"name": "body lengths", "px": body_px},
        "sessions": [
            _session(session, name, run, with_bouts=session.name in shown)
            for session, name in zip(sessions, short, strict=True)
        ],
        "sessions_total": len(sessions),
        "bouts_of_label": counts.tolist(),
        "stability": model.scores.get("stability"),
        "scores": _scores(model),
        "warnings": list(dict.fromkeys([*(run.manifest if run else model.scores)["warnings"], *warnings])),
        "settings": to_toml(model.settings),
        "provenance": provenance(model, run),
        "server": None,
    } | _of_run(run, behaviours, sessions)


def _scores(model: Model) -> dict[str, Any]:
    """Single numbers among the scores; the others stand elsewhere in the page."""
    return {name: value for name, value in model.scores.items() if value is None or isinstance(value, int | float)}


def _known(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    return labels[labels >= 0]


def _sessions_to_show(sessions: Sequence[SessionSummary]) -> set[str]:
    """Names of the first sessions whose bouts fit into the page."""
    sizes = np.cumsum([BYTES_PER_BOUT * len(session.bouts.label) for session in sessions])
    return {session.name for session, size in zip(sessions, sizes, strict=True) if size <= max(BOUTS_BYTES, sizes[0])}


def short_names(names: Sequence[str]) -> list[str]:
    """Names without what trackers have added to that of the video, where they remain different."""
    short = [track_name(Path(f"{name}.x")).video for name in names]
    return [one if short.count(one) == 1 else name for one, name in zip(short, names, strict=True)]


def _session(session: SessionSummary, name: str, run: StoredRun | None, *, with_bouts: bool) -> dict[str, Any]:
    bouts = session.bouts
    return {
        "name": name,
        "recording": session.recording,
        "fps": session.fps,
        "start_s": session.start_s,
        "frames": session.frames,
        "observed_frames": session.observed_frames,
        "first_frame": session.first_frame,
        "notes": list(session.notes),
        "quality": _quality(session.name, run),
        "bouts": {
            "start": packed(bouts.start.astype(np.uint32)),
            "stop": packed(bouts.stop.astype(np.uint32)),
            "label": packed(np.where(bouts.label < 0, NO_LABEL, bouts.label).astype(np.uint16)),
            "confidence": packed(np.rint(255 * np.nan_to_num(bouts.confidence)).astype(np.uint8)),
        }
        if with_bouts
        else None,
    }


def _quality(session: str, run: StoredRun | None) -> list[dict[str, Any]]:
    """Tracking quality of each keypoint of a training session; of others, only their notes are known."""
    rows = [row for row in run.quality if row["session"] == session] if run else []
    return [
        {
            "keypoint": row["keypoint"],
            "low_share": row["share_below"],
            "missing_share": round(row["missing_frames"] / max(row["frames"], 1), 6),
            "jumps": row["jumps"],
            "longest_gap_frames": row["longest_gap_frames"],
        }
        for row in rows
    ]


def _of_run(run: StoredRun | None, behaviours: Behaviours, sessions: Sequence[SessionSummary]) -> dict[str, Any]:
    """Map, tree, dendrogram and confusion matrix; None where they are not at hand."""
    if run is None:
        return {"map": None, "tree": None, "dendrogram": None, "confusion": None}
    table = run.training
    points = map_points(len(table.label))
    return {
        "map": _map(table, points, [session.name for session in sessions], run),
        "tree": _tree(run, points, table.label),
        "dendrogram": dendrogram(centres(table, behaviours.count)),
        "confusion": run.confusion.tolist(),
    }


def _map(table: TrainingTable, points: NDArray[np.int64], sessions: list[str], run: StoredRun) -> dict[str, Any]:
    plane = in_plane(table.embedding)[points].astype(np.float32)
    number = {name: i for i, name in enumerate(sessions)}
    of_session = [number.get(name, NO_LABEL) for name in table.session[points]]
    return {
        "x": packed(plane[:, 0]),
        "y": packed(plane[:, 1]),
        "label": packed(table.label[points].astype(np.uint16)),
        "session": packed(np.array(of_session, dtype=np.uint16)),
        "start_s": packed(table.time_s[points].astype(np.float32)),
        "membership": packed(np.rint(255 * table.membership[points].clip(0, 1)).astype(np.uint8)),
        "shown": len(points),
        "bins": len(table.label),
        "method": run.model.estimators["embedding"]["method"],
    }


def _tree(run: StoredRun, points: NDArray[np.int64], label: NDArray[np.int64]) -> dict[str, Any] | None:
    """The sweep of the tree: hard labels of the points at each minimum cluster size."""
    clustering = run.clustering
    if clustering is None or clustering.tree is None or clustering.cuts is None or run.model.settings.models > 1:
        return None
    sweep = clustering.sweep
    bin_s = run.model.scores["training_s"] / len(label)
    cuts = [matched(cut, label)[points] for cut in clustering.cuts]
    return {
        "sizes": sweep["min_cluster_size"].tolist(),
        "size_s": [round(size * bin_s, 3) for size in sweep["min_cluster_size"]],
        "clusters": sweep["clusters"].tolist(),
        "noise": sweep["noise_share"].tolist(),
        "chosen": int(np.flatnonzero(sweep["chosen"])[0]),
        "selection": run.model.settings.clusters.selection,
        "cuts": packed(np.where(np.array(cuts) < 0, NO_LABEL, cuts).astype(np.uint16)),
    }


def provenance(model: Model, run: StoredRun | None) -> list[list[str]]:
    """How the model was made, in words."""
    settings = model.settings
    lines = [
        ("program", ", ".join(f"{name} {version}" for name, version in sorted(model.versions.items()))),
        ("methods", ", ".join(one["method"] for one in model.estimators.values())),
        ("keypoints", ", ".join(model.keypoints)),
        ("training sessions", ", ".join(sorted(model.sessions))),
        ("frame rate of training", f"{model.fps:g} frames per second"),
        ("bins", f"{sum(model.label_bins):,} of {1000 * settings.features.bin_s:g} ms"),
        ("seed", str(settings.seed)),
        ("backend", model.backend),
    ]
    if run is not None:
        about = run.manifest["machine"]
        lines.append(("machine", ", ".join(f"{name} {value}" for name, value in about.items() if value)))
    return [list(line) for line in lines]
