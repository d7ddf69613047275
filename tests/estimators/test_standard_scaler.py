import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

from bsoid_gpu.estimators.standard_scaler import scale_of, standardise


def scale_on(arrays, columns, **options):
    """Mean and deviation, computed by the array library, on the host."""
    return tuple(arrays.to_host(part) for part in scale_of(arrays.asarray(columns), **options))


def test_scale_by_hand(arrays):
    mean, deviation = scale_on(arrays, [[1.0, -7.0, 0.0], [3.0, -7.0, 0.0], [5.0, -7.0, 3.0]])
    assert mean == pytest.approx([3.0, -7.0, 1.0])
    assert deviation == pytest.approx([np.sqrt(8 / 3), 1.0, np.sqrt(2)])  # of the population; 1 for the constant column
    assert mean.dtype == deviation.dtype == np.float64


def test_standardised_columns_have_mean_0_and_deviation_1_or_0_if_constant(arrays):
    x = np.random.default_rng(3).normal(5, 3, size=(200, 4))
    x[:, 2] = 0.1  # its mean is not exactly 0.1
    features = arrays.asarray(x)
    standardised = arrays.to_host(standardise(features, *scale_of(features)))
    np.testing.assert_allclose(standardised.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(standardised.std(0), [1, 1, 0, 1], atol=1e-12)


@pytest.mark.parametrize(
    ("mean", "noise"),
    [(0.0, 1e-14), (0.0, 9e-10), (1.0, 1e-14), (1e6, 1e-10), (1e6, 1e-8), (-1e6, 1e-8), (1e12, 1e-4)],
)
def test_a_column_of_rounding_noise_is_constant(arrays, mean, noise):
    column = mean + noise * np.resize([1.0, -1.0], 1000)
    assert np.ptp(column) > 0
    _, deviation = scale_on(arrays, column[:, None])
    assert deviation.tolist() == [1.0]


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1e-6), (1.0, 1e-6), (100.0, 1e-6), (0.0, 2e-9), (1e6, 1e-4)])
def test_a_small_deviation_above_rounding_is_not_constant(arrays, mean, spread):
    _, deviation = scale_on(arrays, mean + spread * np.resize([1.0, -1.0], 1000)[:, None])
    assert deviation == pytest.approx([spread], rel=1e-3)


def test_the_floor_is_in_the_unit_of_the_columns(arrays):
    deviation = 2.0**-33  # 1.2e-10, without rounding
    metres = deviation * np.resize([1.0, -1.0], 1000)[:, None]
    assert scale_on(arrays, metres)[1].tolist() == [1.0]
    assert scale_on(arrays, metres, floor=1e-12)[1].tolist() == [deviation]
    assert scale_on(arrays, metres, floor=deviation)[1].tolist() == [1.0]  # a deviation has to exceed the floor


@given(numpy_arrays(np.float64, (20, 3), elements=st.floats(-1e4, 1e4, width=32)))
def test_a_column_that_varies_has_exactly_its_mean_and_deviation(x):
    mean, deviation = scale_of(x)
    expected = np.std(x, axis=0)
    varies = expected > 1e-6
    assert np.array_equal(mean, np.mean(x, axis=0))
    assert np.array_equal(deviation[varies], expected[varies])
    assert (deviation > 1e-9).all()


def test_no_rows_have_a_scale_of_1(arrays):
    mean, deviation = scale_on(arrays, np.zeros((0, 2)))
    assert (mean.tolist(), deviation.tolist()) == ([0.0, 0.0], [1.0, 1.0])
