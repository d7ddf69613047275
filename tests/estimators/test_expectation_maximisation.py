"""Expectation maximisation on every array library, against scikit-learn and SciPy."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from bsoid_gpu.estimators import expectation_maximisation as em
from bsoid_gpu.estimators.expectation_maximisation import Mixture


def clouds(points=600, dimensions=3, number=4, seed=0):
    rng = np.random.default_rng(seed)
    centres, shapes = rng.normal(0, 3, (number, dimensions)), rng.normal(0, 1, (number, dimensions, dimensions))
    cloud = rng.integers(number, size=points)
    return centres[cloud] + np.einsum("pij,pj->pi", shapes[cloud], rng.normal(size=(points, dimensions)))


def some_mixture(points, components):
    return em.mixture_of(points, em.nearest(points, points[:components]), 1e-6)


def on(arrays, mixture):
    return Mixture(*(arrays.asarray(part) for part in mixture))


@pytest.mark.parametrize("dimensions", [1, 2, 3, 9])
def test_densities_are_those_of_scipy(arrays, dimensions):
    points = clouds(dimensions=dimensions)
    mixture = some_mixture(points, 4)
    weighted = arrays.to_host(em.weighted_log_densities(arrays.asarray(points), on(arrays, mixture)))
    expected = [
        np.log(weight) + multivariate_normal(mean, covariance).logpdf(points)
        for weight, mean, covariance in zip(*mixture, strict=True)
    ]
    np.testing.assert_allclose(weighted, np.transpose(expected), rtol=1e-9, atol=1e-9)


def test_sums_of_exponentials_neither_overflow_nor_vanish(arrays):
    logarithms = np.asarray([[1000.0, 1000.0], [-1000.0, -1001.0], [0.0, -np.inf]])
    total = arrays.to_host(em.log_of_sum(arrays.asarray(logarithms)))
    np.testing.assert_allclose(total, logsumexp(logarithms, axis=1), rtol=1e-14)
    deeper = arrays.to_host(em.log_of_sum(arrays.asarray(logarithms[None])))
    np.testing.assert_allclose(deeper[0], total, rtol=0)


def test_one_step_by_hand(arrays):
    # two components at 0 and 4 with variance 1 on one axis: the shares of the point in the middle are equal
    points = np.asarray([[0.0], [2.0], [4.0]])
    mixture = Mixture(np.full(2, 0.5), np.asarray([[0.0], [4.0]]), np.ones((2, 1, 1)))
    shares, _ = em.responsibilities(arrays.asarray(points), on(arrays, mixture))
    near = 1 / (1 + np.exp(-8))
    np.testing.assert_allclose(arrays.to_host(shares), [[near, 1 - near], [0.5, 0.5], [1 - near, near]], rtol=1e-12)
    halves = np.asarray([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    after = em.mixture_of(arrays.asarray(points), arrays.asarray(halves), 0.25)
    weights, means, covariances = (arrays.to_host(part) for part in after)
    np.testing.assert_allclose(weights, [0.5, 0.5])
    np.testing.assert_allclose(means, [[2 / 3], [10 / 3]])
    np.testing.assert_allclose(covariances, np.full((2, 1, 1), 8 / 9 + 0.25))  # (4/9 + 8/9) / 1.5


def test_the_first_of_equally_near_centres_is_nearest(arrays):
    shares = em.nearest(arrays.asarray(np.asarray([[1.0], [2.5]])), arrays.asarray(np.asarray([[0.0], [2.0]])))
    assert arrays.to_host(shares).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(("dimensions", "components"), [(2, 3), (3, 6), (8, 4)])
def test_the_mixture_is_that_of_scikit_learn_from_the_same_start(arrays, dimensions, components):
    points = clouds(dimensions=dimensions)
    first = some_mixture(points, components)
    model = GaussianMixture(
        components, tol=1e-5, reg_covar=1e-6, max_iter=500, weights_init=first.weights, means_init=first.means,
        precisions_init=np.linalg.inv(first.covariances),
    ).fit(points)  # fmt: skip
    mixture, log_likelihood, iterations, converged = em.maximised(
        arrays.asarray(points), on(arrays, first), 1e-6, 1e-5, 500, arrays.to_host
    )
    assert converged
    assert iterations == model.n_iter_
    assert log_likelihood == pytest.approx(model.lower_bound_, abs=1e-6)
    expected = model.weights_, model.means_, model.covariances_
    for part, other in zip(mixture, expected, strict=True):
        np.testing.assert_allclose(arrays.to_host(part), other, atol=1e-6)


def test_too_few_iterations_do_not_converge():
    points = clouds()
    first = some_mixture(points, 4)
    likelihoods = [em.maximised(points, first, 1e-6, 1e-9, number, lambda x: x) for number in (1, 2, 3, 10)]
    assert [one.iterations for one in likelihoods] == [1, 2, 3, 10]
    assert not any(one.converged for one in likelihoods)
    values = [one.log_likelihood for one in likelihoods]
    assert values == sorted(values)  # each step improves
    assert values[0] < values[-1]
