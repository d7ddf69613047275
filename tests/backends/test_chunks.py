import numpy as np
from conftest import StrictArrays

from bsoid_gpu.backends import chunks


def test_on_a_device_a_chunk_is_limited_by_its_bytes():
    array = StrictArrays().asarray(np.zeros((1, 1)))
    assert chunks.rows_per_chunk(array, 36) * 36 * 8 == 2**26 - 2**26 % (36 * 8)
    assert chunks.rows_per_chunk(array, 10**8) == 1


def test_on_the_host_a_chunk_stays_in_the_cache():
    assert {chunks.rows_per_chunk(np.zeros((1, 1)), columns) for columns in (1, 36, 10**8)} == {16_384}
