import numpy as np

from bsoid_gpu.scale import scale_of, standardise


def test_standardised_columns_have_mean_0_and_deviation_1_and_constant_ones_stay_finite(arrays):
    x = np.random.default_rng(3).normal(5, 3, size=(200, 4))
    x[:, 2] = 0.1  # its mean is not exactly 0.1
    on = arrays.asarray(x)
    found = arrays.to_host(standardise(on, *scale_of(on)))
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(0), [1, 1, 0, 1], atol=1e-12)
