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
    positions = positions + amplitude * (2.0 * xp.astype(xp.reshape(noise, (bins, dimensions)), positions.dtype) - 1.0)
    low, high = xp.min(positions, axis=0), xp.max(positions, axis=0)
    return xp.astype(EXTENT * (positions - low) / (high - low), xp.float32)
