"""Bouts, shares of time, durations and transitions, from the label of each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNSURE = -1
QUANTILES = {"q10_s": 0.1, "q25_s": 0.25, "median_s": 0.5, "q75_s": 0.75, "q90_s": 0.9}
SUMMARY = ("label", "frames", "share", "bouts", "mean_s", *QUANTILES)


def bouts(labels: NDArray[np.int64], fps: float) -> pd.DataFrame:
    """Runs of one label; each frame is in exactly one bout.

    Parameters
    ----------
    labels
        (frames,) label of each frame; no frames give no rows.
    fps
        Frames per second.

    Returns
    -------
    pd.DataFrame
        label, start_frame, stop_frame (exclusive), start_s, stop_s, duration_s; in the order of time.
    """
    changes = np.flatnonzero(np.diff(labels)) + 1
    start = np.concatenate([np.zeros(min(1, len(labels)), dtype=np.int64), changes])
    stop = np.concatenate([changes, np.full(min(1, len(labels)), len(labels), dtype=np.int64)])
    return pd.DataFrame(
        {
            "label": labels[start],
            "start_frame": start,
            "stop_frame": stop,
            "start_s": start / fps,
            "stop_s": stop / fps,
            "duration_s": (stop - start) / fps,
        }
    )


def summary(labels: NDArray[np.int64], fps: float, n_labels: int | None = None) -> pd.DataFrame:
    """Share of time and durations of bouts, for each label.

    Parameters
    ----------
    labels
        (frames,) label of each frame, -1 where the confidence is too low.
    fps
        Frames per second.
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
    runs = bouts(labels, fps)
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


def transitions(labels: NDArray[np.int64], n_labels: int) -> pd.DataFrame:
    """How often each label follows each label from one frame to the next.

    Parameters
    ----------
    labels
        (frames,) label of each frame, -1 where the confidence is too low.
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
    names = _all_labels(labels, n_labels)
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (labels[:-1], labels[1:]), 1)  # -1 counts from the end, where its row and column are
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
