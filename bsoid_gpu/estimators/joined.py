"""Classifiers of several models as one: the labels of each belong to groups, whose posteriors are averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import array_namespace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.estimators.base import Classifier
    from bsoid_gpu.typing import Array

LEAST = 1e-12  # sum of the posteriors of a row, which are divided by it


@dataclass(frozen=True, eq=False)
class Joined:
    """Classifiers whose labels are joined to groups.

    Parameters
    ----------
    classifiers
        One for each model.
    groups
        (labels, groups) float32 of each model: 1 where a label belongs to a group, else 0; a label may belong to none.
    """

    classifiers: tuple[Classifier, ...]
    groups: tuple[Array, ...]

    @classmethod
    def of(cls, classifiers: Sequence[Classifier], grouped: Sequence[NDArray[np.int64]], backend: Backend) -> Joined:
        """Join classifiers by the group of each of their labels: (labels,) each, -1 for none."""
        number = 1 + max(int(of_model.max()) for of_model in grouped)
        belongs = [(of_model[:, None] == np.arange(number)).astype(np.float32) for of_model in grouped]
        return cls(tuple(classifiers), tuple(backend.asarray(each) for each in belongs))

    @property
    def n_classes(self) -> int:
        """Number of groups."""
        return int(self.groups[0].shape[1])

    def predict_proba(self, features: Array) -> Array:
        """Posterior of each group: (rows, groups) float32 from (rows, columns)."""
        return self.posterior([classifier.predict_proba(features) for classifier in self.classifiers])

    def posterior(self, posteriors: Sequence[Array]) -> Array:
        """Posterior of each group, (rows, groups), from those of each model's labels; rows sum to 1."""
        xp = array_namespace(posteriors[0])
        total = xp.matmul(posteriors[0], self.groups[0])
        for of_model, belongs in zip(posteriors[1:], self.groups[1:], strict=True):
            total = total + xp.matmul(of_model, belongs)
        whole = xp.sum(total, axis=1, keepdims=True)
        return total / xp.where(whole > LEAST, whole, xp.ones_like(whole))

    def arrays(self) -> dict[str, Array]:
        """Every array by name, for the model file."""
        named = {f"groups.{i}": belongs for i, belongs in enumerate(self.groups)}
        for i, classifier in enumerate(self.classifiers):
            named |= {f"{i}.{name}": array for name, array in classifier.arrays().items()}
        return named

    @classmethod
    def from_arrays(cls, named: dict[str, Array], restore: Callable[[dict[str, Array]], Classifier]) -> Joined:
        """Joined classifiers from their :meth:`arrays`; ``KeyError`` if one is missing.

        ``restore`` gives the classifier of one model from its arrays.
        """
        models = range(len({name.partition(".")[0] for name in named} - {"groups"}))
        of_models = [
            {name.removeprefix(f"{i}."): array for name, array in named.items() if name.startswith(f"{i}.")}
            for i in models
        ]
        return cls(tuple(restore(each) for each in of_models), tuple(named[f"groups.{i}"] for i in models))
