"""Which bouts show a behaviour: typical ones, those at its edge, and those that look like another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TYPICAL, EDGE, CONFUSABLE = "typical", "edge", "confusable"
LEAST_S = 0.2  # shorter bouts are shown only if there are too few others
CANDIDATES = 3000  # bouts of a label that are compared, at most
OTHER_SHARE = 6  # of so many clips, one is at the edge and one like another label


class SessionBouts(NamedTuple):
    """Bouts of a session, in the order of time.

    ``label`` (bouts,); ``start`` and ``stop`` (bouts,) frame numbers, the second exclusive; ``confidence`` (bouts,) the
    mean; ``values`` (bouts, descriptors) means of plain descriptors, NaN where unknown; ``fps`` frames per second.
    """

    label: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    confidence: NDArray[np.float64]
    values: NDArray[np.float64]
    fps: float


class ChosenBout(NamedTuple):
    """A bout to show: index of its session, label, frame numbers, mean confidence, and why it was chosen."""

    session: int
    label: int
    start: int
    stop: int
    confidence: float
    kind: str


def bout_means(
    values: NDArray[np.float64], frame: NDArray[np.int64], start: NDArray[np.int64], stop: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean of the samples within each bout: (bouts, columns); NaN for a bout without any.

    Parameters
    ----------
    values
        (samples, columns), NaN where unknown.
    frame
        (samples,) frame number of each, ascending.
    start, stop
        (bouts,) frame numbers, the second exclusive.
    """
    known = np.isfinite(values)
    totals = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(np.where(known, values, 0.0), axis=0)])
    counts = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(known, axis=0)])
    first, last = np.searchsorted(frame, start), np.searchsorted(frame, stop)
    number = counts[last] - counts[first]
    return np.where(number > 0, (totals[last] - totals[first]) / np.maximum(number, 1), np.nan)


def chosen_bouts(sessions: Sequence[SessionBouts], labels: int, cells: int) -> list[ChosenBout]:
    """Bouts that show each label.

    Distances are Euclidean between the mean descriptors of bouts, each relative to its spread over all bouts. Typical
    bouts are the nearest to the median of their label, from each session in turn; those at the edge are the most
    distant within the nearest 95 %; confusable ones are nearest to the median of another label, relative to their own.

    Parameters
    ----------
    sessions
        Bouts of each session.
    labels
        Number of labels of the model.
    cells
        Bouts of each label, at most; a label with fewer bouts has all of them.

    Returns
    -------
    list[ChosenBout]
        By label: typical ones first, the most typical first.
    """
    session = np.repeat(np.arange(len(sessions)), [len(one.label) for one in sessions])
    label = np.concatenate([one.label for one in sessions])
    position = _standardised(np.concatenate([one.values for one in sessions]))
    seconds = np.concatenate([(one.stop - one.start) / one.fps for one in sessions])
    own, other = _distances(position, label, labels)
    first = np.cumsum([0, *(len(one.label) for one in sessions)])
    chosen = []
    for number in range(labels):
        for row, kind in _of_label(np.flatnonzero(label == number), session, seconds, own, other, cells):
            of = sessions[session[row]]
            i = row - first[session[row]]
            bout = ChosenBout(
                int(session[row]), number, int(of.start[i]), int(of.stop[i]), float(of.confidence[i]), kind
            )
            chosen.append(bout)
    return chosen


def sum_of_transitions(
    sessions: Sequence[tuple[NDArray[np.int64], SessionBouts]], behaviours: int
) -> NDArray[np.int64]:
    """How many bouts of each behaviour (column) follow one of another (row), without a gap: (behaviours, behaviours).

    Parameters
    ----------
    sessions
        Number of the behaviour of each bout (bouts,), -1 for none, and the bouts.
    behaviours
        Number of behaviours.
    """
    counts = np.zeros((behaviours, behaviours), dtype=np.int64)
    for number, bouts in sessions:
        before, after = number[:-1], number[1:]
        follows = (bouts.stop[:-1] == bouts.start[1:]) & (before >= 0) & (after >= 0) & (before != after)
        np.add.at(counts, (before[follows], after[follows]), 1)
    return counts


def _of_label(
    rows: NDArray[np.int64],
    session: NDArray[np.int64],
    seconds: NDArray[np.float64],
    own: NDArray[np.float64],
    other: NDArray[np.float64],
    cells: int,
) -> list[tuple[int, str]]:
    """Rows and kinds of the bouts of one label."""
    long = rows[seconds[rows] >= LEAST_S]
    rows = long if len(long) >= min(cells, len(rows)) else rows[np.argsort(-seconds[rows], kind="stable")][:cells]
    rows = rows[:: max(1, len(rows) // CANDIDATES)]
    if len(rows) <= cells:
        return [(int(row), TYPICAL) for row in rows[np.argsort(own[rows], kind="stable")]]
    special = cells // OTHER_SHARE
    by_distance = rows[np.argsort(own[rows], kind="stable")]
    inner = by_distance[: max(cells, round(0.95 * len(rows)))]
    typical = _in_turn(inner, session)[: cells - 2 * special]
    rest = inner[~np.isin(inner, typical)]
    edge = _in_turn(rest[::-1], session)[:special]
    rest = rest[~np.isin(rest, edge)]
    alike = _in_turn(rest[np.argsort(other[rest] - own[rest], kind="stable")], session)[:special]
    kinds = ((typical, TYPICAL), (edge, EDGE), (alike, CONFUSABLE))
    return [(int(row), kind) for part, kind in kinds for row in part]


def _in_turn(rows: NDArray[np.int64], session: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows, in their order, one of each session in turn."""
    of = session[rows]
    order = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[order], of[order])
    turn = np.empty(len(rows), dtype=np.int64)
    turn[order] = np.arange(len(rows)) - starts
    return rows[np.lexsort((np.arange(len(rows)), turn))]


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns with the median 0 and the interquartile range 1; unknown values are medians, constant columns 0."""
    known = np.isfinite(values)
    values = values[:, known.any(axis=0)]
    if not values.size:
        return np.zeros((len(known), 1))
    low, median, high = np.nanquantile(values, (0.25, 0.5, 0.75), axis=0)
    spread = np.where(high > low, high - low, np.inf)
    return np.nan_to_num((values - median) / spread).clip(-5.0, 5.0)


def _distances(
    position: NDArray[np.float64], label: NDArray[np.int64], labels: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance of each bout from the median of its label, and from the nearest median of another label."""
    medians = np.full((labels, position.shape[1]), np.inf)
    for number in range(labels):
        if (rows := label == number).any():
            medians[number] = np.median(position[rows], axis=0)
    own, other = np.zeros(len(label)), np.zeros(len(label))
    for row in range(0, len(label), 4096):
        part = slice(row, row + 4096)
        distance = np.sqrt(np.sum((position[part, None] - medians[None]) ** 2, axis=2))
        at = np.arange(len(distance))
        mine = label[part]
        own[part] = np.where(mine >= 0, distance[at, mine], np.inf)
        distance[at[mine >= 0], mine[mine >= 0]] = np.inf
        other[part] = distance.min(axis=1)
    return own, other
