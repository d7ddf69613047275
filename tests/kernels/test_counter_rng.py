import array_api_compat.numpy as xp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bsoid_gpu.kernels import counter_rng


def test_random_words_are_those_of_splitmix64(arrays):
    # seed 0 and stream 0 mix to the state 0, whose first outputs are published
    library = getattr(arrays, "xp", xp)
    words = counter_rng._random_words(library, 3, 0, 0, getattr(arrays, "device", None))
    assert arrays.to_host(words).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@given(n=st.integers(0, 500), seed=st.integers(0, 2**32 - 1), stream=st.integers(0, 2**32 - 1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_permutation_is_the_same_on_every_array_library(arrays, n, seed, stream):
    order = counter_rng.permutation(xp, n, seed, stream)
    assert sorted(order.tolist()) == list(range(n))
    library, device = getattr(arrays, "xp", xp), getattr(arrays, "device", None)
    assert np.array_equal(arrays.to_host(counter_rng.permutation(library, n, seed, stream, device)), order)


def test_random_numbers_are_uniform_and_streams_uncorrelated():
    numbers = counter_rng.uniform(xp, 100_000, 7, 1)
    assert numbers.dtype == np.float32
    assert 0 <= numbers.min() < numbers.max() < 1
    assert np.histogram(numbers, 10, (0, 1))[0] == pytest.approx(10_000, rel=0.05)
    for seed, stream in ((7, 2), (8, 1)):
        assert abs(np.corrcoef(numbers, counter_rng.uniform(xp, 100_000, seed, stream))[0, 1]) < 0.01
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 0.01
