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
    orders
        Of each column, the samples with known values, ascending.
    """

    values: Values
    ranks: Values
    orders: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, values: Values) -> Ranked:
        """Rank each column."""
        orders = tuple(_order(column) for column in values.T)
        ranks = [_ranks(column, order) for column, order in zip(values.T, orders, strict=True)]
        return cls(values, np.stack(ranks, axis=1) if ranks else values * 1.0, orders)

    @property
    def columns(self) -> int:
        """Number of columns."""
        return int(self.values.shape[1])

    def quantiles(self, own: NDArray[np.bool_]) -> Values:
        """Quartiles and median of the chosen samples, without unknown values: (3, columns)."""
        result = np.full((len(LEVELS), self.columns), np.nan)
        for column, order in enumerate(self.orders):
            place = order[own[order]]
            if len(place):
                at = np.array(LEVELS) * (len(place) - 1)
                low, high = (
                    self.values[place[round_to(at).astype(np.int64)], column] for round_to in (np.floor, np.ceil)
                )
                result[:, column] = low + (at - np.floor(at)) * (high - low)
        return result

    def share_below(self, own: NDArray[np.bool_]) -> Values:
        """Share of the samples outside ``own`` that are below each of ``own``, ties counting half: (own, columns).

        Its mean is the area under the ROC curve of ``own`` against the rest (Mann and Whitney 1947): the rank of a
        sample among all, less its rank among ``own``, counts the others below it.
        """
        inside = self.ranks[own]
        others = np.isfinite(self.ranks).sum(axis=0) - np.isfinite(inside).sum(axis=0)
        among_own = np.stack([_ranks(column, _order(column)) for column in inside.T], axis=1) if inside.size else inside
        return (inside - among_own) / np.where(others > 0, others, np.nan)

    def pair_auc(self, groups: NDArray[np.bool_]) -> Values:
        """AUC of each group (groups, samples) against each other: (groups, groups, columns).

        Ranks are counted in 256 classes, within which values count as equal: the error is below 1/256.
        """
        result = np.full((len(groups), len(groups), self.columns), np.nan)
        for column in range(self.columns):
            rank = self.ranks[:, column]
            known = np.isfinite(rank)
            if not known.any() or not len(groups):
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


def _order(column: Values) -> NDArray[np.int64]:
    known = np.flatnonzero(np.isfinite(column))
    return known[np.argsort(column[known], kind="stable")]


def _ranks(column: Values, order: NDArray[np.int64]) -> Values:
    """Ranks from 1, ties with their mean, NaN where unknown."""
    result = np.full(len(column), np.nan)
    values = column[order]
    if not len(values):
        return result
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    stops = np.append(starts[1:], len(values))
    result[order] = np.repeat((starts + 1 + stops) / 2, stops - starts)
    return result


def mean_of_known(values: Values) -> Values:
    """Mean of the rows (rows, columns) without NaN: (columns,), NaN where all are."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
