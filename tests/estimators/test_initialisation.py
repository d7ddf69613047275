import numpy as np
import pytest
from array_api_compat import array_namespace
from sklearn.decomposition import PCA

from bsoid_gpu.estimators.initialisation import components_for, principal_components, small_principal_components


@pytest.mark.parametrize("seed", range(4))
def test_positions_are_principal_components_whose_largest_loading_is_positive(arrays, seed):
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    scaled = rng.normal(size=(2000, 5)) * [5.0, 3.0, 2.0, 0.5, 0.1] @ rotation.T
    start = arrays.to_host(principal_components(arrays.asarray(scaled), 3, 0))
    assert start.dtype == np.float32
    np.testing.assert_allclose([start.min(axis=0), start.max(axis=0)], [[0.0] * 3, [10.0] * 3], atol=1e-6)
    components = np.linalg.svd(scaled - scaled.mean(axis=0), full_matrices=False)[2][:3]
    for coordinate, component in zip(start.T, components, strict=True):
        loadings = component * np.sign(component[np.argmax(np.abs(component))])
        assert np.corrcoef(coordinate, scaled @ loadings)[0, 1] > 0.99999


@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("slope", [0.5, -0.5])
def test_the_column_with_the_largest_loading_determines_the_sign(arrays, column, slope):
    # one direction of variance: the column with the wider range has the largest loading
    wide = np.arange(11.0)
    scaled = np.stack([wide, slope * wide], axis=1)[:, [column, 1 - column]]
    start = arrays.to_host(principal_components(arrays.asarray(scaled), 1, 0))
    np.testing.assert_allclose(start[:, 0], wide, atol=0.01)
    mirrored = arrays.to_host(principal_components(arrays.asarray(-scaled), 1, 0))
    np.testing.assert_allclose(mirrored[:, 0], 10 - wide, atol=0.01)


@pytest.mark.parametrize("signs", [[1.0, 1.0, -1.0], [-1.0, -1.0, -1.0], [-1.0, 1.0, 1.0]])
def test_positions_do_not_depend_on_the_signs_of_the_eigenvectors(arrays, monkeypatch, signs):
    scaled = arrays.asarray(np.random.default_rng(2).normal(size=(200, 3)) @ np.diag([3.0, 2.0, 1.0]))
    expected = arrays.to_host(principal_components(scaled, 3, 0))
    linalg = array_namespace(scaled).linalg
    eigh = linalg.eigh
    monkeypatch.setattr(linalg, "eigh", lambda matrix: (eigh(matrix)[0], eigh(matrix)[1] * arrays.asarray(signs)))
    assert arrays.to_host(principal_components(scaled, 3, 0)).tobytes() == expected.tobytes()


def test_four_bins_by_hand(arrays):
    # variance 18 along (1, 1), 1/2 along (1, -1)
    scaled = np.asarray([[-3.0, -3.0], [3.0, 3.0], [0.5, -0.5], [-0.5, 0.5]])
    start = arrays.to_host(principal_components(arrays.asarray(scaled), 2, 0))
    np.testing.assert_allclose(start[:, 0], [0, 10, 5, 5], atol=0.01)
    assert sorted(np.round(start[:, 1]).tolist()) == [0, 5, 5, 10]


def test_equal_bins_and_surplus_dimensions_have_different_positions(arrays):
    for scaled in (np.zeros((50, 2)), np.repeat(np.arange(5.0), 10)[:, None] * [1.0, 2.0]):
        start = arrays.to_host(principal_components(arrays.asarray(scaled), 3, 0))
        assert np.isfinite(start).all()
        assert len(np.unique(start, axis=0)) == 50


@pytest.mark.parametrize("dimensions", [2, 3])
def test_small_positions_are_those_of_scikit_learn(arrays, dimensions):
    rng = np.random.default_rng(1)
    scaled = rng.normal(size=(500, 6)) @ rng.normal(size=(6, 6)) + 3.0
    start = arrays.to_host(small_principal_components(arrays.asarray(scaled), dimensions, 0))
    expected = PCA(dimensions).fit_transform(scaled)
    expected *= 1e-4 / expected[:, 0].std()
    signs = np.sign(np.sum(start * expected, axis=0))
    assert start.dtype == np.float32
    np.testing.assert_allclose(start * signs, expected, atol=1e-8)  # the noise has 1e-5 of the extent


@pytest.mark.parametrize("variance", [0.01, 0.3, 0.7, 0.9, 0.999, 1.0])
def test_as_many_components_as_scikit_learn_takes_for_a_share_of_the_variance(arrays, variance):
    rng = np.random.default_rng(3)
    scaled = rng.normal(size=(400, 12)) @ rng.normal(size=(12, 12))
    shares = np.cumsum(PCA().fit(scaled).explained_variance_ratio_)
    expected = np.argmax(shares >= variance * (1 - 1e-12)) + 1
    assert arrays.to_host(components_for(arrays.asarray(scaled), variance)) == expected
    if variance < 1:
        assert PCA(variance, svd_solver="full").fit(scaled).n_components_ == expected


def test_components_by_hand(arrays):
    # variances 18 and 1/2 along (1, 1) and (1, -1): shares 36/37 and 1/37
    scaled = arrays.asarray(np.asarray([[-3.0, -3.0], [3.0, 3.0], [0.5, -0.5], [-0.5, 0.5]]))
    assert arrays.to_host(components_for(scaled, 36 / 37)) == 1
    assert arrays.to_host(components_for(scaled, 0.98)) == 2
    assert 1 <= arrays.to_host(components_for(arrays.asarray(np.ones((5, 3))), 0.01)) <= 3  # nothing varies
