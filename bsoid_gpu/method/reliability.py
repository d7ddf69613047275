"""Warnings where the result should not be trusted, each with a setting to try."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MAX_SESSION_INFORMATION = 0.5
MIN_CLUSTERS = 4
MAX_LABEL_SHARE = 0.5
MAX_NOISE_SHARE = 0.5
MIN_CLUSTER_S = 40.0  # of training data for each cluster, on average
MAX_SWEEP_FACTOR = 2.0  # between the numbers of clusters at neighbouring sizes
MAX_LOSS_ON_BLOCKS = 0.1  # of held-out accuracy, against random bins


def session_information(labels: NDArray[np.int64], session: NDArray[np.int64]) -> float:
    """Share of the information about the session that labels carry: I(label; session) / H(session).

    0 if every session has the same mix of behaviours, 1 if the label determines the session.

    Parameters
    ----------
    labels, session
        (bins,) label and number of the session.
    """
    if session.min() == session.max():
        return 0.0  # one session has no entropy
    counts = np.zeros((int(labels.max()) + 1, int(session.max()) + 1), dtype=np.int64)
    np.add.at(counts, (labels, session), 1)
    joint = counts / len(labels)
    of_label, of_session = joint.sum(axis=1, keepdims=True), joint.sum(axis=0, keepdims=True)
    entropy = -float(np.sum(of_session[of_session > 0] * np.log(of_session[of_session > 0])))
    occurs = joint > 0
    information = float(np.sum(joint[occurs] * np.log(joint[occurs] / (of_label * of_session)[occurs])))
    return information / entropy


def warnings(scores: Mapping[str, Any], standardise: str, selection: str = "leaf") -> list[str]:
    """Reasons not to trust the result, a sentence each with the setting to try; empty for a good result.

    Parameters
    ----------
    scores
        ``clusters``, ``training_s``, ``sweep_clusters``, ``noise_share``, ``largest_label_share``,
        ``session_information``, ``held_out_random`` and ``held_out_blocks``.
    standardise
        The scale in use, ``"session"`` or ``"global"``.
    selection
        How clusters are selected from the tree, ``"leaf"`` or ``"eom"``.
    """
    return [
        *_session_warnings(scores, standardise),
        *_cluster_warnings(scores, selection),
        *_accuracy_warnings(scores),
    ]


def _session_warnings(scores: Mapping[str, Any], standardise: str) -> list[str]:
    if scores["session_information"] > MAX_SESSION_INFORMATION:
        remedy = (
            'try [features] standardise = "session"'
            if standardise == "global"
            else "look for sessions with another camera, arena or animal size, and build them separately"
        )
        return [
            "the clusters follow sessions more than behaviours: the labels carry "
            f"{scores['session_information']:.0%} of the information about the session; {remedy}"
        ]
    return []


def _cluster_warnings(scores: Mapping[str, Any], selection: str) -> list[str]:
    messages = []
    finer = '[clusters] selection = "leaf"' if selection == "eom" else "a smaller [clusters] smallest"
    clusters, training_s = scores["clusters"], scores["training_s"]
    if clusters < MIN_CLUSTERS:
        messages.append(f"only {clusters} clusters: try {finer}")
    if clusters * MIN_CLUSTER_S > training_s:
        messages.append(
            f"{clusters} clusters in {training_s:.0f} s of recordings are one for each {training_s / clusters:.0f} s, "
            f"and below {MIN_CLUSTER_S:g} s clusters are hardly the same in another model: give more or longer "
            "sessions, or try a larger [clusters] smallest and smallest_s"
        )
    if scores["largest_label_share"] > MAX_LABEL_SHARE:
        messages.append(
            f"one label takes {scores['largest_label_share']:.0%} of the time: try {finer}, or check the tracking of "
            "still animals"
        )
    jumps = [pair for pair in pairwise(scores["sweep_clusters"]) if max(pair) > MAX_SWEEP_FACTOR * min(pair)]
    if jumps:
        widest = max(jumps, key=lambda pair: max(pair) / max(min(pair), 1))
        remedy = finer if selection == "eom" else "more or longer sessions"
        messages.append(
            f"the number of clusters depends on the minimum cluster size: from one size to the next it goes from "
            f"{widest[0]} to {widest[1]} (sweep.csv): try {remedy}"
        )
    if scores["noise_share"] > MAX_NOISE_SHARE:
        messages.append(
            f"{scores['noise_share']:.0%} of the bins are noise before soft assignment: try a smaller [clusters] "
            "min_samples or smallest, or longer sessions"
        )
    return messages


def _accuracy_warnings(scores: Mapping[str, Any]) -> list[str]:
    blocks = scores["held_out_blocks"]
    if blocks is not None and blocks < scores["held_out_random"] - MAX_LOSS_ON_BLOCKS:
        return [
            f"accuracy is {blocks:.3f} on held-out time blocks (labels from the full embedding) and "
            f"{scores['held_out_random']:.3f} on held-out random bins: labels depend on time more than on movement; "
            "add sessions, or try a larger [clusters] smallest"
        ]
    return []
