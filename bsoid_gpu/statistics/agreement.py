"""Agreement of labels with known behaviours, from a simulation or from a human observer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def _counts(labels: ArrayLike, truth: ArrayLike) -> pd.DataFrame:
    """Number of frames by label (row) and behaviour (column)."""
    return pd.crosstab(np.asarray(labels), np.asarray(truth))


def majority(labels: ArrayLike, truth: ArrayLike) -> NDArray[np.str_]:
    """Most frequent behaviour of the label of each frame: (frames,)."""
    counts = _counts(labels, truth)
    return counts.idxmax(axis=1).loc[np.asarray(labels)].to_numpy()


def majority_accuracy(labels: ArrayLike, truth: ArrayLike) -> float:
    """Share of frames whose behaviour is the most frequent one of their label."""
    return float(np.mean(majority(labels, truth) == np.asarray(truth)))


def homogeneity(labels: ArrayLike, truth: ArrayLike) -> float:
    """1 if each label has frames of one behaviour only (Rosenberg & Hirschberg 2007)."""
    from sklearn.metrics import homogeneity_score

    return float(homogeneity_score(np.asarray(truth), np.asarray(labels)))


def best_lag(labels: ArrayLike, truth: ArrayLike, reach: int = 30) -> int:
    """Frames by which the labels lag behind the behaviours, at the largest mutual information; negative: they lead.

    Parameters
    ----------
    labels, truth
        (frames,) labels and known behaviours.
    reach
        Largest lag, in frames.
    """
    from sklearn.metrics import mutual_info_score

    label, known = np.asarray(labels), np.asarray(truth)
    inner = slice(reach, len(known) - reach)  # same frames of the truth for every lag
    information = {
        lag: mutual_info_score(known[inner], label[reach + lag : len(known) - reach + lag])
        for lag in sorted(range(-reach, reach + 1), key=abs)
    }
    return max(information, key=information.__getitem__)


def by_behaviour(labels: ArrayLike, truth: ArrayLike) -> pd.DataFrame:
    """One row per behaviour: frames, recall, and the labels whose most frequent behaviour it is.

    Recall is the share of the frames of a behaviour that have one of these labels.
    """
    counts = _counts(labels, truth)
    most_frequent = counts.idxmax(axis=1)
    rows = []
    for behaviour in counts.columns:
        own = [label for label in counts.index[most_frequent == behaviour] if label >= 0]
        rows.append(
            {
                "behaviour": behaviour,
                "frames": int(counts[behaviour].sum()),
                "recall": float(counts.loc[own, behaviour].sum() / counts[behaviour].sum()),
                "labels": " ".join(map(str, own)),
            }
        )
    return pd.DataFrame(rows)
