"""The classifier from features to labels, and its held-out accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from bsoid_gpu.estimators import registry
from bsoid_gpu.estimators.base import CLASSIFIER, SILENT, Classifier, Monitor, predict
from bsoid_gpu.estimators.joined import Joined
from bsoid_gpu.method.held_out import BLOCKS, RANDOM
from bsoid_gpu.typing import Array

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Settings

ALL = "all"  # name of the fit to all bins
LABELS = "labels"  # name of the labels predicted for the held-out bins of a fit


@dataclass(frozen=True)
class Classification:
    """The classifier fitted to all bins, and scores of fits with held-out bins.

    ``classifier`` has its arrays by name, and ``without_blocks`` those of the fit without the held-out time blocks, if
    there are any; ``predicted`` (bins,) int64 are its labels for the same bins; ``confusion`` (labels,
    labels) counts bins by label (row) and by the label predicted in cross-validation or, without it, on the
    random held-out bins (column).
    """

    classifier: dict[str, Array]
    without_blocks: dict[str, Array]
    predicted: NDArray[Any]
    scores: dict[str, Any]
    confusion: NDArray[Any]


@dataclass(frozen=True)
class MemberClassifiers:
    """Arrays by name of the classifier of one of several models, and of its fit without the held-out time blocks."""

    classifier: dict[str, Array]
    without_blocks: dict[str, Array]


def classify(
    features: Array,
    labels: NDArray[np.int64],
    parts: dict[str, NDArray[np.bool_]],
    settings: Settings,
    backend: Backend,
    monitor: Monitor = SILENT,
    *,
    classes: int | None = None,
    joined: Joined | None = None,
) -> Classification:
    """Fit the classifier to all bins, and score it on held-out bins.

    Parameters
    ----------
    features
        (bins, columns) float64, not standardised, sessions one after another.
    labels
        (bins,) labels from 0.
    parts
        Held-out bins of each fit, see :func:`bsoid_gpu.method.held_out.held_out_parts`.
    settings
        All settings.
    backend
        Where to compute.
    monitor
        Receives the progress; the checkpoint contains the completed fits.
    classes
        Number of labels, if some may have no bins; by default, up to the largest.
    joined
        The joined classifiers of several models, whose labels are then those to fit to: it takes the place of the fit
        to all bins.
    """
    classes = classes or int(labels.max()) + 1
    split = _split(parts, backend)
    if joined is not None:
        del split[ALL]
    fits = _Fits(features, backend.asarray(labels), classes, settings, backend, split)
    results = _completed(fits, monitor)
    with backend.repeatable():
        if joined is None:
            classifier = _arrays_of_fit(ALL, results)
            of_all = predict(restorer(settings)(classifier), features)
        else:
            classifier, of_all = joined.arrays(), fits.labels
    of_parts = [results[f"{name}/{LABELS}"] for name in parts]
    on_backend = array_namespace(of_all).concat([of_all, *of_parts])
    ends = np.cumsum([each.shape[0] for each in (of_all, *of_parts)])
    predicted, *others = np.split(backend.to_host(on_backend), ends[:-1])
    scored = _scored(dict(zip(parts, others, strict=True)), parts, labels, classes)
    return Classification(classifier, _arrays_of_fit(BLOCKS, results), predicted, *scored)


def classify_member(
    features: Array,
    labels: NDArray[np.int64],
    blocks: NDArray[np.bool_],
    settings: Settings,
    backend: Backend,
    monitor: Monitor = SILENT,
    *,
    classes: int | None = None,
) -> MemberClassifiers:
    """Fit the classifier of one of several models to all bins, and to those outside the held-out time blocks.

    Parameters
    ----------
    features, labels, settings, backend, monitor, classes
        As of :func:`classify`.
    blocks
        (bins,) the held-out time blocks; none if nothing is to be held out.
    """
    split = _split({BLOCKS: blocks}, backend)
    if not 0 < blocks.sum() < len(blocks):
        del split[BLOCKS]
    fits = _Fits(features, backend.asarray(labels), classes or int(labels.max()) + 1, settings, backend, split)
    results = _completed(fits, monitor)
    return MemberClassifiers(_arrays_of_fit(ALL, results), _arrays_of_fit(BLOCKS, results))


def restorer(settings: Settings) -> Callable[[dict[str, Array]], Classifier]:
    """What gives a classifier of the settings from its arrays."""
    estimator = registry.of(CLASSIFIER, settings.classifier)
    if estimator.from_arrays is None:
        msg = f"the classifier {estimator.name!r} has no from_arrays"
        raise TypeError(msg)
    return estimator.from_arrays


@dataclass(frozen=True)
class _Fits:
    """Fits to all bins, and to the bins that are not held out.

    ``bins`` are, by the name of the fit, the bins for training and those held out, (rows,) int64 each.
    """

    features: Array
    labels: Array
    classes: int
    settings: Settings
    backend: Backend
    bins: dict[str, tuple[Array, Array]]

    def results(self, names: Sequence[str]) -> Iterator[dict[str, Array]]:
        """Arrays of the fits, by FIT/ARRAY, as they complete: one after another, or all at once if that is faster.

        Those of a fit to all bins are the classifier's; of others, the ``labels`` predicted for the held-out bins; of
        that without the time blocks, both.
        """
        estimator = registry.of(CLASSIFIER, self.settings.classifier)
        options = self.classes, self.settings.classifier, self.settings.seed, self.backend
        if names and estimator.fit_parts is not None and self.backend.stacks_fits:
            training = [self.bins[name][0] for name in names]
            fitted = estimator.fit_parts(self.features, self.labels, *options, training)
            stacked = [self._result(name, one) for name, one in zip(names, fitted, strict=True)]
            yield {key: values for result in stacked for key, values in result.items()}
            return

        def single(name: str) -> dict[str, Array]:
            features, labels = (_rows(values, self.bins[name][0]) for values in (self.features, self.labels))
            return self._result(name, estimator.fit(features, labels, *options))

        yield from self.backend.map([partial(single, name) for name in names])

    def _result(self, name: str, fitted: Classifier) -> dict[str, Array]:
        result = {}
        if name in (ALL, BLOCKS):
            result = {f"{name}/{array}": values for array, values in fitted.arrays().items()}
        if name != ALL:
            result[f"{name}/{LABELS}"] = predict(fitted, _rows(self.features, self.bins[name][1]))
        return result


def _completed(fits: _Fits, monitor: Monitor) -> dict[str, Array]:
    """Arrays of all fits by FIT/ARRAY; the checkpoint contains those of the completed ones."""
    backend = fits.backend
    results = {name: backend.asarray(array) for name, array in monitor.read().items()}

    def missing() -> list[str]:
        return [name for name in fits.bins if not any(key.startswith(f"{name}/") for key in results)]

    def on_host() -> dict[str, NDArray[Any]]:
        return {name: backend.to_host(array) for name, array in results.items()}

    with backend.repeatable():
        for completed in fits.results(missing()):
            results |= completed
            monitor.progress("fits of the classifier", len(fits.bins) - len(missing()), len(fits.bins))
            monitor.save(on_host)
    return results


def _split(parts: dict[str, NDArray[np.bool_]], backend: Backend) -> dict[str, tuple[Array, Array]]:
    """Bins for training and held-out bins of each fit; those of all fits move to the backend at once."""
    held_out = {ALL: np.zeros_like(next(iter(parts.values()))), **parts}
    order = backend.asarray(np.stack([np.argsort(part, kind="stable") for part in held_out.values()]))
    training = [int(np.sum(~part)) for part in held_out.values()]  # they come first
    return {name: (order[i, : training[i]], order[i, training[i] :]) for i, name in enumerate(held_out)}


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
    for name in list(parts)[-len(folds) :] if folds else [RANDOM]:
        np.add.at(confusion, (labels[parts[name]], predictions[name]), 1)
    scores = {
        "held_out_random": accuracy[RANDOM],
        "held_out_blocks": accuracy.get(BLOCKS),
        "cross_validation": folds,
        "cross_validation_mean": float(np.mean(folds)) if folds else None,
        "largest_label_share": float(np.mean(labels == 0)),
    }
    return scores, confusion


def _arrays_of_fit(name: str, results: dict[str, Array]) -> dict[str, Array]:
    """Arrays of the classifier of a fit, without its predictions."""
    prefix = f"{name}/"
    named = {array.removeprefix(prefix): values for array, values in results.items() if array.startswith(prefix)}
    return {array: values for array, values in named.items() if array != LABELS}


def _rows(values: Array, at: Array) -> Array:
    return array_namespace(values).take(values, at, axis=0)
