"""Warnings where the result should not be trusted, each with a setting to try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MAX_SESSION_INFORMATION = 0.5
MIN_CLUSTERS = 4
MAX_LABEL_SHARE = 0.5
MAX_NOISE_SHARE = 0.5
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


def warnings(scores: Mapping[str, Any], standardise: str) -> list[str]:
    """Reasons not to trust the result, a sentence each with the setting to try; empty for a good result.

    Parameters
    ----------
    scores
        ``clusters``, ``noise_share``, ``largest_label_share``, ``session_information``, ``held_out_random`` and
        ``held_out_blocks``.
    standardise
        The scale in use, ``"session"`` or ``"global"``.
    """
    messages = []
    if scores["session_information"] > MAX_SESSION_INFORMATION:
        remedy = (
            'try [features] standardise = "session"'
            if standardise == "global"
            else "look for sessions with another camera, arena or animal size, and build them separately"
        )
        messages.append(
            "the clusters follow sessions more than behaviours: the labels carry "
            f"{scores['session_information']:.0%} of the information about the session; {remedy}"
        )
    if scores["clusters"] < MIN_CLUSTERS:
        messages.append(
            f'only {scores["clusters"]} clusters: try [clusters] selection = "leaf" or a smaller [clusters] smallest'
        )
    if scores["largest_label_share"] > MAX_LABEL_SHARE:
        messages.append(
            f'one label takes {scores["largest_label_share"]:.0%} of the time: try [clusters] selection = "leaf", '
            "or check the tracking of still animals"
        )
    if scores["noise_share"] > MAX_NOISE_SHARE:
        messages.append(
            f"{scores['noise_share']:.0%} of the bins are noise before soft assignment: try a smaller [clusters] "
            "min_samples or smallest, or longer sessions"
        )
    blocks = scores["held_out_blocks"]
    if blocks is not None and blocks < scores["held_out_random"] - MAX_LOSS_ON_BLOCKS:
        messages.append(
            f"accuracy is {blocks:.3f} on held-out time blocks (labels from the full embedding) and "
            f"{scores['held_out_random']:.3f} on held-out random bins: labels depend on time more than on movement; "
            "add sessions, or try a larger [clusters] smallest"
        )
    return messages
