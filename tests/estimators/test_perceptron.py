from itertools import pairwise

import array_api_strict
import numpy as np
import pytest
from array_api_compat import array_namespace, device
from conftest import NumpyArrays
from sklearn.neural_network import MLPClassifier

from bsoid_gpu.estimators import network, perceptron
from bsoid_gpu.estimators.base import predict
from bsoid_gpu.estimators.perceptron import PerceptronSettings

HOST = NumpyArrays()
QUICK = PerceptronSettings(hidden=(16, 16), learning_rate=0.03, batch=1024, max_epochs=12, patience=12, tolerance=0.0)


def gaussians(bins=600, seed=0, centres=((0, 0, 0), (4, 0, 0), (0, 4, 0))):
    """Three clouds of bins, four deviations apart."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(centres), size=bins)
    return np.asarray(centres)[labels] + rng.normal(size=(bins, 3)), labels


def fitted(arrays, features, labels, n_classes, settings=QUICK, seed=0):
    """The perceptron, its arrays on the host."""
    model = perceptron.fit(arrays.asarray(features), arrays.asarray(labels), n_classes, settings, seed, arrays)
    return perceptron.Perceptron.from_arrays({name: arrays.to_host(array) for name, array in model.arrays().items()})


def cross_entropy(parameters, sizes, x, labels):
    """Mean negative log probability of the rows' labels, computed row by row and layer by layer."""
    total = 0.0
    for row, label in zip(x, labels, strict=True):
        start, value = 0, list(row)
        for number, (inputs, units) in enumerate(pairwise(sizes)):
            block = parameters[start : start + (inputs + 1) * units].reshape(inputs + 1, units)
            value = [sum(v * block[i, j] for i, v in enumerate(value)) + block[inputs, j] for j in range(units)]
            if number < len(sizes) - 2:
                value = [max(v, 0.0) for v in value]
            start += (inputs + 1) * units
        total -= value[label] - np.log(np.sum(np.exp(value)))
    return total / len(x)


@pytest.mark.parametrize("hidden", [(), (4,), (5, 3)])
def test_gradient_equals_finite_differences(hidden, arrays):
    rng = np.random.default_rng(1)
    sizes = (3, *hidden, 4)
    parameters = rng.normal(size=sum((a + 1) * b for a, b in pairwise(sizes)))
    x, labels = rng.normal(size=(6, 3)), np.array([0, 1, 2, 2, 1, 0])  # class 3 has no row
    slope = network.gradient(arrays.asarray(parameters), sizes, arrays.asarray(x), arrays.asarray(np.eye(4)[labels]))
    step = 1e-6
    expected = [
        (cross_entropy(parameters + e, sizes, x, labels) - cross_entropy(parameters - e, sizes, x, labels)) / (2 * step)
        for e in step * np.eye(len(parameters))
    ]
    np.testing.assert_allclose(arrays.to_host(slope), expected, rtol=1e-6, atol=1e-8)


def test_gradient_of_one_weight_by_hand(arrays):
    # two classes, all parameters 0: both have probability 1/2; the slope of a logit is 1/2, less 1 for the true class
    zero, x, target = np.zeros(4), np.array([[3.0]]), np.array([[1.0, 0.0]])
    slope = network.gradient(arrays.asarray(zero), (1, 2), arrays.asarray(x), arrays.asarray(target))
    assert arrays.to_host(slope).tolist() == [-1.5, 1.5, -0.5, 0.5]


def test_weight_decay_by_hand(arrays):
    parameters = arrays.asarray(np.zeros(0, dtype=np.float32))
    decay = network.weight_decay(array_namespace(parameters), (2, 1, 2), 0.5, device(parameters))
    # two weights, a bias, two weights, two biases
    assert arrays.to_host(decay).tolist() == [0.5, 0.5, 0, 0.5, 0.5, 0, 0]
    assert arrays.to_host(decay).dtype == np.float32


