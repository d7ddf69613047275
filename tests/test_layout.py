import numpy as np
import pytest

from bsoid_gpu.layout import part_ties, principal_start


def test_the_start_lies_along_the_principal_components(arrays):
    rng = np.random.default_rng(0)
    turned, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    scaled = rng.normal(size=(2000, 5)) * [5.0, 3.0, 2.0, 0.5, 0.1] @ turned.T
    start = arrays.to_host(principal_start(arrays.asarray(scaled), 3, 0))
    assert start.dtype == np.float32
    np.testing.assert_allclose([start.min(axis=0), start.max(axis=0)], [[0.0] * 3, [10.0] * 3], atol=1e-6)
    for component in range(3):
        along = (scaled - scaled.mean(axis=0)) @ np.linalg.svd(scaled - scaled.mean(axis=0), full_matrices=False)[2][
            component
        ]
        assert abs(np.corrcoef(start[:, component], along)[0, 1]) > 0.99999


def test_the_start_by_hand(arrays):
    # variance 18 along (1, 1), 1/2 along (1, -1)
    scaled = np.asarray([[-3.0, -3.0], [3.0, 3.0], [0.5, -0.5], [-0.5, 0.5]])
    start = arrays.to_host(principal_start(arrays.asarray(scaled), 2, 0))
    np.testing.assert_allclose(start[:, 0], [0, 10, 5, 5], atol=0.01)
    assert sorted(np.round(start[:, 1]).tolist()) == [0, 5, 5, 10]


def test_more_dimensions_than_columns_and_equal_bins_still_start_apart(arrays):
    for scaled in (np.zeros((50, 2)), np.repeat(np.arange(5.0), 10)[:, None] * [1.0, 2.0]):
        start = arrays.to_host(principal_start(arrays.asarray(scaled), 3, 0))
        assert np.isfinite(start).all()
        assert len(np.unique(start, axis=0)) == 50


def test_equal_rows_are_parted_by_the_resolution_of_float32_and_no_other_row_moves(arrays):
    rng = np.random.default_rng(1)
    rows = rng.normal(0, 10, size=(500, 3)).astype(np.float32)
    rows[100:120] = rows[7]
    rows[300] = rows[200]
    parted = arrays.to_host(part_ties(arrays.asarray(rows), 5, arrays.to_host))
    assert parted.dtype == np.float32
    assert len(np.unique(parted, axis=0)) == 500
    moved = np.flatnonzero((parted != rows).any(axis=1))
    assert set(moved) <= {*range(100, 120), 300}
    assert np.abs(parted - rows).max() <= 16 * np.abs(rows).max() * 2.0**-23
    again = arrays.to_host(part_ties(arrays.asarray(rows), 5, arrays.to_host))
    assert again.tobytes() == parted.tobytes()
    assert part_ties(rows, 5, np.asarray).tobytes() == parted.tobytes()  # the same on every array library


@pytest.mark.parametrize("value", [0.0, 3.5])
def test_rows_that_are_all_equal_are_parted_too(value):
    parted = part_ties(np.full((20_000, 3), value, dtype=np.float32), 0, np.asarray)
    assert len(np.unique(parted, axis=0)) == 20_000


def test_rows_without_equals_stay(arrays):
    rows = np.asarray([[0, 1], [1, 0], [0, 0]], dtype=np.float32)
    assert arrays.to_host(part_ties(arrays.asarray(rows), 0, arrays.to_host)).tobytes() == rows.tobytes()
