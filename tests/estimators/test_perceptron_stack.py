import array_api_strict
import numpy as np
import pytest
from array_api_compat import array_namespace, device
from conftest import NumpyArrays

from bsoid_gpu.estimators import perceptron, perceptron_stack
from bsoid_gpu.estimators.base import predict
from bsoid_gpu.estimators.perceptron import PerceptronSettings

HOST = NumpyArrays()
QUICK = PerceptronSettings(hidden=(16, 8), batch=8, max_epochs=2)


def overlapping_clouds(bins=700):
    """Three clouds of bins, two deviations apart, so that the accuracy goes up and down."""
    rng = np.random.default_rng(2)
    labels = rng.integers(3, size=bins)
    return 2 * np.eye(4)[labels] + rng.normal(size=(bins, 4)) * [1, 1, 1, 50], labels


def unequal_parts(labels):
    """Some that have no bins for validation, fewer than one in each mini-batch, or a class without bins."""
    bins = len(labels)
    few = [np.arange(start, start + number) for start, number in ((3, 1), (5, 2), (40, 9), (7, 10), (100, 60))]
    return [np.arange(bins), *few, np.flatnonzero(labels != 1), np.arange(0, bins, 2)]


def stacked(arrays, settings, parts):
    """Perceptrons of the parts from one computation, their arrays on the host."""
    features, labels = map(arrays.asarray, overlapping_clouds())
    fits = perceptron.fit_parts(features, labels, 4, settings, 5, arrays, [arrays.asarray(part) for part in parts])
    return [on_host(arrays, fitted) for fitted in fits]


def one_by_one(arrays, settings, parts):
    """The same, from one fit after another."""
    features, labels = overlapping_clouds()
    return [
        on_host(
            arrays, perceptron.fit(arrays.asarray(features[part]), arrays.asarray(labels[part]), 4, settings, 5, arrays)
        )
        for part in parts
    ]


def on_host(arrays, fitted):
    return perceptron.Perceptron.from_arrays({name: arrays.to_host(array) for name, array in fitted.arrays().items()})


def assert_same(fits, others):
    assert len(fits) == len(others)
    features, _ = overlapping_clouds()
    for one, other in zip(fits, others, strict=True):
        assert one.arrays().keys() == other.arrays().keys()
        for name, expected in other.arrays().items():
            exactly = {"rtol": 0} if name in ("mean", "scale") else {"rtol": 1e-3, "atol": 1e-4}
            np.testing.assert_allclose(one.arrays()[name], expected, **exactly)
        assert np.mean(predict(one, features) == predict(other, features)) >= 0.999


@pytest.mark.parametrize("hidden", [(), (16, 8)])
def test_a_stack_equals_single_fits(arrays, hidden):
    settings = PerceptronSettings(hidden=hidden, batch=8, max_epochs=2)
    parts = unequal_parts(overlapping_clouds()[1])
    assert_same(stacked(arrays, settings, parts), one_by_one(arrays, settings, parts))


def test_each_fit_of_a_stack_stops_by_itself():
    parts = [np.arange(700), np.arange(0, 700, 2), np.arange(90), np.arange(600, 640)]
    hasty, patient = (PerceptronSettings(hidden=(16,), max_epochs=12, patience=patience) for patience in (1, 12))
    fits = stacked(HOST, hasty, parts)
    assert_same(fits, one_by_one(HOST, hasty, parts))
    pairs = zip(fits, stacked(HOST, patient, parts), strict=True)
    assert not all(np.array_equal(one.weights[0], other.weights[0]) for one, other in pairs)


def test_the_best_epoch_of_each_fit_by_hand(arrays):
    # three epochs without a gain stop the first fit, and gains below the tolerance the third; the last of equals counts
    accuracies = np.asarray(
        [[0.5, 0.9, 0.7, 0.9, 0.6, 1.0], [0.1, 0.25, 0.4, 0.55, 0.7, 0.85], [0.5, 0.5, 0.58, 0.66, 0.6, 0.9]]
    ).T
    settings = PerceptronSettings(patience=3, tolerance=0.1)
    best = perceptron_stack.Best(
        arrays.asarray(np.full(3, -1.0)), arrays.asarray(np.zeros((3, 1))), arrays.asarray(np.zeros(3, dtype=np.int64))
    )
    for epoch, accuracy in enumerate(accuracies):
        parameters = arrays.asarray(np.full((3, 1), float(epoch)))
        best = perceptron_stack._better(best, arrays.asarray(accuracy), parameters, settings)
    assert arrays.to_host(best.parameters)[:, 0].tolist() == [3, 5, 3]
    assert arrays.to_host(best.accuracy).tolist() == [0.9, 0.85, 0.66]


