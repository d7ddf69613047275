"""Medians and quantiles in the array API standard, which has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace
from array_api_compat import device as device_of

if TYPE_CHECKING:
    from bsoid_gpu.typing import Array


def count(true: Array) -> Array:
    """Number of true rows: (columns,) int64 from (rows, columns) bool."""
    xp = array_namespace(true)
    return xp.sum(xp.astype(true, xp.int64), axis=0)


def median(values: Array) -> Array:
    """Median of a vector without NaN, as an array without axes."""
    xp = array_namespace(values)
    return column_medians(values[:, None], xp.ones_like(values[:, None], dtype=xp.bool))[0]


def column_medians(values: Array, counted: Array) -> Array:
    """Median of the counted values of each column: (columns,) from (rows, columns); infinite without any."""
    rows, number = ordered(values, counted), count(counted)
    return (ranked(rows, (number - 1) // 2) + ranked(rows, number // 2)) / 2


def ordered(values: Array, counted: Array) -> Array:
    """Counted values of each column, ascending, and infinity for the others: (rows, columns)."""
    xp = array_namespace(values)
    return xp.sort(xp.where(counted, values, xp.inf), axis=0, stable=False)


def ranked(rows: Array, rank: Array) -> Array:
    """Value of each column at its rank (columns,), in ordered rows: (columns,) from (rows, columns)."""
    xp = array_namespace(rows)
    length, columns = rows.shape
    inside = xp.minimum(xp.maximum(rank, 0), length - 1)
    column = xp.arange(columns, device=device_of(rows))
    return xp.take(xp.reshape(rows, (length * columns,)), inside * columns + column)
