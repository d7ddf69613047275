import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from bsoid_gpu.kernels.neighbours import nearest


def recall(found, points, neighbours):
    distances = NearestNeighbors(n_neighbors=neighbours, algorithm="kd_tree").fit(points.astype(float))
    expected = distances.kneighbors(points.astype(float))[1]
    return np.mean([len(set(a) & set(b)) / neighbours for a, b in zip(found, expected, strict=True)])


@pytest.mark.parametrize(("n", "columns", "neighbours"), [(3000, 36, 55), (7000, 10, 84), (2049, 3, 300), (40, 4, 40)])
def test_neighbours_are_those_of_scikit_learn(n, columns, neighbours):
    points = np.random.default_rng(n).normal(size=(n, columns)).astype(np.float32)
    distances, indices = nearest(points, neighbours)
    search = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(points.astype(float))
    np.testing.assert_allclose(distances, search.kneighbors(points.astype(float))[0], rtol=1e-5, atol=1e-6)
    assert recall(indices, points, neighbours) > 0.9999
    assert np.array_equal(indices[:, 0], np.arange(n))
    assert (np.diff(distances, axis=1) >= 0).all()


def test_by_hand():
    distances, indices = nearest(np.asarray([[0.0], [3.0], [7.0], [-3.0]], dtype=np.float32), 3)
    assert indices.tolist() == [[0, 1, 3], [1, 0, 2], [2, 1, 0], [3, 0, 1]]  # of equals the lower index first
    assert distances.tolist() == [[0, 3, 3], [0, 3, 4], [0, 4, 7], [0, 3, 6]]


def test_equal_points_and_far_ones_are_searched_exactly_too():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(4000, 5)).astype(np.float32)
    points[1000:2500] = points[7]  # more equal ones than any limit foresees
    points[3000:3010] *= 1e4
    distances, indices = nearest(points, 60)
    assert (distances[1000:2500] == 0).all()
    assert (indices[1000:2500] == [7, *range(1000, 1059)]).all()
    search = NearestNeighbors(n_neighbors=60, algorithm="brute").fit(points.astype(float))
    np.testing.assert_allclose(distances, search.kneighbors(points.astype(float))[0], rtol=1e-5, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 700), st.integers(1, 8), st.data())
def test_any_shape(n, columns, data):
    neighbours = data.draw(st.integers(1, n))
    points = np.random.default_rng(n).integers(0, 4, size=(n, columns)).astype(np.float32)
    distances, indices = nearest(points, neighbours)
    all_of_them = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    np.testing.assert_allclose(distances, np.sort(all_of_them, axis=1)[:, :neighbours], rtol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(all_of_them, indices.astype(int), axis=1), distances, rtol=1e-6)


def test_the_same_bytes_on_any_number_of_threads():
    points = np.random.default_rng(1).normal(size=(3000, 12)).astype(np.float32)
    threads = numba.get_num_threads()
    try:
        found = []
        for number in {1, threads}:
            numba.set_num_threads(number)
            found.append(b"".join(part.tobytes() for part in nearest(points, 50)))
    finally:
        numba.set_num_threads(threads)
    assert len(set(found)) == 1
