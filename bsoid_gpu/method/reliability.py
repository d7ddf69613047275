"""When the result should not be trusted, and which setting to try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SESSION_INFORMATION = 0.5
FEW_CLUSTERS = 4
MOST_OF_THE_TIME = 0.5
NOISE = 0.5
BLOCKS_BELOW_RANDOM = 0.1


def session_information(labels: NDArray[np.int64], session: NDArray[np.int64]) -> float:
    """How much of the session a label tells: I(label; session) / H(session).

    0 where every session has the same mix of behaviours, 1 where the label gives the session away.

    Parameters
    ----------
    labels, session
        (bins,) label and number of the session.
    """
    if session.min() == session.max():
        return 0.0  # one session: nothing to tell
    counts = np.zeros((int(labels.max()) + 1, int(session.max()) + 1), dtype=np.int64)
    np.add.at(counts, (labels, session), 1)
    joint = counts / len(labels)
    of_label, of_session = joint.sum(axis=1, keepdims=True), joint.sum(axis=0, keepdims=True)
    entropy = -float(np.sum(of_session[of_session > 0] * np.log(of_session[of_session > 0])))
    there = joint > 0
    information = float(np.sum(joint[there] * np.log(joint[there] / (of_label * of_session)[there])))
    return information / entropy


def warnings(scores: Mapping[str, Any], standardise: str) -> list[str]:
    """What speaks against the result, a sentence each with the setting to try; none where nothing does.

    Parameters
    ----------
    scores
        ``clusters``, ``noise_share``, ``largest_label_share``, ``session_information``, ``held_out_random`` and
        ``held_out_blocks``.
    standardise
        The scale in use, ``"session"`` or ``"global"``.
    """
    found = []
    if scores["session_information"] > SESSION_INFORMATION:
        way_out = (
            'try [features] standardise = "session"'
            if standardise == "global"
            else "look for sessions with another camera, arena or animal size, and build them apart"
        )
        found.append(
            f"the clusters are rather sessions than behaviours: a label tells {scores['session_information']:.0%} of "
            f"which session a bin is from; {way_out}"
        )
    if scores["clusters"] < FEW_CLUSTERS:
        found.append(
            f'only {scores["clusters"]} clusters: try [clusters] selection = "leaf" or a smaller [clusters] smallest'
        )
    if scores["largest_label_share"] > MOST_OF_THE_TIME:
        found.append(
            f'one label holds {scores["largest_label_share"]:.0%} of the time: try [clusters] selection = "leaf", '
            "or check the tracking of still animals"
        )
    if scores["noise_share"] > NOISE:
        found.append(
            f"{scores['noise_share']:.0%} of the bins are noise before soft assignment: try a smaller [clusters] "
            "min_samples or smallest, or longer sessions"
        )
    blocks = scores["held_out_blocks"]
    if blocks is not None and blocks < scores["held_out_random"] - BLOCKS_BELOW_RANDOM:
        found.append(
            f"held-out accuracy is {blocks:.3f} on time spans never seen against {scores['held_out_random']:.3f} on "
            "random bins: the labels follow the moment more than the movement; give more sessions, or a larger "
            "[clusters] smallest"
        )
    return found
