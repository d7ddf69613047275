"""Bouts, shares of time, durations and transitions, from the label of each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNSURE = -1
QUANTILES = {"q10_s": 0.1, "q25_s": 0.25, "median_s": 0.5, "q75_s": 0.75, "q90_s": 0.9}
SUMMARY = ("label", "frames", "share", "bouts", "mean_s", *QUANTILES)


class Labels(NamedTuple):
    """Labels of the frames of a session.

    ``labels`` (frames,), -1 where the confidence is too low; ``fps`` frames per second; ``frame_numbers`` (frames,) of
    the video, ascending; ``observed`` (frames,) bool, frames that show the animal: the others are in no bout;
    ``start_s`` is the time of frame 0.
    """

    labels: NDArray[np.int64]
    fps: float
    frame_numbers: NDArray[np.int64]
    observed: NDArray[np.bool_]
    start_s: float = 0.0


def bouts(session: Labels) -> pd.DataFrame:
    """Runs of one label; each observed frame is in exactly one bout, and no bout spans a gap.

    Returns
    -------
    pd.DataFrame
        label, start_frame, stop_frame (exclusive), start_s, stop_s, duration_s; in the order of time. Frames are those
        of the video.
    """
    labels, number, observed = session.labels, session.frame_numbers, session.observed
    changes = np.flatnonzero((np.diff(labels) != 0) | (np.diff(number) != 1) | (np.diff(observed) != 0)) + 1
    first = np.concatenate([np.zeros(min(1, len(labels)), dtype=np.int64), changes])
    last = np.concatenate([changes - 1, np.full(min(1, len(labels)), len(labels) - 1, dtype=np.int64)])
    first, last = first[observed[first]], last[observed[first]]
    start, stop = number[first], number[last] + 1
    return pd.DataFrame(
        {
            "label": labels[first],
            "start_frame": start,
            "stop_frame": stop,
            "start_s": session.start_s + start / session.fps,
            "stop_s": session.start_s + stop / session.fps,
            "duration_s": (stop - start) / session.fps,
        }
    )


def summary(session: Labels, n_labels: int | None = None) -> pd.DataFrame:
    """Share of the observed frames and durations of bouts, for each label.

    Parameters
    ----------
    session
        Labels of the frames.
    n_labels
        Number of labels of the model: each gets a row, and -1 the last one if it occurs. Without it, only labels that
        occur get a row.

    Returns
    -------
    pd.DataFrame
        label, frames, share, bouts, mean_s, q10_s, q25_s, median_s, q75_s, q90_s; durations of a label that does
        not occur are missing.

    Raises
    ------
    BadInput
        A label that the model does not have.
    """
    labels = session.labels[session.observed]
    runs = bouts(session)
    rows = []
    for label in _all_labels(labels, n_labels):
        durations = runs.loc[runs["label"] == label, "duration_s"].to_numpy()
        frames = int(np.sum(labels == label))
        row = {
            "label": label,
            "frames": frames,
            "share": frames / max(len(labels), 1),
            "bouts": len(durations),
            "mean_s": durations.mean() if len(durations) else np.nan,
        }
        row |= {name: np.quantile(durations, q) if len(durations) else np.nan for name, q in QUANTILES.items()}
        rows.append(row)
    return pd.DataFrame(rows, columns=list(SUMMARY))


def transitions(session: Labels, n_labels: int) -> pd.DataFrame:
    """How often each label follows each label from one observed frame of the video to the next.

    Parameters
    ----------
    session
        Labels of the frames.
    n_labels
        Number of labels of the model: each gets a row and a column, and -1 the last ones if it occurs.

    Returns
    -------
    pd.DataFrame
        Row: the label of a frame; column: the label of the next one. Rows sum to 1, or are missing if no frame follows.

    Raises
    ------
    BadInput
        A label that the model does not have.
    """
    labels, observed = session.labels, session.observed
    names = _all_labels(labels[observed], n_labels)
    follows = observed[:-1] & observed[1:] & (np.diff(session.frame_numbers) == 1)
    counts = np.zeros((len(names), len(names)))
    before, after = labels[:-1][follows], labels[1:][follows]
    np.add.at(counts, (before, after), 1)  # -1 counts from the end, where its row and column are
    total = counts.sum(axis=1, keepdims=True)
    return pd.DataFrame(counts / np.where(total > 0, total, np.nan), index=names, columns=[str(name) for name in names])


def _all_labels(labels: NDArray[np.int64], n_labels: int | None) -> list[int]:
    """Labels of the model, or those that occur if their number is unknown: ascending, -1 last and only if it occurs."""
    occurring = np.unique(labels).tolist()
    known = list(range(n_labels)) if n_labels is not None else [label for label in occurring if label >= 0]
    foreign = [label for label in occurring if label != UNSURE and label not in known]
    if foreign:
        largest = max(known, default=UNSURE)
        msg = f"labels {', '.join(map(str, foreign))} are not labels of this model; expected {UNSURE} to {largest}"
        raise BadInput(msg)
    return [*known, *([UNSURE] if UNSURE in occurring else [])]
