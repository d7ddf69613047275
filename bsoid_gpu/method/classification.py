"""The classification stage: a perceptron from features to labels, and its accuracy on held-out bins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from bsoid_gpu.estimators import perceptron as mlp
from bsoid_gpu.log import logger, progress
from bsoid_gpu.run_folder import store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Array, Backend
    from bsoid_gpu.settings.schema import Settings


@dataclass(frozen=True)
class Classification:
    """The perceptron fitted to all bins, and scores of fits to a part of them on the held-out rest.

    ``predicted`` (bins,) int64 are its labels for those same bins; ``confusion`` (labels, labels) counts bins by label
    (row) and by the label predicted in cross-validation, or on the random held-out bins where there is none (column).
    """

    perceptron: mlp.Perceptron
    predicted: NDArray[np.int64]
    scores: dict[str, Any]
    confusion: NDArray[np.int64]


def random_part(bins: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random part of the bins: (bins,) bool."""
    chosen = np.zeros(bins, dtype=bool)
    chosen[rng.permutation(bins)[: max(1, round(share * bins))]] = True
    return chosen


def blocked_part(
    session_bins: Sequence[int], block_bins: int, share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """A random part of the sessions' blocks of ``block_bins`` successive bins: (bins,) bool.

    Neighbouring bins are alike, so that single held-out bins are easier to predict than held-out blocks of time.
    """
    blocks = [np.arange(bins) // block_bins for bins in session_bins]
    first = np.cumsum([0, *[int(block[-1]) + 1 if len(block) else 0 for block in blocks]])
    block = np.concatenate([part + offset for part, offset in zip(blocks, first, strict=False)])
    return np.take(random_part(int(first[-1]), share, rng), block)


def classify(
    features: Array,
    labels: NDArray[np.int64],
    session_bins: Sequence[int],
    bin_s: float,
    settings: Settings,
    backend: Backend,
    checkpoint: store.Checkpoint = store.NO_CHECKPOINT,
) -> Classification:
    """Fit the perceptron to all bins, and score it on held-out ones.

    Parameters
    ----------
    features
        (bins, columns) float64, unscaled, sessions one after another.
    labels
        (bins,) soft labels.
    session_bins
        Bins of each session.
    bin_s
        Time from one of these bins to the next, in seconds.
    settings
        All settings.
    backend
        Where to compute.
    checkpoint
        Of the fits completed so far.
    """
    c, seed = settings.classifier, settings.seed
    labels_on = backend.asarray(labels)
    classes = int(labels.max()) + 1
    rng = np.random.default_rng(seed)
    parts = {"random": random_part(len(labels), c.held_out, rng)}
    in_blocks = blocked_part(session_bins, max(1, round(c.block_s / bin_s)), c.held_out, rng)
    if 0 < in_blocks.sum() < len(labels):  # one block alone cannot be held out
        parts["blocks"] = in_blocks
    fold = rng.permutation(len(labels)) % c.folds if c.folds > 1 else np.zeros(0, dtype=int)
    parts |= {f"fold {number}": fold == number for number in range(c.folds if c.folds > 1 else 0)}

    def predicted_without(held_out: NDArray[np.bool_]) -> dict[str, Array]:
        """Labels of the held-out bins, by a fit to the others."""
        order = backend.asarray(np.argsort(held_out, kind="stable"))  # the training bins come first
        training, rest = order[: np.sum(~held_out)], order[np.sum(~held_out) :]
        fitted = mlp.fit(_rows(features, training), _rows(labels_on, training), classes, c, seed, backend.to_host)
        return {"labels": mlp.predict(fitted, _rows(features, rest))}

    def fitted_to_all() -> dict[str, Array]:
        return mlp.fit(features, labels_on, classes, c, seed, backend.to_host).arrays()

    def on_host() -> dict[str, NDArray[Any]]:
        return {name: backend.to_host(array) for name, array in done.items()}

    fits = {"all": fitted_to_all} | {name: partial(predicted_without, part) for name, part in parts.items()}
    # by the name of the fit and that of the array
    done = {name: backend.asarray(array) for name, array in checkpoint.found().items()}
    left = [name for name in fits if not _of_fit(name, done)]
    with threadpool_limits(1, "blas"):  # faster for batches this small, and the same bytes on any number of cores
        results = progress(backend.side_by_side([fits[name] for name in left]), "fits of the classifier", len(left))
        for name, result in zip(left, results, strict=True):
            done |= {f"{name}/{array}": values for array, values in result.items()}
            checkpoint.keep(on_host)
        perceptron = mlp.Perceptron.from_arrays(_of_fit("all", done))
        predicted = backend.to_host(mlp.predict(perceptron, features))
    predictions = {name: backend.to_host(done[f"{name}/labels"]) for name in parts}
    return Classification(perceptron, predicted, *_scored(predictions, parts, labels, classes))


def _scored(
    predictions: dict[str, NDArray[np.int64]],
    parts: dict[str, NDArray[np.bool_]],
    labels: NDArray[np.int64],
    classes: int,
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Scores and confusion from the predictions on the parts that were held out."""
    accuracy = {name: float(np.mean(predictions[name] == labels[part])) for name, part in parts.items()}
    folds = [accuracy.pop(name) for name in parts if name.startswith("fold")]
    confusion = np.zeros((classes, classes), dtype=np.int64)
    for name in list(parts)[-len(folds) :] if folds else ["random"]:
        np.add.at(confusion, (labels[parts[name]], predictions[name]), 1)
    scores = {
        "held_out_random": accuracy["random"],
        "held_out_blocks": accuracy.get("blocks"),
        "cross_validation": folds,
        "cross_validation_mean": float(np.mean(folds)) if folds else None,
        "largest_label_share": float(np.mean(labels == 0)),
    }
    return scores, confusion


def _of_fit(name: str, done: dict[str, Array]) -> dict[str, Array]:
    prefix = f"{name}/"
    return {array.removeprefix(prefix): values for array, values in done.items() if array.startswith(prefix)}


def _rows(values: Array, at: Array) -> Array:
    from array_api_compat import array_namespace

    return array_namespace(values).take(values, at, axis=0)


def to_stage(done: Classification, backend: Backend) -> store.Stage:
    """The classification as the run folder keeps it."""
    perceptron = {f"perceptron.{name}": backend.to_host(array) for name, array in done.perceptron.arrays().items()}
    return store.Stage(
        {"predicted": done.predicted, "confusion": done.confusion, **perceptron}, {"scores": done.scores}
    )


def from_stage(stage: store.Stage) -> Classification:
    """The classification that the run folder kept, on the host."""
    arrays = dict(stage.arrays)
    predicted, confusion = arrays.pop("predicted"), arrays.pop("confusion")
    perceptron = mlp.Perceptron.from_arrays({name.removeprefix("perceptron."): a for name, a in arrays.items()})
    return Classification(perceptron, predicted, stage.facts["scores"], confusion)


def log_scores(scores: dict[str, Any]) -> None:
    """Log the accuracies on held-out bins."""
    logger.info("held-out accuracy: %.4f on a random part of the bins", scores["held_out_random"])
    if scores["held_out_blocks"] is not None:
        logger.info("held-out accuracy: %.4f on blocks of time", scores["held_out_blocks"])
    if scores["cross_validation"]:
        logger.info(
            "%d-fold cross-validation: %.4f (%.4f to %.4f)",
            len(scores["cross_validation"]),
            scores["cross_validation_mean"],
            min(scores["cross_validation"]),
            max(scores["cross_validation"]),
        )
