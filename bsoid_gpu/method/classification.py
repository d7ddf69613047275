"""The classifier from features to labels, and its held-out accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators import registry
from bsoid_gpu.estimators.base import CLASSIFIER, SILENT, Classifier, Estimator, Monitor, predict
from bsoid_gpu.typing import Array

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Settings

ALL = "all"  # name of the fit to all bins


@dataclass(frozen=True)
class Classification:
    """The classifier fitted to all bins, and scores of fits with held-out bins.

    ``classifier`` has its arrays by name; ``predicted`` (bins,) int64 are its labels for the same bins; ``confusion``
    (labels, labels) counts bins by label (row) and by the label predicted in cross-validation or, without it, on the
    random held-out bins (column).
    """

    classifier: dict[str, Array]
    predicted: NDArray[Any]
    scores: dict[str, Any]
    confusion: NDArray[Any]


class TrainingLabels(NamedTuple):
    """What the classifier is fitted to.

    ``rows`` (rows,) int64 are bins, ``labels`` (rows,) int64 their labels, ``session_bins`` their number in each
    session.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    session_bins: list[int]


def training_labels(
    hard: NDArray[np.int64], soft: NDArray[np.int64], session_bins: Sequence[int], training: str
) -> TrainingLabels:
    """Bins and labels for the classifier: all with their soft labels, or those that are not noise.

    Parameters
    ----------
    hard, soft
        (bins,) labels, sessions one after another; -1 is noise.
    session_bins
        Bins of each session.
    training
        ``"soft"`` or ``"hard"``.

    Raises
    ------
    BadInput
        Every bin is noise.
    """
    chosen = hard if training == "hard" else soft
    rows = np.flatnonzero(chosen >= 0)
    if len(rows) == 0:
        msg = "every bin is noise, so that [labels] training = 'hard' leaves none to the classifier: set it to 'soft'"
        raise BadInput(msg)
    session = np.repeat(np.arange(len(session_bins)), session_bins)
    return TrainingLabels(rows, chosen[rows], np.bincount(session[rows], minlength=len(session_bins)).tolist())


def random_part(bins: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random part of the bins: (bins,) bool."""
    chosen = np.zeros(bins, dtype=bool)
    chosen[rng.permutation(bins)[: max(1, round(share * bins))]] = True
    return chosen


def blocked_part(
    session_bins: Sequence[int], block_bins: int, share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """A random part of the sessions' blocks of ``block_bins`` successive bins: (bins,) bool.

    Successive bins are similar: single held-out bins are easier to predict than held-out time blocks.
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
    monitor: Monitor = SILENT,
    classes: int | None = None,
) -> Classification:
    """Fit the classifier to all bins, and score it on held-out bins.

    Parameters
    ----------
    features
        (bins, columns) float64, not standardised, sessions one after another.
    labels
        (bins,) labels from 0.
    session_bins
        Bins of each session.
    bin_s
        Time between successive bins, in seconds.
    settings
        All settings.
    backend
        Where to compute.
    monitor
        Receives the progress; the checkpoint contains the completed fits.
    classes
        Number of labels, if some may have no bins; by default, up to the largest.
    """
    estimator = registry.of(CLASSIFIER, settings.classifier)
    if estimator.from_arrays is None:
        msg = f"the classifier {estimator.name!r} has no from_arrays"
        raise TypeError(msg)
    classes = classes or int(labels.max()) + 1
    parts = held_out_parts(len(labels), session_bins, bin_s, settings)
    fits = _Fits(features, backend.asarray(labels), classes, estimator, settings, backend, _split(parts, backend))
    results = {name: backend.asarray(array) for name, array in monitor.read().items()}  # keys are FIT/ARRAY

    def missing() -> list[str]:
        return [name for name in fits.bins if not _arrays_of_fit(name, results)]

    def on_host() -> dict[str, NDArray[Any]]:
        return {name: backend.to_host(array) for name, array in results.items()}

    with backend.repeatable():
        for completed in fits.results(missing()):
            results |= completed
            monitor.progress("fits of the classifier", len(fits.bins) - len(missing()), len(fits.bins))
            monitor.save(on_host)
        classifier = _arrays_of_fit(ALL, results)
        of_all = predict(estimator.from_arrays(classifier), features)
    of_parts = [results[f"{name}/labels"] for name in parts]
    on_backend = array_namespace(of_all).concat([of_all, *of_parts])
    ends = np.cumsum([each.shape[0] for each in (of_all, *of_parts)])
    predicted, *others = np.split(backend.to_host(on_backend), ends[:-1])
    scored = _scored(dict(zip(parts, others, strict=True)), parts, labels, classes)
    return Classification(classifier, predicted, *scored)


