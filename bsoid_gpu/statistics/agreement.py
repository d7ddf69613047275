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


def macro_f1(labels: ArrayLike, truth: ArrayLike) -> float:
    """Mean over behaviours of F1, where each label stands for its most frequent behaviour.

    F1 of a behaviour is twice the frames that are right, over its frames plus those that stand for it; a rare
    behaviour counts as much as a frequent one, and one that no label stands for has 0.
    """
    named, known = majority(labels, truth), np.asarray(truth)
    return float(
        np.mean(
            [
                2
                * np.sum((named == behaviour) & (known == behaviour))
                / (np.sum(named == behaviour) + np.sum(known == behaviour))
                for behaviour in np.unique(known)
            ]
        )
    )


def left_out_accuracy(labels: ArrayLike, truth: ArrayLike, sessions: ArrayLike) -> float:
    """Majority accuracy of each session with the most frequent behaviours of the others, averaged over sessions.

    Parameters
    ----------
    labels, truth
        (frames,) labels and known behaviours.
    sessions
        (frames,) name of the session.

    Returns
    -------
    float
        A label that the other sessions do not have counts as wrong; NaN for fewer than two sessions.
    """
    label, known, session = np.asarray(labels), np.asarray(truth), np.asarray(sessions)
    names = np.unique(session)
    if len(names) < 2:
        return float("nan")
    accuracies = []
    for name in names:
        own = session == name
        behaviour_of = _counts(label[~own], known[~own]).idxmax(axis=1)
        named = behaviour_of.reindex(label[own]).to_numpy()
        accuracies.append(np.mean(named == known[own]))
    return float(np.mean(accuracies))


def normalised_information(labels: ArrayLike, truth: ArrayLike) -> float:
    """Mutual information over the mean of both entropies: NMI, 0 to 1, which grows with the number of labels."""
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(np.asarray(truth), np.asarray(labels)))


def adjusted_information(labels: ArrayLike, truth: ArrayLike) -> float:
    """Mutual information adjusted for chance: AMI (Vinh et al. 2010), 0 for random labels, however many."""
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(np.asarray(truth), np.asarray(labels)))


def adjusted_information_within(labels: ArrayLike, truth: ArrayLike, sessions: ArrayLike) -> float:
    """AMI of each session alone, averaged: labels need not mean the same in another session.

    Sessions with a single behaviour have no information and are left out; NaN if there is no other.
    """
    label, known, session = np.asarray(labels), np.asarray(truth), np.asarray(sessions)
    frames = [session == name for name in np.unique(session)]
    values = [adjusted_information(label[own], known[own]) for own in frames if len(np.unique(known[own])) > 1]
    return float(np.mean(values)) if values else float("nan")


def adjusted_rand(labels: ArrayLike, others: ArrayLike) -> float:
    """Share of pairs of frames on which two labellings agree, adjusted for chance (Hubert & Arabie 1985)."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(np.asarray(labels), np.asarray(others)))


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
