"""What descriptions need to know of one session: how the descriptors of each group of labels differ from the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bsoid_gpu.behaviours import catalogue, ranks
from bsoid_gpu.behaviours.descriptors import Described, descriptors
from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.behaviours.body import Body
    from bsoid_gpu.pose import Pose

    Values = NDArray[np.float64]

PARTS = 4  # of the bouts of a group in a session
LEAST_BOUTS, LEAST_SAMPLES = 2, 5  # of a group in a session or part, below which nothing is said about it
Group = tuple[int, ...]


class Nouns(NamedTuple):
    """What the front, the forelimbs, hindlimbs, other limbs and the limbs whose rhythm is measured are called."""

    front: str
    fore: str
    hind: str
    other: str
    rhythmic: str


@dataclass(frozen=True, eq=False)
class SessionMeasures:
    """Measures of the groups of labels in one session; NaN where a group or a descriptor is absent.

    Parameters
    ----------
    name
        The session's name.
    groups
        Labels of each group; groups may overlap.
    names
        Names of the descriptors, see ``catalogue.DESCRIPTORS``.
    nouns
        What the parts of the body are called.
    body_length
        Length of the animal in the unit of lengths.
    samples, bouts
        (groups,) number of samples, about one every 100 ms, and of bouts.
    median, q25, q75, rest_median
        (groups, descriptors) of the group, and of the rest of the session.
    auc
        (groups, descriptors) probability that the group has the larger value than the rest of the session.
    part_auc
        (groups, parts, descriptors) the same for parts of the group's bouts, in the order of time.
    pair_auc
        (groups, groups, descriptors) probability that the group of the row has the larger value.
    correlation
        (descriptors, descriptors) rank correlation over the session.
    notes
        What was taken from the data, in sentences.
    view
        See :class:`Body`.
    """

    name: str
    groups: tuple[Group, ...]
    names: tuple[str, ...]
    nouns: Nouns
    body_length: float
    samples: NDArray[np.int64]
    bouts: NDArray[np.int64]
    median: Values
    q25: Values
    q75: Values
    rest_median: Values
    auc: Values
    part_auc: Values
    pair_auc: Values
    correlation: Values
    notes: tuple[str, ...] = ()
    view: str = ""


def measure(
    pose: Pose,
    labels: NDArray[np.int64],
    groups: Sequence[Group],
    body: Body,
    unit_px: float,
    table: Described | None = None,
) -> SessionMeasures:
    """Measure the groups of labels in one session.

    Parameters
    ----------
    pose
        Positions (frames, 1, keypoints, space) px, NaN in frames without the animal.
    labels
        (frames,) int64, -1 where the label is unsure: these frames belong to no group and to no rest.
    groups
        Labels of each group.
    body
        Roles of the keypoints.
    unit_px
        Length in px of the unit of lengths: of the animal's body, or of a millimetre.
    table
        The :func:`descriptors` of this session in this unit, if they are known.

    Raises
    ------
    BadInput
        Labels that do not fit to the frames, or a unit that is not positive.
    """
    labels = np.asarray(labels)
    if labels.shape != (pose.frames,):
        msg = f"{pose.name}: the labels have shape {labels.shape}; expected one for each of {pose.frames} frames"
        raise BadInput(msg)
    if not (np.isfinite(unit_px) and unit_px > 0):
        msg = f"{pose.name}: the unit of lengths is {unit_px!r} px; expected a number above 0"
        raise BadInput(msg)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # small products, and one process a session
        return _measured(pose, labels, groups, body, unit_px, table or descriptors(pose, body, unit_px))


def _measured(
    pose: Pose, labels: NDArray[np.int64], groups: Sequence[Group], body: Body, unit_px: float, table: Described
) -> SessionMeasures:
    label = labels[table.frame]
    bout = bout_numbers(labels, pose.frame_numbers)
    known = label >= 0
    values, label, bout_of_sample = table.values[known], label[known], bout[table.frame][known]
    first = np.flatnonzero(np.diff(bout, prepend=-1))
    durations = _durations(bout, pose.fps)
    whole = ranks.Ranked.of(values)
    of_bouts = ranks.Ranked.of(durations[labels[first] >= 0][:, None])
    label_of_bout = labels[first][labels[first] >= 0]
    names = (*table.names, catalogue.DURATION)
    results = [
        _of_group(np.isin(label, group), bout_of_sample, whole, np.isin(label_of_bout, group), of_bouts)
        for group in groups
    ]
    columns = {key: np.array([result[key] for result in results]) for key in results[0]} if results else _empty(names)
    return SessionMeasures(
        name=pose.name,
        groups=tuple(tuple(group) for group in groups),
        names=names,
        nouns=_nouns(body),
        body_length=_body_length(pose, body, unit_px),
        pair_auc=_pairs(whole, of_bouts, label, label_of_bout, groups),
        correlation=_correlation(whole),
        notes=body.notes,
        view=body.view,
        **columns,
    )


def bout_numbers(labels: NDArray[np.int64], frame_numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the bout of each frame, from 0; a gap ends a bout."""
    changes = (np.diff(labels) != 0) | (np.diff(frame_numbers) != 1)
    return np.concatenate([np.zeros(min(1, len(labels)), np.int64), np.cumsum(changes)])


