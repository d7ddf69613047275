"""A fitted support vector machine as arrays: decision values and coupled probabilities on every array library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.backends.chunks import in_chunks
from bsoid_gpu.estimators.expectation_maximisation import log_of_sum
from bsoid_gpu.estimators.standard_scaler import standardise

if TYPE_CHECKING:
    from bsoid_gpu.typing import Array

CHUNK_ROWS = 1024  # limits the memory of a prediction: 8 MB for 1,000 support vectors of a class, 7 MB for 30 classes
BY_CLASS = ("support", "coefficients")  # fields with an array for each class


@dataclass(frozen=True, eq=False)
class SupportVectorMachine:
    """A fitted machine for the k classes that have bins.

    Parameters
    ----------
    mean, deviation
        (columns,) float64 of the features.
    gamma
        () float64.
    column
        (classes,) int64, place of each class among the k; k for a class without bins.
    intercept, slope, offset
        (k, k) float64: the log odds of class i against class j are slope times the decision value, whose last term is
        the intercept, plus offset.
    support
        For each of the k classes its support vectors (vectors, columns), standardised.
    coefficients
        For each of the k classes (vectors, k): weight of each of its support vectors against each class.
    """

    mean: Array
    deviation: Array
    gamma: Array
    column: Array
    intercept: Array
    slope: Array
    offset: Array
    support: tuple[Array, ...]
    coefficients: tuple[Array, ...]

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.column.shape[0])

    def arrays(self) -> dict[str, Array]:
        """Every array by name, for the model file."""
        named = {name: value for name, value in vars(self).items() if name not in BY_CLASS}
        by_class = {name: getattr(self, name) for name in BY_CLASS}
        return named | {f"{name}.{i}": array for name, parts in by_class.items() for i, array in enumerate(parts)}

    @classmethod
    def from_arrays(cls, named: dict[str, Array]) -> SupportVectorMachine:
        """Restore a machine from its :meth:`arrays`; ``KeyError`` if one is missing."""
        number = named["intercept"].shape[0]
        by_class = {name: tuple(named[f"{name}.{i}"] for i in range(number)) for name in BY_CLASS}
        return cls(**{name: named[name] for name in cls.__dataclass_fields__ if name not in BY_CLASS}, **by_class)

    def predict_proba(self, features: Array) -> Array:
        """Probability of each class: (rows, classes) float32 from (rows, columns), in chunks of rows."""
        return in_chunks(self._chunk_proba, features, CHUNK_ROWS)

    def decision_values(self, features: Array) -> Array:
        """Decision value (rows, k, k) of class i against class j, positive for the one that comes first."""
        xp = array_namespace(features)
        x = standardise(features, self.mean, self.deviation)
        parts = [
            _kernel(x, support, self.gamma) @ weights
            for support, weights in zip(self.support, self.coefficients, strict=True)
        ]
        of_class = xp.stack(parts, axis=1)
        return of_class + xp.matrix_transpose(of_class) + self.intercept

    def _chunk_proba(self, features: Array) -> Array:
        """Coupled probabilities (Price et al. 1995): p_i is proportional to 1 / (sum_j 1 / r_ij - (k - 2)).

        With the log odds z_ij = log(r_ij / (1 - r_ij)), and 0 for z_ii, the denominator is the sum of exp(-z_ij).
        """
        xp, device = array_namespace(features), device_of(features)
        log_odds = self.slope * self.decision_values(features) + self.offset
        shares = -log_of_sum(-log_odds)
        shares = xp.exp(shares - log_of_sum(shares)[:, None])
        without_bins = xp.zeros((features.shape[0], 1), dtype=shares.dtype, device=device)
        return xp.astype(xp.take(xp.concat([shares, without_bins], axis=1), self.column, axis=1), xp.float32)


def _kernel(x: Array, y: Array, gamma: Array) -> Array:
    """exp(-gamma |x - y|^2) of all rows of x with all rows of y."""
    xp = array_namespace(x)
    squared = xp.sum(x * x, axis=1)[:, None] + xp.sum(y * y, axis=1)[None, :] - 2.0 * (x @ y.T)
    return xp.exp(-gamma * xp.where(squared > 0.0, squared, xp.zeros_like(squared)))
