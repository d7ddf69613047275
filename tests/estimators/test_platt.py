"""Sigmoids of pairs, against a general minimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from bsoid_gpu.estimators import platt


def loss(point, values, positive):
    target = np.where(positive, (positive.sum() + 1) / (positive.sum() + 2), 1 / ((~positive).sum() + 2))
    exponent = point[0] * values + point[1]
    return np.sum(target * exponent + np.logaddexp(0, -exponent))


def some_pairs(pairs=6, seed=0):
    rng = np.random.default_rng(seed)
    pair = np.sort(rng.integers(pairs, size=80 * pairs))
    positive = rng.random(len(pair)) < 0.2 + 0.1 * pair
    values = rng.normal(np.where(positive, 0.8, -0.4 - 0.3 * pair), 0.5 + 0.2 * pair)
    order = rng.permutation(len(pair))
    return values[order], positive[order], pair[order]


def test_each_pair_has_the_least_loss():
    values, positive, pair = some_pairs()
    slopes, offsets = platt.sigmoids(values, positive, pair, 6)
    for number in range(6):
        of_pair = values[pair == number], positive[pair == number]
        expected = minimize(loss, [0.0, 0.0], of_pair, method="BFGS", options={"gtol": 1e-8}).x
        np.testing.assert_allclose([slopes[number], offsets[number]], expected, rtol=1e-4, atol=1e-5)
        assert slopes[number] < 0


def test_many_values_give_the_logistic_regression():
    rng = np.random.default_rng(1)
    values = rng.normal(size=20_000)
    positive = rng.random(20_000) < 1 / (1 + np.exp(-(2 * values + 0.5)))
    slopes, offsets = platt.sigmoids(values, positive, np.zeros(20_000, dtype=int), 1)
    model = LogisticRegression(C=1e9, tol=1e-10).fit(values[:, None], positive)
    np.testing.assert_allclose([-slopes[0], -offsets[0]], [model.coef_[0, 0], model.intercept_[0]], rtol=1e-3)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_separable_and_huge_values_are_finite(scale):
    values = scale * np.array([-3.0, -2.0, 2.0, 3.0, 4.0])
    positive = values > 0
    slopes, offsets = platt.sigmoids(values, positive, np.zeros(5, dtype=int), 1)
    probability = 1 / (1 + np.exp(slopes[0] * values + offsets[0]))
    # the targets are 4/5 for the three and 1/4 for the two: not sure of so few
    assert probability[positive].mean() == pytest.approx(0.8, abs=0.02)
    assert probability[~positive].mean() == pytest.approx(0.25, abs=0.02)


def test_a_pair_without_values_is_undecided():
    slopes, offsets = platt.sigmoids(np.array([1.0, -1.0]), np.array([True, False]), np.array([1, 1]), 3)
    assert (slopes[[0, 2]] == 0).all()
    assert (offsets[[0, 2]] == 0).all()
    assert slopes[1] < 0
