"""Neighbours, and the distances that all estimators of cuML see."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from fake_rapids.distances import blocks


def neighbours(points, number):
    import cupy
    from cuml.neighbors import NearestNeighbors

    model = NearestNeighbors(algorithm="brute", metric="euclidean", output_type="cupy")
    return model.fit(cupy.asarray(points)).kneighbors(cupy.asarray(points), number)


def test_distances_lose_what_lies_far_from_the_origin(points):
    exact = cdist(points.astype(np.float64), points.astype(np.float64))
    near = (exact > 0) & (exact < 0.1)

    def error(points):
        computed = np.vstack([distances for _, distances in blocks(points)])
        assert np.all(np.diag(computed) == 0)
        return np.max(np.abs(computed - exact)[near] / exact[near])

    assert 1e-3 < error(points) < 1
    assert error(points - points.mean(axis=0)) < error(points)


def test_neighbours_stay_on_the_device(imported, points):
    import cupy

    distances, indices = neighbours(points, 10)
    assert isinstance(distances, cupy.ndarray)
    assert (distances.dtype, indices.dtype) == (np.float32, np.int64)
    exact = np.sort(cdist(points, points), axis=1)[:, :10]
    np.testing.assert_allclose(distances.get(), exact, atol=0.02)
    for wrong in (points.astype(np.float64), np.asfortranarray(points)):
        with pytest.raises(AssertionError):
            neighbours(wrong, 10)
    with pytest.raises(ValueError, match="number of samples"):
        neighbours(points, len(points) + 1)


@pytest.mark.parametrize(("number", "repeats"), [(256, True), (257, False)])
def test_which_of_equal_distances_is_taken_is_fixed_up_to_256_neighbours(number, repeats, imported):
    points = np.repeat(np.arange(3, dtype=np.float32)[:, None], 400, axis=0) @ np.ones((1, 3), dtype=np.float32)
    first, second = (neighbours(points, number)[1].get() for _ in range(2))
    assert np.array_equal(first, second) == repeats
    assert not np.array_equal(np.sort(first[0]), np.arange(number))  # nor by index
    assert np.mean(first[:, 0] == np.arange(len(points))) < 0.1  # the point itself is not the first
