"""A Gaussian mixture by expectation maximisation (Dempster, Laird & Rubin 1977), on every array library."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.typing import Array

TINY = 10 * 2.0**-52  # keeps the share of an empty component above 0, as in scikit-learn


class Mixture(NamedTuple):
    """``weights`` (components,), ``means`` (components, dimensions), ``covariances`` (components, dimensions, same)."""

    weights: Array
    means: Array
    covariances: Array


class Maximised(NamedTuple):
    """A mixture at the end of the iterations, and how it came about.

    ``log_likelihood`` is the mean over the points, under the mixture before the last step; ``converged`` says whether
    it changed by less than the tolerance.
    """

    mixture: Mixture
    log_likelihood: float
    iterations: int
    converged: bool


def weighted_log_densities(points: Array, mixture: Mixture) -> Array:
    """Logarithm of weight times density of each component at each point: (points, components).

    With the Cholesky factor L of a covariance, the density is that of z = L^-1 (x - mean), a standard normal variable,
    divided by the determinant of L.
    """
    xp = array_namespace(points)
    dimensions = points.shape[1]
    factor = xp.linalg.cholesky(mixture.covariances)
    identity = xp.eye(dimensions, dtype=points.dtype, device=device_of(points))
    inverse = xp.matrix_transpose(xp.linalg.solve(factor, xp.broadcast_to(identity, factor.shape)))
    standard = xp.matmul(points, inverse) - xp.matmul(mixture.means[:, None, :], inverse)  # (components, points, d)
    squared = xp.matrix_transpose(xp.sum(standard * standard, axis=2))
    diagonal = xp.where(identity > 0.0, factor, xp.ones_like(factor))
    log_determinant = xp.sum(xp.log(diagonal), axis=(1, 2))
    constant = dimensions * math.log(2 * math.pi)
    return xp.log(mixture.weights) - 0.5 * (constant + squared) - log_determinant


def log_of_sum(logarithms: Array) -> Array:
    """Logarithm of the sum of exponentials along the last axis."""
    xp = array_namespace(logarithms)
    largest = xp.max(logarithms, axis=-1)
    return largest + xp.log(xp.sum(xp.exp(logarithms - largest[..., None]), axis=-1))


def responsibilities(points: Array, mixture: Mixture) -> tuple[Array, Array]:
    """E step: probability of each component at each point (points, components), and the mean log likelihood."""
    xp = array_namespace(points)
    weighted = weighted_log_densities(points, mixture)
    total = log_of_sum(weighted)
    return xp.exp(weighted - total[:, None]), xp.mean(total)


def mixture_of(points: Array, shares: Array, regularisation: float) -> Mixture:
    """M step: the likeliest mixture for the responsibilities.

    Parameters
    ----------
    points
        (points, dimensions).
    shares
        (points, components), rows sum to 1.
    regularisation
        Added to the variances.
    """
    xp = array_namespace(points)
    count = xp.sum(shares, axis=0) + TINY
    means = (shares.T @ points) / count[:, None]
    away = points - means[:, None, :]  # (components, points, dimensions)
    covariances = xp.matmul(xp.matrix_transpose(away * shares.T[:, :, None]), away) / count[:, None, None]
    identity = xp.eye(points.shape[1], dtype=points.dtype, device=device_of(points))
    return Mixture(count / xp.sum(count), means, covariances + regularisation * identity)


def nearest(points: Array, centres: Array) -> Array:
    """Responsibilities 0 and 1: of the nearest centre (points, components), the first in a tie."""
    xp = array_namespace(points)
    squared = xp.stack([xp.sum((points - centres[i, :]) ** 2, axis=1) for i in range(centres.shape[0])], axis=1)
    component = xp.arange(centres.shape[0], device=device_of(points))
    return xp.astype(xp.argmin(squared, axis=1)[:, None] == component, points.dtype)


def maximised(
    points: Array,
    mixture: Mixture,
    regularisation: float,
    tolerance: float,
    max_iterations: int,
    to_host: Callable[[Array], Any],
) -> Maximised:
    """E and M steps until the mean log likelihood changes by less than the tolerance.

    Parameters
    ----------
    points
        (points, dimensions) float64.
    mixture
        Where to start.
    regularisation
        Added to the variances in each step.
    tolerance
        Smallest change of the mean log likelihood that is worth another iteration.
    max_iterations
        Most iterations.
    to_host
        Moves a number to the host, once each iteration.
    """
    before = -math.inf
    for iteration in range(1, max_iterations + 1):
        shares, mean_log = responsibilities(points, mixture)
        mixture = mixture_of(points, shares, regularisation)
        log_likelihood = float(to_host(mean_log))
        if abs(log_likelihood - before) < tolerance:
            return Maximised(mixture, log_likelihood, iteration, True)
        before = log_likelihood
    return Maximised(mixture, before, max_iterations, False)
