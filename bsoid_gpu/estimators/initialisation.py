"""What UMAP's layout begins and ends with, on every array library: first positions, and no two bins at one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.kernels.counter_rng import START, TIES, uniform

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Array

EXTENT = 10.0  # of the first positions in each dimension, as umap-learn has it
NOISE = 1e-4  # of the first positions: equal bins do not begin at one place
TINY = 2.0**-60  # in place of 0, where all bins are equal
STEPS = 8  # of float32 resolution: reach of the first jitter of equal rows


def principal_start(scaled: Array, dimensions: int, seed: int) -> Array:
    """First positions of the bins: their coordinates along the principal components of the features.

    Each dimension goes from 0 to 10. The sign of a component is that in which its largest loading is positive; where
    there are more dimensions than columns, the rest is noise.

    Parameters
    ----------
    scaled
        (bins, columns).
    dimensions
        Of the embedding.
    seed
        Of the noise.

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
    places = centred @ (vectors * xp.sign(largest))
    if dimensions > columns:
        more = xp.zeros((bins, dimensions - columns), dtype=places.dtype, device=device_of(places))
        places = xp.concat([places, more], axis=1)
    noise = uniform(xp, bins * dimensions, seed, START, device_of(scaled))
    reach = NOISE / EXTENT * xp.max(xp.abs(places)) + TINY
    places = places + reach * (2.0 * xp.astype(xp.reshape(noise, (bins, dimensions)), places.dtype) - 1.0)
    low, high = xp.min(places, axis=0), xp.max(places, axis=0)
    return xp.astype(EXTENT * (places - low) / (high - low), xp.float32)


def part_ties(embedding: Array, seed: int, to_host: Callable[[Array], NDArray[Any]]) -> Array:
    """Move rows that are equal apart by a few steps of float32 resolution.

    Distances of 0 have no order, so that the tree of a clustering would depend on who computes it. The first of
    equal rows stays. The reach doubles until no two rows are equal.

    Parameters
    ----------
    embedding
        (bins, dimensions) float32.
    seed
        Of the jitter.
    to_host
        Moves one number to the host for each round.
    """
    xp = array_namespace(embedding)
    resolution = (xp.max(xp.abs(embedding)) + TINY) * 2.0**-23
    steps, stream = STEPS, TIES
    while to_host(xp.any(tied := _repeats(embedding))):
        drawn = uniform(xp, embedding.shape[0] * embedding.shape[1], seed, stream, device_of(embedding))
        jitter = xp.round((2.0 * xp.reshape(drawn, embedding.shape) - 1.0) * steps) * resolution
        embedding = xp.where(tied[:, None], embedding + jitter, embedding)
        steps, stream = 2 * steps, stream + 1
    return embedding


def _repeats(rows: Array) -> Array:
    """Where a row equals an earlier one: (rows,) bool."""
    xp = array_namespace(rows)
    order = xp.arange(rows.shape[0], device=device_of(rows))
    for column in range(rows.shape[1]):
        order = xp.take(order, xp.argsort(xp.take(rows[:, column], order), stable=True))
    ordered = xp.take(rows, order, axis=0)
    first = xp.zeros((1,), dtype=xp.bool, device=device_of(rows))
    repeats = xp.concat([first, xp.all(ordered[1:, :] == ordered[:-1, :], axis=1)])
    return xp.take(repeats, xp.argsort(order))