@dataclass(frozen=True)
class _Fits:
    """Fits to all bins, and to the bins that are not held out.

    ``bins`` are, by the name of the fit, the bins for training and those held out, (rows,) int64 each.
    """

    features: Array
    labels: Array
    classes: int
    estimator: Estimator
    settings: Settings
    backend: Backend
    bins: dict[str, tuple[Array, Array]]

    def results(self, names: Sequence[str]) -> Iterator[dict[str, Array]]:
        """Arrays of the fits, by FIT/ARRAY, as they complete: one after another, or all at once if that is faster.

        Those of a fit to all bins are the classifier's; of others, the ``labels`` predicted for the held-out bins.
        """
        options = self.classes, self.settings.classifier, self.settings.seed, self.backend
        if names and self.estimator.fit_parts is not None and self.backend.stacks_fits:
            training = [self.bins[name][0] for name in names]
            fitted = self.estimator.fit_parts(self.features, self.labels, *options, training)
            stacked = [self._result(name, one) for name, one in zip(names, fitted, strict=True)]
            yield {key: values for result in stacked for key, values in result.items()}
            return

        def single(name: str) -> dict[str, Array]:
            features, labels = (_rows(values, self.bins[name][0]) for values in (self.features, self.labels))
            return self._result(name, self.estimator.fit(features, labels, *options))

        yield from self.backend.map([partial(single, name) for name in names])

    def _result(self, name: str, fitted: Classifier) -> dict[str, Array]:
        if name == ALL:
            return {f"{name}/{array}": values for array, values in fitted.arrays().items()}
        return {f"{name}/labels": predict(fitted, _rows(self.features, self.bins[name][1]))}


def _split(parts: dict[str, NDArray[np.bool_]], backend: Backend) -> dict[str, tuple[Array, Array]]:
    """Bins for training and held-out bins of each fit; those of all fits move to the backend at once."""
    held_out = {ALL: np.zeros_like(parts["random"]), **parts}
    order = backend.asarray(np.stack([np.argsort(part, kind="stable") for part in held_out.values()]))
    training = [int(np.sum(~part)) for part in held_out.values()]  # they come first
    return {name: (order[i, : training[i]], order[i, training[i] :]) for i, name in enumerate(held_out)}


def held_out_parts(
    bins: int, session_bins: Sequence[int], bin_s: float, settings: Settings
) -> dict[str, NDArray[np.bool_]]:
    """Held-out bins of each fit, (bins,) bool: random bins, time blocks, and the folds."""
    validation, rng = settings.validation, np.random.default_rng(settings.seed)
    parts = {"random": random_part(bins, validation.held_out, rng)}
    block_bins = max(1, round(validation.block_s / bin_s))
    in_blocks = blocked_part(session_bins, block_bins, validation.held_out, rng)
    if 0 < in_blocks.sum() < bins:  # a single block cannot be held out
        parts["blocks"] = in_blocks
    folds = validation.folds if validation.folds > 1 else 0
    fold = rng.permutation(bins) % folds if folds else np.zeros(0, dtype=int)
    return parts | {f"fold {number}": fold == number for number in range(folds)}


def _scored(
    predictions: dict[str, NDArray[np.int64]],
    parts: dict[str, NDArray[np.bool_]],
    labels: NDArray[np.int64],
    classes: int,
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Scores and confusion from the predictions on the held-out parts."""
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


def _arrays_of_fit(name: str, results: dict[str, Array]) -> dict[str, Array]:
    prefix = f"{name}/"
    return {array.removeprefix(prefix): values for array, values in results.items() if array.startswith(prefix)}


def _rows(values: Array, at: Array) -> Array:
    return array_namespace(values).take(values, at, axis=0)
