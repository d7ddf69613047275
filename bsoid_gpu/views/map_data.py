"""The map of a page: which bins it shows and where, and the labels that a cut of the tree gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.run_folder.stored_run import TrainingTable
    from bsoid_gpu.views.summary import SessionSummary

MAP_POINTS = 20_000


def map_points(bins: int) -> NDArray[np.int64]:
    """Indices of the bins that the map shows: all, or evenly spaced ones."""
    return np.unique(np.linspace(0, bins - 1, min(bins, MAP_POINTS)).round().astype(np.int64))


def in_plane(embedding: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positions (bins, 2) of an embedding (bins, dimensions) along its principal axes; the largest values positive."""
    centred = embedding - embedding.mean(axis=0)
    if centred.shape[1] < 2:
        return np.column_stack([centred, np.zeros(len(centred))])
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :2]
    return np.asarray(centred @ (axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])))


def nearest_points(
    table: TrainingTable, points: NDArray[np.int64], session: str, time_s: NDArray[np.float64]
) -> list[int | None]:
    """Index of the point of the map that is nearest in time, for each time in a session; None if it has no points."""
    own = np.flatnonzero(table.session[points] == session)
    if not len(own):
        return [None] * len(time_s)
    at = table.time_s[points][own]
    after = np.searchsorted(at, time_s).clip(1, max(len(at) - 1, 1))
    nearer = np.where(time_s - at[after - 1] <= at[np.minimum(after, len(at) - 1)] - time_s, after - 1, after)
    return [int(own[min(i, len(own) - 1)]) for i in nearer]


def typical_bins(
    table: TrainingTable, sessions: Sequence[SessionSummary], label: int, most: int
) -> list[tuple[int, int, float]]:
    """Index of the session, frame number and membership of the bins with the largest membership in a label."""
    place = {session.name: i for i, session in enumerate(sessions)}
    rows = np.flatnonzero((table.label == label) & np.isin(table.session, list(place)))
    rows = rows[np.argsort(-table.membership[rows], kind="stable")][:most]
    numbers = [place[table.session[row]] for row in rows]
    frames = [
        round((table.time_s[row] - sessions[i].start_s) * sessions[i].fps) for i, row in zip(numbers, rows, strict=True)
    ]
    return list(zip(numbers, frames, table.membership[rows].tolist(), strict=True))


def matched(cut: NDArray[np.int32], label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Labels of a cut (bins,), numbered like the labels of the model that share most bins with them: colours stay.

    Clusters that are not the largest part of a label have numbers above those of the model; noise remains -1.
    """
    labels, clusters = int(label.max()) + 1, int(cut.max()) + 1
    inside = cut >= 0
    shared = np.zeros((clusters, labels), dtype=np.int64)
    np.add.at(shared, (cut[inside], label[inside]), 1)
    number = np.full(clusters + 1, -1)
    rest = labels
    for cluster in np.argsort(-shared.max(axis=1, initial=0), kind="stable"):
        best = int(shared[cluster].argmax())
        if best in number[:-1]:
            best, rest = rest, rest + 1
        number[cluster] = best
    return number[cut]


def centres(table: TrainingTable, labels: int) -> NDArray[np.float64]:
    """Mean standardised features of each label: (labels, columns); NaN for one without bins."""
    spread = table.features.std(axis=0)
    scaled = (table.features - table.features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    totals = np.zeros((labels, scaled.shape[1]))
    np.add.at(totals, table.label, scaled)
    counts = np.bincount(table.label, minlength=labels)[:, None]
    return np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)


def dendrogram(points: NDArray[np.float64]) -> dict[str, Any] | None:
    """Average linkage of points (labels, columns)."""
    from scipy.cluster.hierarchy import linkage

    if len(points) < 2 or not np.isfinite(points).all():
        return None
    return {"merges": np.round(linkage(points, "average"), 6).tolist()}