def _durations(bout: NDArray[np.int64], fps: float) -> Values:
    return np.bincount(bout) / fps if len(bout) else np.zeros(0)


def _of_group(
    own: NDArray[np.bool_],
    bout: NDArray[np.int64],
    whole: ranks.Ranked,
    own_bouts: NDArray[np.bool_],
    of_bouts: ranks.Ranked,
) -> dict[str, Any]:
    """Measures of one group: ``own`` (samples,) and ``own_bouts`` (bouts,) belong to it."""
    below = whole.share_below(own)
    bout_of_own = bout[own]
    numbers = np.unique(bout_of_own)
    auc = np.full((PARTS + 1, whole.columns + 1), np.nan)  # of the parts, and of the whole
    for row, part in [*enumerate(np.array_split(numbers, _parts(len(numbers)))), (-1, numbers)]:
        inside = (bout_of_own >= part[0]) & (bout_of_own <= part[-1]) if len(part) >= LEAST_BOUTS else own[:0]
        if inside.sum() >= LEAST_SAMPLES:
            auc[row, :-1] = ranks.mean_of_known(below[inside])
    below = of_bouts.share_below(own_bouts)
    every = np.arange(len(below))
    for row, part in [*enumerate(np.array_split(every, _parts(len(every)))), (-1, every)]:
        if len(part) >= LEAST_BOUTS:
            auc[row, -1:] = ranks.mean_of_known(below[part])
    quartiles = np.concatenate([whole.quantiles(own), of_bouts.quantiles(own_bouts)], axis=1)
    rest = np.concatenate([whole.quantiles(~own), of_bouts.quantiles(~own_bouts)], axis=1)
    return {
        "samples": own.sum(),
        "bouts": own_bouts.sum(),
        "q25": quartiles[0],
        "median": quartiles[1],
        "q75": quartiles[2],
        "rest_median": rest[1],
        "auc": auc[-1],
        "part_auc": auc[:-1],
    }


def _parts(bouts: int) -> int:
    """Into how many parts so many bouts are split: each has at least two."""
    return min(PARTS, max(1, bouts // LEAST_BOUTS))


def _empty(names: Sequence[str]) -> dict[str, Any]:
    tables = {key: np.zeros((0, len(names))) for key in ("median", "q25", "q75", "rest_median", "auc")}
    no_counts = np.zeros(0, np.int64)
    return {**tables, "samples": no_counts, "bouts": no_counts, "part_auc": np.zeros((0, PARTS, len(names)))}


def _pairs(
    whole: ranks.Ranked,
    of_bouts: ranks.Ranked,
    label: NDArray[np.int64],
    label_of_bout: NDArray[np.int64],
    groups: Sequence[Group],
) -> Values:
    """AUC of each group against each other: (groups, groups, descriptors)."""
    pairs = [ranked.pair_auc(np.stack([np.isin(of, group) for group in groups]) if groups
                             else np.zeros((0, len(of)), bool))
             for ranked, of in ((whole, label), (of_bouts, label_of_bout))]  # fmt: skip
    return np.concatenate(pairs, axis=2).astype(np.float32)


def _correlation(whole: ranks.Ranked) -> Values:
    """Rank correlation of the descriptors, that of the durations of bouts 0."""
    size = whole.columns + 1
    matrix = np.eye(size)
    matrix[:-1, :-1] = whole.correlation()
    return matrix


def _nouns(body: Body) -> Nouns:
    limbs = [body.fore, body.hind, body.other]
    fore, hind, other = (limb.noun if limb else "" for limb in limbs)
    return Nouns(body.front_noun, fore, hind, other, fore or hind or other)


def _body_length(pose: Pose, body: Body, unit_px: float) -> float:
    from bsoid_gpu.behaviours.body import body_length_px

    return body_length_px([pose], body) / unit_px
