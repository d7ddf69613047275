"""Consensus: labels of several models that mean the same are joined to groups, and labels that return are counted.

The models have other seeds and other phases of the bins. Labels are alike if the classifiers give them to the same
bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace

from bsoid_gpu.estimators.joined import Joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.estimators.base import Classifier
    from bsoid_gpu.settings.schema import Settings
    from bsoid_gpu.typing import Array

CUT = 0.5  # labels whose distance, 1 - similarity, is on average above it are not joined
EVERY = 2  # bins: every second one is enough for the similarity
RETURNS = 0.6  # smallest share of the models that a label returns in: 3 of 5


class Phase(NamedTuple):
    """Seed of a model, and the share of a bin by which its bins begin later."""

    seed: int
    phase: float


def phases(settings: Settings) -> list[Phase]:
    """Seeds and phases of the models of a build: of a single model too if its stability is wanted."""
    models = settings.models if settings.models > 1 else 1 + settings.validation.stability
    return [Phase((settings.seed + model) % 2**32, model / models) for model in range(models)]


def similarity(posteriors: Array) -> Array:
    """Cosine of each two columns: (labels, labels) float64 from (bins, labels); 0 for a column without any."""
    xp = array_namespace(posteriors)
    values = xp.astype(posteriors, xp.float64)
    lengths = xp.sqrt(xp.sum(values * values, axis=0))
    values = values / xp.where(lengths > 0, lengths, xp.ones_like(lengths))
    return xp.matmul(values.T, values)


def groups(similar: NDArray[np.float64]) -> NDArray[np.int64]:
    """Group of each label, (labels,) from 0: average linkage of 1 - similarity, cut at 0.5."""
    from scipy.cluster.hierarchy import fcluster, linkage

    labels = len(similar)
    if labels < 2:
        return np.zeros(labels, dtype=np.int64)
    distances = np.maximum(1.0 - similar[np.triu_indices(labels, 1)], 0.0)
    return np.asarray(fcluster(linkage(distances, "average"), CUT, "distance") - 1, dtype=np.int64)


def groups_of_models(posteriors: Sequence[Array], backend: Backend) -> list[NDArray[np.int64]]:
    """Group of each label of each model, from the posteriors (bins, labels) of the models for the same bins."""
    xp = array_namespace(posteriors[0])
    every = xp.concat([of_model[::EVERY, :] for of_model in posteriors], axis=1)
    with backend.repeatable():
        grouped = groups(backend.to_host(similarity(every)))
    return np.split(grouped, np.cumsum([of_model.shape[1] for of_model in posteriors])[:-1])


def returns(grouped: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Number of models with a label in each group: (groups,); labels of the group -1 do not count."""
    counts = np.zeros(1 + max(int(of_model.max()) for of_model in grouped), dtype=np.int64)
    for of_model in grouped:
        counts[np.unique(of_model[of_model >= 0])] += 1
    return counts


class Consensus(NamedTuple):
    """Joined classifiers, and the posterior of each group for the training bins: ``membership`` (bins, groups).

    ``labels`` (bins,) int64 are the likeliest groups, 0 the largest; ``grouped`` are the group of each label of each
    model, -1 if it does not appear.
    """

    classifier: Joined
    membership: NDArray[Any]
    labels: NDArray[np.int64]
    grouped: list[NDArray[np.int64]]


def consensus(classifiers: Sequence[Classifier], features: Array, backend: Backend) -> Consensus:
    """Join the labels of several models.

    The posterior of a group is the sum of those of its labels over the models, divided by the number of models. Groups
    are numbered by the training bins whose likeliest group they are, the largest first. A group that is never the
    likeliest does not appear, and the posteriors of the others are divided by their sum.

    Parameters
    ----------
    classifiers
        Classifier of each model.
    features
        (bins, columns) of the training bins.
    backend
        Backend of the arrays.
    """
    with backend.repeatable():
        posteriors = [classifier.predict_proba(features) for classifier in classifiers]
    grouped = groups_of_models(posteriors, backend)
    with backend.repeatable():
        everything = backend.to_host(Joined.of(classifiers, grouped, backend).posterior(posteriors))
    sizes = np.bincount(np.argmax(everything, axis=1), minlength=everything.shape[1])
    order = np.argsort(-sizes, kind="stable")
    number = np.full(len(sizes), -1, dtype=np.int64)
    number[order] = np.where(sizes[order] > 0, np.arange(len(sizes)), -1)
    numbered = [number[of_model] for of_model in grouped]
    joined = Joined.of(classifiers, numbered, backend)
    with backend.repeatable():
        membership = backend.to_host(joined.posterior(posteriors))
    return Consensus(joined, membership, np.argmax(membership, axis=1).astype(np.int64), numbered)