def test_the_penalised_gradient_equals_that_of_scikit_learn():
    # one step of gradient descent over all rows; scikit-learn divides alpha by their number
    features, labels = gaussians(40)
    other = MLPClassifier((5,), solver="sgd", momentum=0, alpha=0.3 * 40, batch_size=40, learning_rate_init=1e-3)
    vectors = []
    for _ in range(2):
        other.partial_fit(features, labels, classes=[0, 1, 2])
        layers = zip(other.coefs_, other.intercepts_, strict=True)
        vectors.append(np.concatenate([part.ravel() for layer in layers for part in layer]))
    before, after = vectors
    slope = network.gradient(before, (3, 5, 3), features, np.eye(3)[labels])
    slope = slope + network.weight_decay(array_namespace(before), (3, 5, 3), 0.3) * before
    np.testing.assert_allclose(slope, (before - after) / 1e-3, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("hidden", [(), (8,)])
def test_l2_shrinks_weights_but_not_biases(arrays, hidden):
    # equal features: the best biases predict the share of each class, whatever the l2
    features, labels = np.ones((1000, 2)), np.repeat([0, 0, 0, 1], 250)
    settings = PerceptronSettings(**{**vars(QUICK), "hidden": hidden, "l2": 1.0, "learning_rate": 0.2})
    model = fitted(arrays, features, labels, 2, settings)
    assert max(np.abs(weights).max() for weights in model.weights) < 1e-3
    np.testing.assert_allclose(model.predict_proba(features[:1]), [[0.75, 0.25]], atol=0.01)


def test_a_fit_follows_its_schedule_of_step_sizes(monkeypatch):
    steps = []
    adam = perceptron.adam
    monkeypatch.setattr(perceptron, "adam", lambda state, slope, step: steps.append(step) or adam(state, slope, step))
    features, labels = gaussians(1000)
    perceptron.fit(features, labels, 3, PerceptronSettings(**{**vars(QUICK), "max_epochs": 2}), 0, HOST)
    # 900 training bins in 50 batches of 18; 20 of the 100 updates are the warm-up
    largest = QUICK.learning_rate * np.sqrt(18 / 1024)
    rise, fall = np.arange(0.5, 20) / 20, np.arange(79.5, 0, -1) / 80
    n = np.arange(1, 101)
    corrections = np.sqrt(1 - 0.999**n) / (1 - 0.9**n)
    np.testing.assert_allclose(steps, largest * np.concatenate([rise, fall]) * corrections)


def test_three_clouds_are_classified_on_every_array_library(arrays):
    features, labels = gaussians()
    held_out, expected = gaussians(seed=1)
    model = perceptron.fit(arrays.asarray(features), arrays.asarray(labels), 3, QUICK, 0, arrays)
    predicted = arrays.to_host(predict(model, arrays.asarray(held_out)))
    assert predicted.dtype == np.int64
    assert np.mean(predicted == expected) > 0.95
    probability = arrays.to_host(model.predict_proba(arrays.asarray(held_out)))
    assert probability.dtype == np.float32
    np.testing.assert_allclose(
        probability,
        perceptron.fit(features, labels, 3, QUICK, 0, HOST).predict_proba(held_out),
        atol=1e-4,
    )


def test_classes_need_not_be_linearly_separable():
    corner = np.random.default_rng(0).integers(2, size=(1000, 2))
    features = corner + np.random.default_rng(1).normal(scale=0.1, size=corner.shape)
    model = perceptron.fit(features, corner[:, 0] ^ corner[:, 1], 2, QUICK, 0, HOST)
    assert predict(model, np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])).tolist() == [0, 1, 1, 0]


def test_held_out_accuracy_is_near_the_best_possible():
    # 10 % of the labels are random ones of 4: the best possible accuracy is 0.925
    rng = np.random.default_rng(3)
    features = rng.uniform(-1, 1, size=(8000, 5))
    labels = 2 * (np.sum(features**2, axis=1) > 5 / 3) + (features[:, 0] > features[:, 1])
    labels = np.where(rng.random(8000) < 0.1, rng.integers(4, size=8000), labels)
    model = perceptron.fit(
        features[:6000], labels[:6000], 4, PerceptronSettings(**{**vars(QUICK), "hidden": (64, 64)}), 0, HOST
    )
    assert np.mean(predict(model, features[6000:]) == labels[6000:]) > 0.86


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_weights(arrays):
    features, labels = gaussians(200)
    one, same, other = (fitted(arrays, features, labels, 3, seed=seed) for seed in (5, 5, 6))
    assert all(array.tobytes() == same.arrays()[name].tobytes() for name, array in one.arrays().items())
    assert not np.array_equal(one.weights[0], other.weights[0])


def test_probabilities_do_not_depend_on_the_units_of_the_features():
    features, labels = gaussians()
    plain = perceptron.fit(features, labels, 3, QUICK, 0, HOST).predict_proba(features)
    converted = features * [1e-3, 40.0, 2.0] + [7.0, -1e5, 0.5]
    np.testing.assert_allclose(
        perceptron.fit(converted, labels, 3, QUICK, 0, HOST).predict_proba(converted), plain, atol=1e-3
    )


def test_the_scale_is_that_of_all_bins():
    features, labels = gaussians(100)
    features[:, 2] = 0.1  # its deviation is not exactly 0 in floating point
    model = perceptron.fit(features, labels, 3, QUICK, 0, HOST)
    np.testing.assert_allclose(model.mean, features.mean(axis=0))
    np.testing.assert_allclose(model.scale, [*features.std(axis=0)[:2], 1.0])
    assert np.abs(model.predict_proba(features + np.array([0, 0, 0.01])) - model.predict_proba(features)).max() < 0.1


