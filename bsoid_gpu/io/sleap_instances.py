"""Instances of a SLEAP label file: one animal in one frame, predicted or labelled by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.hdf5 import numbers
from bsoid_gpu.io.messages import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNTRACKED = -1  # track of an instance without one
BY_HAND = 0  # type of an instance; 1 is a predicted one


class Instances(NamedTuple):
    """A table of instances, each column (n,) int64.

    ``row`` is the row of the frame, ``identity`` the number by which instances refer to each other, ``kind`` 0 for
    those labelled by hand, ``source`` the prediction that was corrected, ``start`` and ``end`` the range of the points.
    """

    row: NDArray[np.int64]
    identity: NDArray[np.int64]
    kind: NDArray[np.int64]
    skeleton: NDArray[np.int64]
    track: NDArray[np.int64]
    source: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def where(self, keep: NDArray[Any]) -> Instances:
        """The instances with True in (n,) bool."""
        return Instances(*(column[keep] for column in self))


def instances_of(frames: NDArray[Any], table: NDArray[Any]) -> Instances:
    """The instances of frames, by the rows of the datasets ``frames`` and ``instances``.

    Raises
    ------
    ValueError
        The frames refer to instances that do not exist, or two to the same.
    """
    start, end = (numbers(frames[f"instance_id_{side}"], "iu", np.int64) for side in ("start", "end"))
    counts = end - start
    if np.any((start < 0) | (counts < 0) | (end > len(table))) or counts.sum() > len(table):
        msg = "the frames refer to instances that do not exist"
        raise ValueError(msg)
    index = np.arange(counts.sum()) + np.repeat(start - np.cumsum(counts) + counts, counts)
    if len(np.unique(index)) < len(index):
        msg = "several frames refer to one instance"
        raise ValueError(msg)
    fields = ("instance_id", "instance_type", "skeleton", "track", "from_predicted", "point_id_start", "point_id_end")
    columns = (numbers(table[name], "iu", np.int64)[index] for name in fields)
    return Instances(np.repeat(np.arange(len(frames)), counts), *columns)


def distinct(
    instances: Instances, frame_numbers: NDArray[Any], tracks: Sequence[str], path: Path
) -> tuple[Instances, tuple[str, ...]]:
    """At most one instance of each track in a frame, and notes.

    An instance labelled by hand replaces the predicted one that it corrects, whose track it takes if it has none, and
    the predicted one of its track. Instances without a track are left out where others have one, and else are those
    of one animal.

    Raises
    ------
    BadInput
        Several predicted instances, or several labelled by hand, of one track in a frame.
    """
    by_hand = instances.kind == BY_HAND
    corrected = _corrected(instances)
    linked = corrected >= 0
    track = np.where(linked & (instances.track == UNTRACKED), instances.track[corrected], instances.track)
    instances = instances._replace(track=track)
    replaced = np.zeros_like(linked)
    replaced[corrected[linked]] = True
    slot = instances.row * (len(tracks) + 1) + track - UNTRACKED
    _check_slots(instances.where(~replaced), slot[~replaced], frame_numbers, tracks, path)
    replaced |= ~by_hand & np.isin(slot, slot[by_hand])
    notes = []
    if rows := len(np.unique(instances.row[replaced])):
        notes.append(f"in {rows:,} frames instances labelled by hand replace the predicted ones")
    left_out = ~replaced & (track == UNTRACKED) & np.any(track != UNTRACKED)
    if np.any(left_out):
        notes.append(
            f"{left_out.sum():,} instances without a track are left out (frames "
            f"{_listed(frame_numbers[instances.row[left_out]])}): give them a track in SLEAP if they are to count"
        )
    return instances.where(~replaced & ~left_out), tuple(notes)


def _corrected(instances: Instances) -> NDArray[np.int64]:
    """(n,) index of the predicted instance of the same frame that an instance labelled by hand corrects, or -1."""
    if not len(instances.row):
        return np.zeros(0, np.int64)
    order = np.argsort(instances.identity, kind="stable")
    place = np.searchsorted(instances.identity, instances.source, sorter=order)
    candidate = order[np.minimum(place, len(order) - 1)]
    linked = (
        (instances.kind == BY_HAND)
        & (instances.source >= 0)
        & (instances.identity[candidate] == instances.source)
        & (instances.row[candidate] == instances.row)
        & (instances.kind[candidate] != BY_HAND)
    )
    return np.where(linked, candidate, -1)


def _check_slots(
    instances: Instances, slot: NDArray[Any], frame_numbers: NDArray[Any], tracks: Sequence[str], path: Path
) -> None:
    """Raise where a frame has several instances of one kind in a slot, which is a track or none in that frame."""
    kinds = 2 * slot + (instances.kind == BY_HAND)
    order = np.argsort(kinds, kind="stable")
    repeated = order[1:][np.diff(kinds[order]) == 0]
    untracked = instances.track[repeated] == UNTRACKED
    if np.all(instances.track == UNTRACKED) and np.any(untracked):
        most = int(np.bincount(instances.row).max())
        msg = (
            f"{str(path)!r}: up to {most} animals are in one frame (frames "
            f"{_listed(frame_numbers[instances.row[repeated]])}), but there are no tracks, so that nothing says which "
            "is the same animal in the next frame; expected tracks: track the file in SLEAP (sleap-track with "
            "--tracking.tracker; with --tracking.clean_instance_count 1 if there is one animal)"
        )
        raise BadInput(msg)
    if np.any(~untracked):
        first = repeated[~untracked][0]
        msg = (
            f"{str(path)!r}: the track {tracks[instances.track[first]]!r} has several instances in one frame (frames "
            f"{_listed(frame_numbers[instances.row[repeated[~untracked]]])}); expected one: delete the others in SLEAP"
        )
        raise BadInput(msg)


def _listed(frame_numbers: NDArray[Any]) -> str:
    return listed(np.unique(frame_numbers).tolist())


def points_of(
    instances: Instances, labelled: NDArray[Any], predicted: NDArray[Any], nodes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions, (n, nodes, 2), NaN where not visible, and scores, (n, nodes), 1 for those labelled by hand.

    Parameters
    ----------
    instances
        The instances.
    labelled, predicted
        Rows of the datasets ``points`` and ``pred_points``.
    nodes
        Number of nodes of the skeleton.

    Raises
    ------
    ValueError
        An instance refers to points that do not exist, or has another number of points than the skeleton.
    """
    position = np.full((len(instances.row), nodes, 2), np.nan)
    score = np.ones(position.shape[:2])
    for points, chosen in ((labelled, instances.kind == BY_HAND), (predicted, instances.kind != BY_HAND)):
        if not np.any(chosen):
            continue
        start, end = instances.start[chosen], instances.end[chosen]
        if np.any((end - start != nodes) | (start < 0) | (end > len(points))):
            msg = f"an instance has no {nodes} points, as many as the skeleton has nodes"
            raise ValueError(msg)
        own = points[start[:, None] + np.arange(nodes)]
        coordinates = np.stack([numbers(own[axis], "f", np.float64) for axis in ("x", "y")], axis=-1)
        position[chosen] = np.where(numbers(own["visible"], "biu", np.bool_)[..., None], coordinates, np.nan)
        if points is predicted:
            score[chosen] = numbers(own["score"], "f", np.float64)
    return position, score
