"""Initial positions of an embedding, the same on every array library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.kernels.counter_rng import START, uniform

if TYPE_CHECKING:
    from bsoid_gpu.typing import Array

EXTENT = 10.0  # of the initial positions in each dimension, as in umap-learn
NOISE = 1e-4  # of the initial positions, so that equal bins start at different positions
TINY = 2.0**-60  # instead of 0 if all bins are equal
ROUNDING = 2.0**-52  # of float64
DEVIATION = 1e-4  # of the first of t-SNE's initial coordinates, as in scikit-learn


def principal_components(scaled: Array, dimensions: int, seed: int) -> Array:
    """Initial positions of the bins: their coordinates along the principal components of the features.

    Each dimension spans 0 to 10. The sign of a component makes its largest loading positive. Dimensions beyond the
    number of columns are noise.

    Parameters
    ----------
    scaled
        (bins, columns).
    dimensions
        Dimensions of the embedding.
    seed
        Seed of the noise.

    Returns
    -------
    Array
        (bins, dimensions) float32.
    """
    xp = array_namespace(scaled)
    positions = _coordinates(scaled, dimensions, seed)
    low, high = xp.min(positions, axis=0), xp.max(positions, axis=0)
    return xp.astype(EXTENT * (positions - low) / (high - low), xp.float32)


def small_principal_components(scaled: Array, dimensions: int, seed: int) -> Array:
    """Initial positions as of :func:`principal_components`, but centred, small, and with equal units.

    The first coordinate has a standard deviation of 1e-4, as t-SNE needs it; the others keep their ratio to it.

    Parameters
    ----------
    scaled, dimensions, seed
        As of :func:`principal_components`.

    Returns
    -------
    Array
        (bins, dimensions) float32.
    """
    xp = array_namespace(scaled)
    positions = _coordinates(scaled, dimensions, seed)
    positions = positions - xp.mean(positions, axis=0)
    return xp.astype(DEVIATION * positions / xp.std(positions[:, 0]), xp.float32)


def components_for(scaled: Array, variance: float) -> Array:
    """Number of principal components that have at least this share of the variance of the features.

    Parameters
    ----------
    scaled
        (bins, columns).
    variance
        Share of the sum of the variances of all columns.

    Returns
    -------
    Array
        One integer, at least 1; 1 also if nothing varies.
    """
    xp = array_namespace(scaled)
    bins, columns = scaled.shape
    centred = scaled - xp.mean(scaled, axis=0)
    variances = xp.flip(xp.linalg.eigvalsh(centred.T @ centred / bins))  # descending
    shares = xp.cumulative_sum(variances) / (xp.sum(variances) + TINY)
    too_few = shares < variance * (1.0 - columns * ROUNDING)  # a share that is met exactly may be rounded down
    return 1 + xp.sum(xp.astype(too_few[: columns - 1], xp.int64))


def _coordinates(scaled: Array, dimensions: int, seed: int) -> Array:
    """Coordinates along the principal components, with some noise: (bins, dimensions) float64."""
    xp = array_namespace(scaled)
    bins, columns = scaled.shape
    centred = scaled - xp.mean(scaled, axis=0)
    _, vectors = xp.linalg.eigh(centred.T @ centred / bins)  # ascending
    vectors = xp.flip(vectors, axis=1)[:, : min(dimensions, columns)]
    largest = xp.max(xp.where(xp.abs(vectors) == xp.max(xp.abs(vectors), axis=0), vectors, -xp.inf), axis=0)
    positions = centred @ (vectors * xp.sign(largest))
    if dimensions > columns:
        zeros = xp.zeros((bins, dimensions - columns), dtype=positions.dtype, device=device_of(positions))
        positions = xp.concat([positions, zeros], axis=1)
    noise = uniform(xp, bins * dimensions, seed, START, device_of(scaled))
    amplitude = NOISE / EXTENT * xp.max(xp.abs(positions)) + TINY
    return positions + amplitude * (2.0 * xp.astype(xp.reshape(noise, (bins, dimensions)), positions.dtype) - 1.0)
