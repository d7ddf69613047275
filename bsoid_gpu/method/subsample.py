"""Training bins: a sample, if there are more bins than the embedding can take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import array_api_compat.numpy as xp
import numpy as np

from bsoid_gpu.kernels.counter_rng import SAMPLE, uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray


def training_bins(session_bins: Sequence[int], max_bins: int, seed: int) -> list[NDArray[np.int64]]:
    """Training bins of each session: all, or a sample that is even over sessions and over time.

    Each session contributes its share of the sample. It is divided into as many intervals as it contributes bins,
    equal up to one bin, and one random bin of each interval is taken.

    Parameters
    ----------
    session_bins
        Bins of each session.
    max_bins
        Largest number of bins.
    seed
        Seed of the random numbers.

    Returns
    -------
    list[NDArray]
        (training bins,) int64 of each session, ascending.
    """
    total = sum(session_bins)
    if total <= max_bins:
        return [np.arange(bins) for bins in session_bins]
    ends = np.cumsum([0, *session_bins]) * max_bins // total  # ends of the sessions in the sample, without remainders
    random = uniform(xp, max_bins, seed, SAMPLE).astype(np.float64)
    chosen = []
    for bins, begin, end in zip(session_bins, ends[:-1], ends[1:], strict=True):
        edges = np.arange(end - begin + 1) * bins // max(end - begin, 1)
        chosen.append(edges[:-1] + (random[begin:end] * np.diff(edges)).astype(np.int64))
    return chosen
