"""The support vector machine on every array library."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import NumpyArrays
from sklearn.svm import SVC

from bsoid_gpu.estimators import svm
from bsoid_gpu.estimators.base import JobSize
from bsoid_gpu.estimators.svm import SupportVectorMachine, SvmSettings
from bsoid_gpu.settings import toml

SETTINGS = SvmSettings()


def blobs(bins=600, classes=5, seed=0, spread=1.0):
    """Clouds in four columns of very different units."""
    rng = np.random.default_rng(seed)
    label = rng.integers(classes, size=bins)
    centres = np.random.default_rng(7).normal(0, 2.0, (classes, 4))
    return (centres[label] + rng.normal(0, spread, (bins, 4))) * [1.0, 100.0, 1e-3, 5.0] + [0, 1e4, 0, -3], label


def fitted(features, labels, classes, arrays=None, settings=SETTINGS, seed=0):
    arrays = arrays or NumpyArrays()
    return svm.fit(arrays.asarray(features), arrays.asarray(labels), classes, settings, seed, arrays)


def standardised(features, by):
    return (features - by.mean(axis=0)) / by.std(axis=0)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_decision_values_are_those_of_scikit_learn(arrays, classes):
    features, labels = blobs(classes=classes)
    machine = fitted(features, labels, classes, arrays)
    other, _ = blobs(2500, classes, seed=1)
    expected = SVC(gamma=1 / 4, decision_function_shape="ovo").fit(standardised(features, features), labels)
    firsts, seconds = np.triu_indices(classes, 1)
    values = arrays.to_host(machine.decision_values(arrays.asarray(other)))
    assert np.array_equal(values, np.swapaxes(values, 1, 2))
    by_pair = expected.decision_function(standardised(other, features))
    by_pair = -by_pair[:, None] if classes == 2 else by_pair  # of two, scikit-learn's is positive for the second
    np.testing.assert_allclose(values[:, firsts, seconds], by_pair, atol=1e-8)


def test_the_most_probable_class_is_nearly_always_that_of_scikit_learn(arrays):
    features, labels = blobs(classes=6)
    other, true = blobs(2500, 6, seed=1)
    machine = fitted(features, labels, 6, arrays)
    probabilities = arrays.to_host(machine.predict_proba(arrays.asarray(other)))
    votes = SVC(gamma=1 / 4).fit(standardised(features, features), labels).predict(standardised(other, features))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    likeliest = np.argmax(probabilities, axis=1)
    assert np.mean(likeliest == votes) >= 0.97
    assert np.mean(likeliest == true) > np.mean(votes == true) - 0.01
    # held-out rows are right as often as the probabilities say
    assert probabilities.max(axis=1).mean() == pytest.approx(np.mean(likeliest == true), abs=0.03)


def test_probabilities_are_coupled_by_hand(arrays):
    # r_12 = 0.8, r_13 = 0.6, r_23 = 0.5: p is proportional to 1 / (1/0.8 + 1/0.6 - 1), ...
    log_odds = np.zeros((3, 3))
    for (i, j), r in {(0, 1): 0.8, (0, 2): 0.6, (1, 2): 0.5}.items():
        log_odds[i, j] = np.log(r / (1 - r))
    parts = {
        "mean": np.zeros(2), "deviation": np.ones(2), "gamma": np.asarray(1.0), "column": np.array([1, 3, 0, 2]),
        "intercept": np.zeros((3, 3)), "slope": np.zeros((3, 3)), "offset": log_odds - log_odds.T,
        **{f"support.{i}": np.zeros((0, 2)) for i in range(3)},
        **{f"coefficients.{i}": np.zeros((0, 3)) for i in range(3)},
    }  # fmt: skip
    machine = SupportVectorMachine.from_arrays({name: arrays.asarray(array) for name, array in parts.items()})
    shares = np.array([1 / (1 / 0.8 + 1 / 0.6 - 1), 1 / (1 / 0.2 + 1 / 0.5 - 1), 1 / (1 / 0.4 + 1 / 0.5 - 1)])
    shares /= shares.sum()
    probabilities = arrays.to_host(machine.predict_proba(arrays.asarray(np.zeros((2, 2)))))
    np.testing.assert_allclose(probabilities, [[shares[1], 0.0, shares[0], shares[2]]] * 2, atol=1e-7)


def test_classes_without_bins_get_nothing_and_one_class_needs_no_machine(arrays):
    features, labels = blobs(classes=3)
    machine = fitted(features, 2 * labels + 1, 7, arrays)  # 1, 3 and 5
    probabilities = arrays.to_host(machine.predict_proba(arrays.asarray(features)))
    assert probabilities.shape == (600, 7)
    assert (probabilities[:, [0, 2, 4, 6]] == 0).all()
    assert np.mean(np.argmax(probabilities, axis=1) == 2 * labels + 1) > 0.8
    one = fitted(features, np.full(600, 1), 3, arrays)
    assert arrays.to_host(one.predict_proba(arrays.asarray(features[:2]))).tolist() == [[0.0, 1.0, 0.0]] * 2
    assert arrays.to_host(one.predict_proba(arrays.asarray(features[:0]))).shape == (0, 3)


@pytest.mark.parametrize("few", [1, 2, 3])
def test_a_class_of_few_bins_is_fitted_too(few):
    features, labels = blobs(classes=3, spread=0.3)
    far = features[:few] + np.array([50.0, 0.0, 0.0, 0.0])
    machine = fitted(np.concatenate([features, far]), np.append(labels, [3] * few), 4)
    probabilities = machine.predict_proba(np.concatenate([features, far]))
    assert np.isfinite(probabilities).all()
    likeliest = np.argmax(probabilities, axis=1)
    assert np.mean(likeliest[:600] == labels) > 0.95
    assert (likeliest[600:] == 3).all()


def test_arrays_restore_the_machine_and_the_same_seed_gives_the_same_bytes():
    features, labels = blobs()
    one, same, other = (fitted(features, labels, 5, seed=seed) for seed in (1, 1, 2))
    assert all(array.tobytes() == same.arrays()[name].tobytes() for name, array in one.arrays().items())
    assert one.slope.tobytes() != other.slope.tobytes()  # the folds are others
    assert one.n_classes == 5
    again = SupportVectorMachine.from_arrays(one.arrays())
    assert again.predict_proba(features).tobytes() == one.predict_proba(features).tobytes()
    named = one.arrays()
    del named["support.3"]
    with pytest.raises(KeyError):
        SupportVectorMachine.from_arrays(named)


def test_settings_reach_the_machine():
    features, labels = blobs()
    x = standardised(features, features)
    for settings, options in ((SvmSettings(c=0.05), {"C": 0.05}), (SvmSettings(gamma=2.0), {"gamma": 2.0})):
        expected = SVC(**{"gamma": 1 / 4, "decision_function_shape": "ovo", **options}).fit(x, labels)
        values = fitted(features, labels, 5, settings=settings).decision_values(features)
        firsts, seconds = np.triu_indices(5, 1)
        np.testing.assert_allclose(values[:, firsts, seconds], expected.decision_function(x), atol=1e-8)
    assert toml.from_mapping({"classifier": {"method": "svm", "c": 3}}).classifier == SvmSettings(c=3.0)


def test_an_even_sample_of_each_label_by_hand():
    labels = np.array([0, 0, 1, 0, 0, 0, 0, 1, 2])
    assert svm.even_sample(labels, 3).tolist() == [0, 2, 3, 5, 7, 8]  # 0, 2 and 4 of the six
    assert svm.even_sample(labels, 100).tolist() == list(range(9))
    features, labels = blobs(3000)
    settings = replace(SETTINGS, most_bins=100)
    few = fitted(features, labels, 5, settings=settings)
    assert sum(part.shape[0] for part in few.support) <= 500
    chosen = svm.even_sample(labels, 100)
    np.testing.assert_allclose(few.mean, features[chosen].mean(axis=0))


def test_the_cost_grows_with_the_square_of_the_bins_up_to_the_sample():
    few, more, most, beyond = (svm.cost(JobSize(n, 36, 30), SETTINGS).serial_s for n in (1e4, 2e4, 3e4, 9e4))
    assert more / few == pytest.approx(4, rel=0.1)
    assert most == beyond
