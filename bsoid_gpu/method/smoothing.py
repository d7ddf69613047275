"""Labels smoothed in time: the most probable sequence of labels for a session that is complete (Viterbi 1967).

A label depends on what comes before it *and after* it, so that this is not for labels while the animal is filmed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

LEAST = 1e-6  # is added to every probability: a classifier is never certain
BLOCK, WARM_UP = 384, 128  # frames: blocks are computed side by side, each from some frames before its own
LEAST_SUPPORT = 0.15  # mean probability of a label over its bout
MAX_UNSUPPORTED = 0.02  # share of the frames


class Steps(NamedTuple):
    """Log probabilities of the next frame's label: ``stay`` the same, ``switch`` to any one of the others."""

    stay: float
    switch: float


def smoothing_problems(stay: object) -> list[str]:
    """A sentence if the probability to stay is neither 0 nor a number from 0.5 to below 1."""
    if isinstance(stay, int | float) and (stay == 0 or 0.5 <= stay < 1.0):
        return []
    return [f"the smoothing is {stay!r}; expected 0 (off), or 0.5 to below 1, for example --smooth 0.97"]


def smoothed_labels(probabilities: NDArray[np.float32], stay: float, weight: float) -> NDArray[np.int64]:
    """Most probable sequence of labels, given the classifier's probabilities of each frame.

    The label stays the same from a frame to the next with the probability s, and changes to each of the K - 1 others
    with (1 - s) / (K - 1). A frame contributes ``weight * log(p + 1e-6)``. Of equal sequences that which changes later
    wins, and of equal labels the smaller.

    Parameters
    ----------
    probabilities
        (frames, labels) of successive frames.
    stay
        The probability s, from 0.5 to below 1.
    weight
        1 / (frames of a window), since the windows of successive frames overlap: those of one window are one piece of
        evidence.

    Returns
    -------
    NDArray
        (frames,) int64.
    """
    frames, labels = probabilities.shape
    if labels < 2 or frames == 0:
        return np.zeros(frames, dtype=np.int64)
    steps = Steps(math.log(stay), math.log((1.0 - stay) / (labels - 1)))
    return _best_sequence(_best_scores(_evidence(probabilities, weight), steps), steps, frames)


def _evidence(probabilities: NDArray[np.float32], weight: float) -> NDArray[np.float64]:
    """Weighted log probabilities, frames in blocks: (BLOCK, labels, blocks); after the last frame all are equal."""
    frames, labels = probabilities.shape
    whole = frames // BLOCK
    blocks = np.ones((BLOCK, labels, whole + 1), dtype=np.float32)
    blocks[:, :, :whole] = probabilities[: whole * BLOCK].reshape(whole, BLOCK, labels).transpose(1, 2, 0)
    blocks[: frames - whole * BLOCK, :, whole] = probabilities[whole * BLOCK :]
    evidence = np.log(blocks + np.float32(LEAST))  # of float32: four times faster
    return evidence.astype(np.float64) * weight


def _best_scores(evidence: NDArray[np.float64], steps: Steps) -> NDArray[np.float64]:
    """Log probability of the best sequence that ends with each label, less that of the best of all, for each frame.

    Each frame needs the one before it. Blocks of frames are nevertheless computed side by side, each from equal scores
    some frames before its own: a score depends only on what follows the last change of its sequence, so that the scores
    before a block are, as a rule, the same numbers as at the end of the block before. Where they are not, the block is
    computed again from those.

    Returns
    -------
    NDArray
        (BLOCK, labels, blocks) float64, at most 0.
    """
    scores = np.empty_like(evidence)
    before = np.zeros(evidence.shape[1:])
    _advance(before[:, 1:], evidence[BLOCK - WARM_UP :, :, :-1], steps)
    _advance(before.copy(), evidence, steps, scores)
    for _ in range(evidence.shape[2]):  # each time at least one more block is right
        ends = scores[-1, :, :-1]
        again = 1 + np.flatnonzero((before[:, 1:] != ends).any(axis=0))
        if len(again) == 0:
            break
        before[:, again] = ends[:, again - 1]
        part = np.empty((BLOCK, evidence.shape[1], len(again)))
        _advance(before[:, again], evidence[:, :, again], steps, part)
        scores[:, :, again] = part
    return scores


def _advance(
    current: NDArray[np.float64], evidence: NDArray[np.float64], steps: Steps, scores: NDArray[Any] | None = None
) -> None:
    """Replace scores (labels, blocks) by those after each row of ``evidence``, and keep all of them in ``scores``."""
    for i, row in enumerate(evidence):
        current += steps.stay
        np.maximum(current, steps.switch, out=current)
        current += row
        current -= current.max(axis=0)
        if scores is not None:
            scores[i] = current


def _best_sequence(scores: NDArray[np.float64], steps: Steps, frames: int) -> NDArray[np.int64]:
    """The best sequence (frames,), from its end, one bout after another."""
    sequence = np.empty(frames, dtype=np.int64)
    changes: dict[int, NDArray[np.int64]] = {}  # by label: frames before which the best sequence to it changes
    stop = frames
    while stop > 0:
        block, row = divmod(stop - 1, BLOCK)
        label = int(np.argmax(scores[row, :, block]))
        if label not in changes:
            changed = scores[:, label, :] + steps.stay < steps.switch
            changes[label] = np.flatnonzero(changed.T.reshape(-1)[:frames]) + 1
        number = int(np.searchsorted(changes[label], stop - 1, side="right"))
        start = int(changes[label][number - 1]) if number else 0
        sequence[start:stop] = label
        stop = start
    return sequence


def support_warning(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> list[str]:
    """A sentence if smoothing gave many frames labels that the classifier hardly ever gives them.

    It happens where more labels than can be distinguished alternate fast, as the phases of strides do: each change
    costs, and a label that is a little probable all the time is cheaper than all of them.

    Parameters
    ----------
    probabilities
        (frames, labels) of the classifier.
    labels
        (frames,) smoothed; frames with -1 do not count.
    """
    known = labels >= 0
    if not known.any():
        return []
    own = np.where(known, np.take_along_axis(probabilities, np.maximum(labels, 0)[:, None], axis=1)[:, 0], 0.0)
    first = np.concatenate([[0], np.flatnonzero(np.diff(labels)) + 1])
    length = np.diff(first, append=len(labels))
    unsupported = known[first] & (np.add.reduceat(own, first) < LEAST_SUPPORT * length)
    share = float(length[unsupported].sum() / known.sum())
    if share <= MAX_UNSUPPORTED:
        return []
    return [
        f"in {share:.0%} of the frames the smoothed label has a mean probability below {LEAST_SUPPORT:g} over its "
        "bout: the labels alternate too fast to be smoothed; build with fewer clusters (a larger [clusters] "
        "smallest), or take the classifier's labels with --smooth 0"
    ]