def test_padded_mini_batches_by_hand(arrays):
    array = arrays.asarray(np.zeros(1))
    # five rows in mini-batches of two and three, then two rows in one mini-batch
    padded = perceptron_stack._padded(array_namespace(array), [5, 2], [2, 1], device(array))
    rows, at = arrays.to_host(padded.rows)[..., 0], arrays.to_host(padded.at)
    assert rows.dtype == np.float32
    assert rows[:, 0, :].tolist() == [[2, 2, np.inf], [3, 3, 3]]
    assert at[:, 0, :].tolist() == [[0, 1, 2], [2, 3, 4]]
    assert rows[0, 1, :].tolist() == [2, 2, np.inf]
    assert at[:, 1, :].tolist() == [[5, 6, 6], [6, 6, 6]]  # padding repeats rows of the same fit


def test_a_stack_follows_the_schedules_of_its_fits():
    settings = PerceptronSettings(batch=8)
    counts, epochs = (900, 90, 7), 2  # in 113, 45 and 7 mini-batches
    numbers, largest = zip(*(perceptron.mini_batches(count, settings) for count in counts), strict=True)
    steps = np.asarray(perceptron_stack._steps(numbers, largest, epochs))
    assert steps.shape == (2, 113, 3)
    for fit, (number, most) in enumerate(zip(numbers, largest, strict=True)):
        updates = [perceptron.corrected_step(update, epochs * number, most) for update in range(epochs * number)]
        assert steps[:, :number, fit].ravel().tolist() == updates
        assert not steps[:, number:, fit].any()


@pytest.mark.parametrize("chunk", [33, 1000])
def test_the_accuracy_of_each_fit(arrays, monkeypatch, chunk):
    monkeypatch.setattr(perceptron_stack, "rows_per_chunk", lambda *_: chunk)
    features, labels = overlapping_clouds()
    parts = [np.arange(700), np.arange(30, 100), np.arange(5, 6)]
    rng = np.random.default_rng(3)
    parameters, mean, scale = rng.normal(size=(3, 15)), rng.normal(size=(3, 4)), rng.uniform(1, 9, size=(3, 4))
    expected = [
        np.mean(np.argmax((features[part] - m) / s @ p[:12].reshape(4, 3) + p[12:], axis=1) == labels[part])
        for part, p, m, s in zip(parts, parameters, mean, scale, strict=True)
    ]
    bins = perceptron_stack.Bins(*map(arrays.asarray, (features, labels, mean, scale)))
    validation = perceptron_stack._validation([arrays.asarray(part) for part in parts])
    vectors = arrays.asarray(parameters.astype(np.float32))
    accuracy = perceptron_stack._accuracy(vectors, (4, 3), bins, validation)
    np.testing.assert_allclose(arrays.to_host(accuracy), expected, rtol=1e-6)


def test_more_fits_are_not_more_steps_nor_transfers(monkeypatch):
    conversions, transfers, slopes = [], [], []
    kind = type(array_api_strict.asarray(0.0))
    for name in ("__float__", "__bool__", "__int__", "__index__", "__complex__", "__array__", "__dlpack__"):
        original = getattr(kind, name)
        spy = lambda self, *a, _f=original, _n=name, **k: conversions.append(_n) or _f(self, *a, **k)  # noqa: E731
        monkeypatch.setattr(kind, name, spy)
    gradient = perceptron_stack.gradient
    monkeypatch.setattr(perceptron_stack, "gradient", lambda *a: slopes.append(1) or gradient(*a))

    class Counting:
        def to_host(self, values):
            transfers.append(values.shape)
            return np.asarray(values)

    features, labels = map(array_api_strict.asarray, overlapping_clouds())
    parts = [array_api_strict.arange(start, 700) for start in (0, 10, 500, 699)]
    perceptron.fit_parts(features, labels, 3, QUICK, 0, Counting(), parts)
    assert transfers == [(2,)]  # the check of the input
    assert len(conversions) == 1
    assert len(slopes) == QUICK.max_epochs * 79  # 630 training bins in mini-batches of at most 8


@pytest.mark.parametrize(
    ("features", "labels", "smallest", "message"),
    [([1.0, np.nan], [0, 1], 1, "NaN"), ([1.0, 2.0], [0, 2], 1, "from 0 to 1"), ([1.0, 2.0], [0, 1], 0, "no bins")],
)
def test_bins_that_cannot_be_fitted_are_refused(arrays, features, labels, smallest, message):
    x, y = arrays.asarray(np.asarray(features)[:, None]), arrays.asarray(np.asarray(labels))
    parts = [arrays.asarray(np.arange(number)) for number in (2, smallest)]
    with pytest.raises(ValueError, match=message):
        perceptron.fit_parts(x, y, 2, QUICK, 0, arrays, parts)
