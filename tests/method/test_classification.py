import contextlib

import numpy as np
import pytest
from conftest import StrictArrays

from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.estimators import perceptron
from bsoid_gpu.estimators.base import SILENT, Monitor
from bsoid_gpu.estimators.perceptron import PerceptronSettings
from bsoid_gpu.method import classification
from bsoid_gpu.method.held_out import held_out_parts
from bsoid_gpu.settings.schema import Settings, Validation

QUICK = PerceptronSettings(hidden=(), max_epochs=5)


def classified(backend, labels, session_bins=None, bin_s=0.1, **options):
    """The classification of bins whose features are all equal: every fit predicts the most frequent label."""
    settings = Settings(classifier=QUICK, validation=Validation(**{"folds": 0, **options}))
    features = backend.asarray(np.ones((len(labels), 2)))
    parts = held_out_parts(session_bins or [len(labels)], bin_s, settings)
    return classification.classify(features, labels, parts, settings, backend)


@pytest.fixture
def labels():
    return np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [600, 300, 100]))


def test_confusion_has_labels_in_rows_and_predictions_in_columns(cpu, labels):
    result = classified(cpu, labels, folds=4)  # each bin is held out in one fold
    assert result.predicted.tolist() == [0] * 1000
    assert result.confusion.tolist() == [[600, 0, 0], [300, 0, 0], [100, 0, 0]]
    assert result.scores["cross_validation_mean"] == pytest.approx(0.6)
    assert len(result.scores["cross_validation"]) == 4
    assert result.scores["largest_label_share"] == pytest.approx(0.6)


def test_confusion_without_folds_counts_the_random_held_out_bins(cpu, labels):
    result = classified(cpu, labels, held_out=0.2)
    assert result.confusion.sum() == 200
    assert result.confusion[:, 1:].sum() == 0
    assert result.confusion[0, 0] / 200 == pytest.approx(result.scores["held_out_random"])
    assert (result.scores["cross_validation"], result.scores["cross_validation_mean"]) == ([], None)


@pytest.mark.parametrize(
    ("bins", "bin_s", "blocks"),
    [(300, 0.1, 1), (301, 0.1, 2), (60, 0.5, 1), (61, 0.5, 2), (30, 1.0, 1), (31, 1.0, 2), (8, 4.0, 1), (9, 4.0, 2)],
)
def test_a_block_is_30_s_whatever_the_length_of_a_bin(cpu, labels, bins, bin_s, blocks):
    # 8 bins of 4 s are nearest to 30 s; held-out blocks require at least two
    result = classified(cpu, labels[:bins], bin_s=bin_s, block_s=30.0)
    assert (result.scores["held_out_blocks"] is not None) == (blocks > 1)


class StackingCpu(CpuBackend):
    """The CPU, with all fits at once."""

    stacks_fits = True


class StrictDevice(StrictArrays):
    """A device with only the array API standard."""

    name, stacks_fits, repeatable = "strict", True, contextlib.nullcontext


class Checkpoints(Monitor):
    """Keeps the checkpoints and the progress."""

    def __init__(self, saved=None):
        self.start, self.saved, self.done = saved or {}, [], []

    def read(self):
        return self.start

    def save(self, gather):
        self.saved.append(dict(gather()))

    def progress(self, what, done, total):
        self.done.append((done, total))


def of_clouds(backend, monitor=SILENT):
    """The classification of three clouds of bins in six blocks, with three folds."""
    labels = np.random.default_rng(0).integers(3, size=600)
    features = 3 * np.eye(3)[labels] + np.random.default_rng(1).normal(size=(600, 3))
    settings = Settings(
        classifier=PerceptronSettings(hidden=(8,), max_epochs=3), validation=Validation(folds=3, block_s=10.0)
    )
    parts = held_out_parts([600], 0.1, settings)
    return classification.classify(backend.asarray(features), labels, parts, settings, backend, monitor)


@pytest.mark.parametrize("kind", [StackingCpu, StrictDevice])
def test_fits_at_once_give_the_result_of_fits_one_after_another(cpu, kind):
    backend, monitor = kind(), Checkpoints()
    expected, result = of_clouds(cpu), of_clouds(backend, monitor)
    assert result.scores == expected.scores
    assert result.confusion.tolist() == expected.confusion.tolist()
    assert result.predicted.tolist() == expected.predicted.tolist()
    for name, array in expected.classifier.items():
        np.testing.assert_allclose(backend.to_host(result.classifier[name]), array, rtol=1e-4, atol=1e-5)
    assert monitor.done == [(6, 6)]
    assert len(monitor.saved) == 1


@pytest.mark.parametrize("kind", [CpuBackend, StackingCpu])
def test_only_fits_that_the_checkpoint_lacks_are_made(kind):
    complete, resumed = Checkpoints(), Checkpoints()
    expected = of_clouds(kind(), complete)
    names = {key.partition("/")[0] for key in complete.saved[-1]}
    assert names == {"all", "random", "blocks", "fold 0", "fold 1", "fold 2"}
    resumed.start = {
        key: array for key, array in complete.saved[-1].items() if key.partition("/")[0] not in ("all", "fold 1")
    }
    result = of_clouds(kind(), resumed)
    assert resumed.done == ([(6, 6)] if kind is StackingCpu else [(5, 6), (6, 6)])
    assert result.scores == expected.scores
    finished = Checkpoints(complete.saved[-1])
    assert of_clouds(kind(), finished).scores == expected.scores
    assert not finished.done


def test_a_label_without_bins_keeps_its_number(cpu):
    settings = Settings(classifier=QUICK, validation=Validation(folds=0))
    labels, parts = np.repeat([0, 1], 50), held_out_parts([100], 0.1, settings)
    result = classification.classify(np.ones((100, 2)), labels, parts, settings, cpu, classes=4)
    assert result.confusion.shape == (4, 4)
    fitted = perceptron.ESTIMATOR.from_arrays(result.classifier)
    assert fitted.predict_proba(np.ones((3, 2))).shape == (3, 4)


@pytest.mark.parametrize("kind", [CpuBackend, StackingCpu])
def test_the_fits_of_one_of_several_models_are_those_of_a_single_one(kind):
    complete, monitor = Checkpoints(), Checkpoints()
    expected = of_clouds(kind(), complete)
    labels = np.random.default_rng(0).integers(3, size=600)
    features = 3 * np.eye(3)[labels] + np.random.default_rng(1).normal(size=(600, 3))
    settings = Settings(
        classifier=PerceptronSettings(hidden=(8,), max_epochs=3), validation=Validation(folds=3, block_s=10.0)
    )
    blocks = held_out_parts([600], 0.1, settings)["blocks"]
    result = classification.classify_member(features, labels, blocks, settings, kind(), monitor)
    for ours, theirs in ((result.classifier, expected.classifier), (result.without_blocks, expected.without_blocks)):
        assert ours.keys() == theirs.keys()
        for name in ours:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-5)
    none = classification.classify_member(features, labels, np.zeros(600, dtype=bool), settings, kind())
    assert (none.without_blocks, none.classifier.keys()) == ({}, expected.classifier.keys())
