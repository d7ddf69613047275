"""Labels against behaviours that are known, from a simulation or from a human observer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def _counts(labels: ArrayLike, truth: ArrayLike) -> pd.DataFrame:
    """Frames by label (row) and behaviour (column)."""
    return pd.crosstab(np.asarray(labels), np.asarray(truth))


def majority(labels: ArrayLike, truth: ArrayLike) -> NDArray[np.str_]:
    """The behaviour that each frame's label stands for most often: (frames,)."""
    counts = _counts(labels, truth)
    return counts.idxmax(axis=1).loc[np.asarray(labels)].to_numpy()


def majority_accuracy(labels: ArrayLike, truth: ArrayLike) -> float:
    """Share of frames whose behaviour is the commonest one of their label."""
    return float(np.mean(majority(labels, truth) == np.asarray(truth)))


def homogeneity(labels: ArrayLike, truth: ArrayLike) -> float:
    """1 where each label holds frames of one behaviour only (Rosenberg & Hirschberg 2007)."""
    from sklearn.metrics import homogeneity_score

    return float(homogeneity_score(np.asarray(truth), np.asarray(labels)))


def best_lag(labels: ArrayLike, truth: ArrayLike, reach: int = 30) -> int:
    """Frames by which the labels come late (early, where negative), at the largest mutual information.

    Parameters
    ----------
    labels, truth
        (frames,) labels and known behaviours.
    reach
        Largest lag to look at, in frames.
    """
    from sklearn.metrics import mutual_info_score

    label, known = np.asarray(labels), np.asarray(truth)
    inner = slice(reach, len(known) - reach)  # the same frames of the truth for every lag
    information = {
        lag: mutual_info_score(known[inner], label[reach + lag : len(known) - reach + lag])
        for lag in sorted(range(-reach, reach + 1), key=abs)
    }
    return max(information, key=information.__getitem__)


def by_behaviour(labels: ArrayLike, truth: ArrayLike) -> pd.DataFrame:
    """One row per behaviour: frames, share of them found, and the labels that stand for it.

    A frame is found where the commonest behaviour of its label is its own.
    """
    counts = _counts(labels, truth)
    stands_for = counts.idxmax(axis=1)
    rows = []
    for behaviour in counts.columns:
        own = [label for label in counts.index[stands_for == behaviour] if label >= 0]
        rows.append(
            {
                "behaviour": behaviour,
                "frames": int(counts[behaviour].sum()),
                "found": float(counts.loc[own, behaviour].sum() / counts[behaviour].sum()),
                "labels": " ".join(map(str, own)),
            }
        )
    return pd.DataFrame(rows)
