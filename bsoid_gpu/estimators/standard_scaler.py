"""Standardised columns: mean 0 and standard deviation 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace
from array_api_compat import device as device_of

if TYPE_CHECKING:
    from bsoid_gpu.typing import Array

CONSTANT = 1e-12  # by rounding, a constant column has a deviation up to this share of its largest absolute value
FLOOR = (
    1e-9  # px or degrees: far below the resolution of a tracker, far above the rounding of a difference of positions
)


def scale_of(features: Array, *, floor: float = FLOOR) -> tuple[Array, Array]:
    """Mean and population standard deviation of each column; 1 for the deviation of a constant column.

    A column is constant if its deviation is no larger than rounding: :data:`CONSTANT` times its largest absolute value,
    or ``floor``. The former applies to a large constant, the latter to differences that should be 0.

    Parameters
    ----------
    features
        (rows, columns). Without rows the mean is 0 and every column is constant.
    floor
        Smallest deviation of a column that varies, in the unit of the columns.

    Returns
    -------
    tuple[Array, Array]
        Mean and deviation, (columns,) float64 each.
    """
    xp = array_namespace(features)
    features = xp.astype(features, xp.float64, copy=False)
    if features.shape[0] == 0:
        zeros = xp.zeros(features.shape[1], dtype=xp.float64, device=device_of(features))
        return zeros, zeros + 1.0
    mean, deviation = xp.mean(features, axis=0), xp.std(features, axis=0)
    largest = xp.max(xp.abs(features), axis=0)
    varies = (deviation > CONSTANT * largest) & (deviation > floor)
    return mean, xp.where(varies, deviation, xp.ones_like(deviation))


def standardise(features: Array, mean: Array, deviation: Array) -> Array:
    """Columns of mean 0 and standard deviation 1, from the result of :func:`scale_of`: float64."""
    xp = array_namespace(features)
    return (xp.astype(features, xp.float64, copy=False) - mean) / deviation