def test_probabilities_do_not_depend_on_the_chunks(arrays, monkeypatch):
    features, labels = gaussians(100)
    model = perceptron.fit(arrays.asarray(features), arrays.asarray(labels), 3, QUICK, 0, arrays)
    expected = arrays.to_host(model.predict_proba(arrays.asarray(features)))
    monkeypatch.setattr(perceptron, "rows_per_chunk", lambda *_: 7)
    np.testing.assert_allclose(
        arrays.to_host(model.predict_proba(arrays.asarray(features))), expected, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-6)
    assert model.predict_proba(arrays.asarray(features[:0])).shape == (0, 3)


@pytest.mark.parametrize("bins", [1, 2, 9, 10, 49, 51])
def test_few_bins_can_be_fitted(arrays, bins):
    features, labels = gaussians(bins)
    model = fitted(arrays, features, labels, 3)
    assert np.isfinite(model.predict_proba(features)).all()


def test_a_class_without_bins_is_never_predicted():
    features, labels = gaussians()
    model = perceptron.fit(features, np.where(labels == 1, 3, labels).astype(np.int16), 5, QUICK, 0, HOST)
    assert model.n_classes == 5
    assert set(predict(model, features)) == {0, 2, 3}


def test_a_single_class_has_probability_1(arrays):
    features, labels = gaussians(50)
    model = fitted(arrays, features, 0 * labels, 1)
    assert model.predict_proba(features).tolist() == [[1.0]] * 50


def test_a_perceptron_may_have_no_hidden_layer():
    features, labels = gaussians()
    model = perceptron.fit(
        features, labels, 3, PerceptronSettings(**{**vars(QUICK), "hidden": (), "learning_rate": 0.3}), 0, HOST
    )
    assert np.mean(predict(model, features) == labels) > 0.9
    assert len(perceptron.Perceptron.from_arrays(model.arrays()).weights) == 1


def test_features_may_be_float32():
    features, labels = gaussians()
    model = perceptron.fit(features.astype(np.float32), labels, 3, QUICK, 0, HOST)
    assert np.mean(predict(model, features.astype(np.float32)) == labels) > 0.95


def test_a_model_without_one_of_its_arrays_is_refused():
    features, labels = gaussians(20)
    named = perceptron.fit(features, labels, 3, QUICK, 0, HOST).arrays()
    for name in named:
        with pytest.raises(KeyError):
            perceptron.Perceptron.from_arrays({other: array for other, array in named.items() if other != name})


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        ([[1.0], [np.nan]], [0, 1], "NaN"),
        ([[1.0], [-np.inf]], [0, 1], "infinite"),
        ([[1.0], [2.0]], [0, 2], "from 0 to 1"),
        ([[1.0], [2.0]], [-1, 1], "from 0 to 1"),
        (np.zeros((0, 1)), np.zeros(0, int), "no bins"),
    ],
)
def test_bins_that_cannot_be_fitted_are_refused(arrays, features, labels, message):
    with pytest.raises(ValueError, match=message):
        perceptron.fit(arrays.asarray(features), arrays.asarray(labels), 2, QUICK, 0, arrays)


def test_arguments_are_not_written_to():
    features, labels = gaussians(100)
    features.setflags(write=False)
    labels.setflags(write=False)
    predict(perceptron.fit(features, labels, 3, QUICK, 0, HOST), features)


def test_a_fit_stops_without_progress_and_returns_the_best_epoch(monkeypatch):
    features, labels = gaussians(200)
    scores = iter([0.5, 0.9, 0.7, 0.9, 0.6, 1.0])
    scored = []
    monkeypatch.setattr(perceptron, "accuracy", lambda layers, x, labels: scored.append(layers) or next(scores))
    model = perceptron.fit(features, labels, 3, PerceptronSettings(**{**vars(QUICK), "patience": 3}), 0, HOST)
    assert len(scored) == 5  # none of the three epochs after the second was better
    assert np.array_equal(model.weights[0], scored[3][0][0])  # the last of the best epochs: its steps are smaller


def test_a_fit_synchronises_with_the_device_once_per_epoch(monkeypatch):
    conversions = []
    kind = type(array_api_strict.asarray(0.0))
    for name in ("__float__", "__bool__", "__int__", "__index__", "__complex__", "__array__", "__dlpack__"):
        original = getattr(kind, name)
        spy = lambda self, *a, _f=original, _n=name, **k: conversions.append(_n) or _f(self, *a, **k)  # noqa: E731
        monkeypatch.setattr(kind, name, spy)
    transfers = []

    class Counting:
        def to_host(self, values):
            transfers.append(values.shape)
            return np.asarray(values)

    features, labels = gaussians(600)
    perceptron.fit(array_api_strict.asarray(features), array_api_strict.asarray(labels), 3, QUICK, 0, Counting())
    # the check of the input, and one score per epoch of the 600 updates
    assert transfers == [(2,)] + [()] * QUICK.max_epochs
    assert len(conversions) == len(transfers)
