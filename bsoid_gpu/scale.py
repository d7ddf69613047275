"""Columns on one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Array

CONSTANT = 1e-12  # a deviation below this share of the mean is what rounding leaves of a constant


def scale_of(features: Array) -> tuple[Array, Array]:
    """Mean and population standard deviation of each column, (columns,) float64 each; 1 where a column is constant."""
    xp = array_namespace(features)
    features = xp.astype(features, xp.float64)
    mean, deviation = xp.mean(features, axis=0), xp.std(features, axis=0)
    varies = deviation > CONSTANT * xp.abs(mean)
    return mean, xp.where(varies, deviation, xp.ones_like(deviation))


def standardise(features: Array, mean: Array, deviation: Array) -> Array:
    """Columns with mean 0 and standard deviation 1, by a scale of :func:`scale_of`: float64."""
    xp = array_namespace(features)
    return (xp.astype(features, xp.float64) - mean) / deviation
