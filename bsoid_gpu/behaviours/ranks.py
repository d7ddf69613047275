"""Ranks of samples: medians, areas under the ROC curve and correlations of many groups from one sorting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

LEVELS = (0.25, 0.5, 0.75)
CLASSES = 256  # of the ranks, for the comparison of all pairs of groups


@dataclass(frozen=True, eq=False)
class Ranked:
    """Samples and their ranks.

    Parameters
    ----------
    values
        (samples, columns), NaN where unknown.
    ranks
        (samples, columns) ranks from 1 among the known values of the column, ties with their mean; NaN where unknown.
    """

    values: Values
    ranks: Values

    @classmethod
    def of(cls, values: Values) -> Ranked:
        """Rank each column."""
        return cls(values, np.stack([_ranks(column) for column in values.T], axis=1) if values.size else values * 1.0)

    @property
    def columns(self) -> int:
        """Number of columns."""
        return int(self.values.shape[1])

    def quantiles(self, own: NDArray[np.bool_]) -> Values:
        """Quartiles and median of the chosen samples, without unknown values: (3, columns)."""
        chosen = np.sort(self.values[own], axis=0)  # NaN last
        known = np.sum(np.isfinite(chosen), axis=0)
        if not len(chosen):
            return np.full((len(LEVELS), self.columns), np.nan)
        place = np.array(LEVELS)[:, None] * np.maximum(known - 1, 0)
        low = np.floor(place).astype(np.int64)
        high = np.minimum(low + 1, np.maximum(known - 1, 0))
        first, second = (np.take_along_axis(chosen, index, axis=0) for index in (low, high))
        return np.where(known > 0, first + (place - low) * (second - first), np.nan)

    def auc(self, own: NDArray[np.bool_], others: NDArray[np.bool_]) -> Values:
        """Probability that a sample of ``own`` is larger than one of ``others``, ties counting half: (columns,).

        From the ranks (Mann and Whitney 1947), which are ranked again if the two are not all samples.
        """
        if not own.any() or not others.any():
            return np.full(self.columns, np.nan)
        both = own | others
        table = self.ranks if both.all() else Ranked.of(self.values[both]).ranks
        inside = own if both.all() else own[both]
        known = np.isfinite(table)
        own_count = known[inside].sum(axis=0)
        other_count = known.sum(axis=0) - own_count
        sums = np.where(known[inside], table[inside], 0.0).sum(axis=0)
        pairs = own_count * other_count
        return np.where(pairs > 0, (sums - own_count * (own_count + 1) / 2) / np.where(pairs > 0, pairs, 1), np.nan)

    def pair_auc(self, groups: NDArray[np.bool_]) -> Values:
        """AUC of each group (groups, samples) against each other: (groups, groups, columns).

        Ranks are counted in 256 classes, within which values count as equal: the error is below 1/256.
        """
        result = np.full((len(groups), len(groups), self.columns), np.nan)
        for column in range(self.columns):
            rank = self.ranks[:, column]
            known = np.isfinite(rank)
            if not known.any():
                continue
            share = (rank[known] - 0.5) / known.sum()
            kind = np.minimum((share * CLASSES).astype(np.int64), CLASSES - 1)
            counts = np.stack([np.bincount(kind[own[known]], minlength=CLASSES) for own in groups]).astype(float)
            total = counts.sum(axis=1, keepdims=True)
            counts = counts / np.where(total > 0, total, np.nan)
            below = np.cumsum(counts, axis=1) - 0.5 * counts
            result[:, :, column] = counts @ below.T
        return result

    def correlation(self) -> Values:
        """Correlation of the ranks, over samples in which both are known, 0 where it is not defined."""
        if not len(self.ranks):
            return np.zeros((self.columns, self.columns))
        known = np.isfinite(self.ranks)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(known, self.ranks, 0).sum(axis=0) / known.sum(axis=0)
            centred = np.where(known, self.ranks - mean, 0.0)
            spread = np.sqrt(np.sum(centred * centred, axis=0))
            matrix = centred.T @ centred / (spread[:, None] * spread)
        return np.nan_to_num(matrix)


def _ranks(column: Values) -> Values:
    """Ranks from 1, ties with their mean, NaN where unknown."""
    result = np.full(len(column), np.nan)
    known = np.flatnonzero(np.isfinite(column))
    order = known[np.argsort(column[known], kind="stable")]
    values = column[order]
    if not len(values):
        return result
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    stops = np.append(starts[1:], len(values))
    result[order] = np.repeat((starts + 1 + stops) / 2, stops - starts)
    return result
