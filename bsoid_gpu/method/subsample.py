"""Which bins are learnt from, where there are more than the embedding can take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import array_api_compat.numpy as xp
import numpy as np

from bsoid_gpu.kernels.counter_rng import SAMPLE, uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray


def training_bins(session_bins: Sequence[int], most: int, seed: int) -> list[NDArray[np.int64]]:
    """Bins to learn from, by session: all of them, or a sample that is even over sessions and over time.

    Each session gives its share of the sample. It is parted into as many stretches of time as it gives bins, equally
    long up to one bin, and one bin of each stretch is drawn at random.

    Parameters
    ----------
    session_bins
        Bins of each session.
    most
        Size of the sample where there are more bins.
    seed
        Of the draws.

    Returns
    -------
    list[NDArray]
        (taken,) int64 of each session, ascending.
    """
    total = sum(session_bins)
    if total <= most:
        return [np.arange(bins) for bins in session_bins]
    ends = np.cumsum([0, *session_bins]) * most // total  # of the sessions in the sample: shares without a remainder
    drawn = uniform(xp, most, seed, SAMPLE).astype(np.float64)
    chosen = []
    for bins, begin, end in zip(session_bins, ends[:-1], ends[1:], strict=True):
        edges = np.arange(end - begin + 1) * bins // max(end - begin, 1)
        chosen.append(edges[:-1] + (drawn[begin:end] * np.diff(edges)).astype(np.int64))
    return chosen
