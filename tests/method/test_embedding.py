import numpy as np
import pytest
from conftest import NumpyArrays

from bsoid_gpu.method.embedding import separate_equal_rows


def test_equal_rows_are_separated_by_float32_resolution_and_other_rows_do_not_move(arrays):
    rng = np.random.default_rng(1)
    rows = rng.normal(0, 10, size=(500, 3)).astype(np.float32)
    rows[100:120] = rows[7]
    rows[300] = rows[200]
    separated = arrays.to_host(separate_equal_rows(arrays.asarray(rows), 5, arrays))
    assert separated.dtype == np.float32
    assert len(np.unique(separated, axis=0)) == 500
    moved = np.flatnonzero((separated != rows).any(axis=1))
    assert set(moved) <= {*range(100, 120), 300}
    assert np.abs(separated - rows).max() <= 16 * np.abs(rows).max() * 2.0**-23
    again = arrays.to_host(separate_equal_rows(arrays.asarray(rows), 5, arrays))
    assert again.tobytes() == separated.tobytes()
    on_numpy = separate_equal_rows(rows, 5, NumpyArrays())  # the same on every array library
    assert on_numpy.tobytes() == separated.tobytes()


@pytest.mark.parametrize("value", [0.0, 3.5])
def test_many_equal_rows_are_separated(value):
    separated = separate_equal_rows(np.full((20_000, 3), value, dtype=np.float32), 0, NumpyArrays())
    assert len(np.unique(separated, axis=0)) == 20_000


def test_different_rows_do_not_move(arrays):
    rows = np.asarray([[0, 1], [1, 0], [0, 0]], dtype=np.float32)
    assert arrays.to_host(separate_equal_rows(arrays.asarray(rows), 0, arrays)).tobytes() == rows.tobytes()
