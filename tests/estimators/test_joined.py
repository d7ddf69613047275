import numpy as np
import pytest

from bsoid_gpu.estimators import perceptron
from bsoid_gpu.estimators.joined import Joined
from bsoid_gpu.estimators.perceptron import PerceptronSettings


class Fixed:
    def __init__(self, posterior):
        self.posterior = posterior

    def predict_proba(self, _):
        return self.posterior


def test_posteriors_by_hand(arrays):
    first = arrays.asarray(np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]], dtype=np.float32))
    second = arrays.asarray(np.array([[0.5, 0.5], [1.0, 0.0]], dtype=np.float32))
    both = Joined.of([Fixed(first), Fixed(second)], [np.array([0, 1, 1]), np.array([1, 0])], arrays)
    np.testing.assert_allclose(arrays.to_host(both.predict_proba(None)), [[0.5, 0.5], [0.0, 1.0]])
    # a label that belongs to no group takes its share with it; rows still sum to 1
    some = Joined.of([Fixed(first), Fixed(second)], [np.array([0, -1, 1]), np.array([1, -1])], arrays)
    np.testing.assert_allclose(arrays.to_host(some.predict_proba(None)), [[0.4, 0.6], [0.0, 1.0]], rtol=1e-6)
    assert both.n_classes == some.n_classes == 2


def test_arrays_restore_the_classifiers_and_their_groups(cpu):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 3))
    settings = PerceptronSettings(hidden=(4,), max_epochs=2)
    fitted = [perceptron.fit(features, rng.integers(0, n, size=200), n, settings, n, cpu) for n in (2, 3)]
    joined = Joined.of(fitted, [np.array([0, 1]), np.array([1, 0, 2])], cpu)
    named = joined.arrays()
    restored = Joined.from_arrays(named, perceptron.ESTIMATOR.from_arrays)
    assert np.array_equal(restored.predict_proba(features), joined.predict_proba(features))
    for name in named:
        with pytest.raises(KeyError):
            Joined.from_arrays(
                {other: array for other, array in named.items() if other != name}, perceptron.ESTIMATOR.from_arrays
            )
