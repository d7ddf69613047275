import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.behaviours.ranks import Ranked, mean_of_known


def auc_by_pairs(own, others):
    """Probability that a value of ``own`` is larger, ties counting half, by comparing all pairs."""
    own, others = own[np.isfinite(own)], others[np.isfinite(others)]
    if not len(own) or not len(others):
        return np.nan
    return float(np.mean((own[:, None] > others) + 0.5 * (own[:, None] == others)))


@given(st.integers(0, 10_000))
def test_against_all_pairs_with_ties_and_unknown_values(seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, (30, 2)).astype(float)
    values[rng.uniform(size=values.shape) < 0.1] = np.nan
    own = rng.uniform(size=30) < 0.4
    below = Ranked.of(values).share_below(own)
    for column in range(2):
        expected = auc_by_pairs(values[own, column], values[~own, column])
        np.testing.assert_allclose(mean_of_known(below)[column], expected)
    quartiles = Ranked.of(values).quantiles(own)
    for column in range(2):
        known = values[own, column][np.isfinite(values[own, column])]
        expected = np.quantile(known, [0.25, 0.5, 0.75]) if len(known) else [np.nan] * 3
        np.testing.assert_allclose(quartiles[:, column], expected)


def test_auc_by_hand():
    ranked = Ranked.of(np.array([[1.0], [2.0], [3.0], [3.0]]))
    # 3 is above 1 and 2, and equal to 3
    np.testing.assert_allclose(ranked.share_below(np.array([False, False, True, False])), [[2.5 / 3]])


def test_pairs_of_groups_against_all_pairs():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(shift, 1, (200, 3)) for shift in (0, 0.5, 3)])
    values[5, 1] = np.nan
    groups = np.repeat(np.eye(3, dtype=bool), 200, axis=1)
    aucs = Ranked.of(values).pair_auc(groups)
    for i in range(3):
        for j in range(3):
            for column in range(3):
                expected = auc_by_pairs(values[groups[i], column], values[groups[j], column])
                assert aucs[i, j, column] == pytest.approx(expected, abs=1 / 128)


def test_an_empty_group_has_no_auc():
    ranked = Ranked.of(np.arange(6.0)[:, None])
    aucs = ranked.pair_auc(np.array([[True] * 6, [False] * 6]))
    assert aucs[0, 0, 0] == pytest.approx(0.5)
    assert np.isnan(aucs[0, 1]).all()
    assert np.isnan(ranked.quantiles(np.zeros(6, bool))).all()


def test_correlation_is_that_of_ranks():
    x = np.random.default_rng(0).normal(size=100)
    values = np.stack([x, np.exp(x), -(x**3), np.ones(100)], axis=1)
    matrix = Ranked.of(values).correlation()
    np.testing.assert_allclose(matrix[:3, :3], [[1, 1, -1], [1, 1, -1], [-1, -1, 1]], atol=1e-9)
    np.testing.assert_array_equal(matrix[3], 0)
