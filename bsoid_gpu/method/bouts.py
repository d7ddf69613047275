"""What happened when: bouts, shares of time, durations and transitions, from the label of each frame."""

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
    """Runs of one label; together they hold every frame once.

    Parameters
    ----------
    labels
        (frames,) label of each frame; without frames there are no rows.
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
        (frames,) label of each frame, -1 where not sure.
    fps
        Frames per second.
    n_labels
        Labels of the model: each gets a row, and -1 gets the last one where it occurs. Without a number, only the
        labels that occur get one.

    Returns
    -------
    pd.DataFrame
        label, frames, share, bouts, mean_s, q10_s, q25_s, median_s, q75_s, q90_s; durations of a label that never
        occurs are missing.

    Raises
    ------
    BadInput
        A label that is none of the model's.
    """
    found = bouts(labels, fps)
    rows = []
    for label in _all_labels(labels, n_labels):
        durations = found.loc[found["label"] == label, "duration_s"].to_numpy()
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
        (frames,) label of each frame, -1 where not sure.
    n_labels
        Labels of the model: each gets a row and a column, and -1 gets the last ones where it occurs.

    Returns
    -------
    pd.DataFrame
        Row: the label now; column: the label in the next frame. Rows sum to 1, or are missing where nothing follows.

    Raises
    ------
    BadInput
        A label that is none of the model's.
    """
    names = _all_labels(labels, n_labels)
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (labels[:-1], labels[1:]), 1)  # -1 counts from the end, where its row and column are
    total = counts.sum(axis=1, keepdims=True)
    return pd.DataFrame(counts / np.where(total > 0, total, np.nan), index=names, columns=[str(name) for name in names])


def _all_labels(labels: NDArray[np.int64], n_labels: int | None) -> list[int]:
    """Labels of the model, or without their number those that occur: ascending, -1 last and only where it occurs."""
    found = np.unique(labels).tolist()
    known = list(range(n_labels)) if n_labels is not None else [label for label in found if label >= 0]
    foreign = [label for label in found if label != UNSURE and label not in known]
    if foreign:
        most = max(known, default=UNSURE)
        msg = f"labels {', '.join(map(str, foreign))} are not of this model; expected {UNSURE} to {most}"
        raise BadInput(msg)
    return [*known, *([UNSURE] if UNSURE in found else [])]
