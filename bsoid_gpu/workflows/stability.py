"""How stable labels are: whether another model gives the same, on time blocks that neither classifier was fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.estimators.base import Classifier, predict
from bsoid_gpu.log import logger
from bsoid_gpu.method.consensus import RETURNS
from bsoid_gpu.statistics import agreement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.typing import Array


def stability(
    without_blocks: Sequence[Classifier],
    held_out: Array,
    returns_in: NDArray[np.int64],
    models: int,
    backend: Backend,
) -> dict[str, Any]:
    """Agreement of several models.

    Parameters
    ----------
    without_blocks
        Classifier of each model that was fitted without the held-out time blocks; none if nothing is held out.
    held_out
        (bins, columns) features of the held-out time blocks.
    returns_in
        (labels,) number of models with each label.
    models
        Number of models.
    backend
        Backend of the arrays.

    Returns
    -------
    dict
        ``models``, ``adjusted_rand`` and ``adjusted_mutual_information``, each the mean over all pairs of models and
        None without held-out blocks, and ``returns_in``.
    """
    with backend.repeatable():
        predicted = [backend.to_host(predict(classifier, held_out)) for classifier in without_blocks]
    pairs = list(combinations(predicted, 2))
    measures = {
        "adjusted_rand": agreement.adjusted_rand,
        "adjusted_mutual_information": agreement.adjusted_information,
    }
    means = {
        name: float(np.mean([measure(*pair) for pair in pairs])) if pairs else None
        for name, measure in measures.items()
    }
    return {"models": models, **means, "returns_in": returns_in.tolist()}


def log_stability(measured: dict[str, Any]) -> None:
    """One line for people."""
    models, counts = measured["models"], np.asarray(measured["returns_in"])
    returning = int(np.sum(counts >= RETURNS * models))
    agreed = ""
    if measured["adjusted_rand"] is not None:
        agreed = (
            f"on held-out time blocks they agree with an adjusted Rand index of {measured['adjusted_rand']:.2f} and an "
            f"adjusted mutual information of {measured['adjusted_mutual_information']:.2f}; "
        )
    logger.info(
        "stability, from %d models: %s%d of %d labels return in most of them", models, agreed, returning, len(counts)
    )


def stability_warnings(measured: dict[str, Any]) -> list[str]:
    """A sentence on the labels that return in too few models."""
    models, counts = measured["models"], measured["returns_in"]
    lost = [label for label, count in enumerate(counts) if count < RETURNS * models]
    if not lost:
        return []
    listed = ", ".join(map(str, lost))
    where = "the second model" if models == 2 else f"{_least(models)} of {models} models"
    how = "do not return in" if models == 2 else "return in fewer than"
    return [
        f"{len(lost)} of {len(counts)} labels {how} {where} ({listed}): they depend on the seed; do not rely on them, "
        "or build with --models 5, more sessions or the preset multiscale"
    ]


def _least(models: int) -> int:
    """Fewest models in which a label returns."""
    return int(np.ceil(RETURNS * models - 1e-9))
