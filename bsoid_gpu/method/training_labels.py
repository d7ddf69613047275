"""The bins and labels that the classifier is fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TrainingLabels(NamedTuple):
    """What the classifier is fitted to: ``rows`` (rows,) int64 are bins, ``labels`` (rows,) int64 their labels."""

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]


def training_labels(hard: NDArray[np.int64], soft: NDArray[np.int64], training: str) -> TrainingLabels:
    """Bins and labels for the classifier: all with their soft labels, or those that are not noise.

    Parameters
    ----------
    hard, soft
        (bins,) labels; -1 is noise.
    training
        ``"soft"`` or ``"hard"``.

    Raises
    ------
    BadInput
        Every bin is noise.
    """
    chosen = hard if training == "hard" else soft
    rows = np.flatnonzero(chosen >= 0)
    if len(rows) == 0:
        msg = "every bin is noise, so that [labels] training = 'hard' leaves none to the classifier: set it to 'soft'"
        raise BadInput(msg)
    return TrainingLabels(rows, chosen[rows])
