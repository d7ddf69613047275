"""Bouts that show each behaviour, with merged labels as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bsoid_gpu.views.montage import ChosenBout, SessionBouts, chosen_bouts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.behaviours.names import Behaviour, Behaviours


class Selection(NamedTuple):
    """Behaviours of which movies are written, and the chosen bouts and number of all bouts of each, by its number."""

    behaviours: list[Behaviour]
    bouts: dict[int, list[ChosenBout]]
    all_bouts: dict[int, int]


def selection(behaviours: Behaviours, sessions: Sequence[SessionBouts], wanted: Sequence[int], cells: int) -> Selection:
    """Bouts that show each behaviour; those of merged labels that follow each other are one bout."""
    numbers = np.array(behaviours.numbers())
    merged = [merged_bouts(session, numbers) for session in sessions]
    chosen = chosen_bouts(merged, behaviours.count, cells)
    every = np.concatenate([session.label for session in merged]) if merged else np.empty(0, dtype=np.int64)
    picked = {behaviours.of(label).number for label in wanted}
    shown = [one for one in behaviours.behaviours if (one.number in picked if picked else not one.hidden)]
    return Selection(
        shown,
        {one.number: [bout for bout in chosen if bout.label == one.number] for one in shown},
        {one.number: int(np.sum(every == one.number)) for one in shown},
    )


def merged_bouts(bouts: SessionBouts, numbers: NDArray[np.int64]) -> SessionBouts:
    """Bouts of behaviours from those of labels.

    Parameters
    ----------
    bouts
        Bouts of labels, in the order of time.
    numbers
        (labels,) number of the behaviour of each label.
    """
    label = np.where(bouts.label >= 0, numbers[np.maximum(bouts.label, 0)], -1)
    if not len(label):
        return bouts
    begins = np.concatenate([[True], (label[1:] != label[:-1]) | (bouts.start[1:] != bouts.stop[:-1])])
    first = np.flatnonzero(begins)
    last = np.concatenate([first[1:], [len(label)]]) - 1
    frames = (bouts.stop - bouts.start).astype(np.float64)
    known = np.isfinite(bouts.values)
    weight = known * frames[:, None]
    total = np.add.reduceat(weight, first, axis=0)
    values = np.add.reduceat(np.where(known, bouts.values, 0.0) * weight, first, axis=0)
    return SessionBouts(
        label[first],
        bouts.start[first],
        bouts.stop[last],
        np.add.reduceat(bouts.confidence * frames, first) / np.add.reduceat(frames, first),
        np.where(total > 0, values / np.where(total > 0, total, 1.0), np.nan),
        bouts.fps,
    )
