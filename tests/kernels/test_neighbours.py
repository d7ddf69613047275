import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from bsoid_gpu.kernels import neighbours as module
from bsoid_gpu.kernels.neighbour_selection import INDEX_MASK, nearest_of
from bsoid_gpu.kernels.neighbours import nearest, nearest_among


def recall(indices, points, neighbours):
    distances = NearestNeighbors(n_neighbors=neighbours, algorithm="kd_tree").fit(points.astype(float))
    expected = distances.kneighbors(points.astype(float))[1]
    return np.mean([len(set(a) & set(b)) / neighbours for a, b in zip(indices, expected, strict=True)])


def assert_exact(points, neighbours):
    """Compare with a sort of all distances; coordinates must be small whole numbers."""
    integers = points.astype(np.int64)
    squares = np.sum(integers**2, axis=1)
    squared = squares[:, None] + squares - 2 * (integers @ integers.T)
    expected = np.argsort(squared, axis=1, kind="stable")[:, :neighbours]
    distances, indices = nearest(points, neighbours)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(distances, np.sqrt(np.take_along_axis(squared, expected, axis=1)), rtol=1e-6)


def assert_sorted_by_float32_distance(points, neighbours, rows):
    """Compare some rows with a sort of all distances, computed in float32."""
    _, indices = nearest(points, neighbours)
    for row in rows:
        words = nearest_of(points, row, np.arange(len(points), dtype=np.int32), neighbours)
        assert indices[row].tolist() == (words & INDEX_MASK).tolist()


@pytest.mark.parametrize(("n", "columns", "neighbours"), [(3000, 36, 55), (7000, 10, 84), (2049, 3, 300), (40, 4, 40)])
def test_neighbours_equal_those_of_scikit_learn(n, columns, neighbours):
    points = np.random.default_rng(n).normal(size=(n, columns)).astype(np.float32)
    distances, indices = nearest(points, neighbours)
    search = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(points.astype(float))
    np.testing.assert_allclose(distances, search.kneighbors(points.astype(float))[0], rtol=1e-5, atol=1e-6)
    assert recall(indices, points, neighbours) > 0.9999
    assert np.array_equal(indices[:, 0], np.arange(n))
    assert (np.diff(distances, axis=1) >= 0).all()


def test_four_points_by_hand():
    distances, indices = nearest(np.asarray([[0.0], [3.0], [7.0], [-3.0]], dtype=np.float32), 3)
    assert indices.tolist() == [[0, 1, 3], [1, 0, 2], [2, 1, 0], [3, 0, 1]]  # ties: the lower index first
    assert distances.tolist() == [[0, 3, 3], [0, 3, 4], [0, 4, 7], [0, 3, 6]]


def test_equal_points_by_hand():
    """Points 0, 2 and 3 are equal, with zeros of either sign; points 1 and 4 are equally far from them."""
    points = np.asarray([[0.0, 2.0], [0.0, 5.0], [-0.0, 2.0], [0.0, 2.0], [3.0, 2.0]], dtype=np.float32)
    distances, indices = nearest(points, 4)
    assert indices[:4].tolist() == [[0, 2, 3, 1], [1, 0, 2, 3], [0, 2, 3, 1], [0, 2, 3, 1]]
    assert distances[:4].tolist() == [[0, 0, 0, 3], [0, 3, 3, 3], [0, 0, 0, 3], [0, 0, 0, 3]]
    assert nearest(points, 5)[1].tolist()[0] == [0, 2, 3, 1, 4]


def test_search_is_exact_with_equal_points_and_outliers():
    points = np.random.default_rng(0).integers(-30, 31, size=(5000, 5)).astype(np.float32)
    points[1000:2500] = points[7]  # more equal ones than neighbours
    points[2500:2560] = points[2560:2620]
    points[4000:4010] *= 30
    assert_exact(points, 60)


def test_search_is_exact_where_many_distances_tie():
    assert_exact(np.stack(np.meshgrid(*[np.arange(4)] * 6), -1).reshape(-1, 6).astype(np.float32), 64)


def test_rounding_far_from_the_origin_changes_no_neighbour():
    """Squared lengths have 9 digits, products only 7; differences are exact."""
    points = np.random.default_rng(0).integers(0, 40, size=(3000, 36)) + 3000
    assert_exact(points.astype(np.float32), 50)


def test_rounding_of_either_length_changes_no_neighbour():
    """Inside a shell only the neighbours' lengths are rounded, far outside only the point's."""
    points = np.random.default_rng(0).normal(size=(4000, 36))
    points *= 40 / np.linalg.norm(points, axis=1, keepdims=True)
    points[60:] *= np.linspace(1.1, 1.2, 3940)[:, None]  # so that the limit is beyond the shell
    points[0], points[-1] = 0, 1e8
    points = points.astype(np.float32)
    assert_sorted_by_float32_distance(points, 50, (0, 3999))


def test_underflow_of_squares_changes_no_neighbour():
    points = np.random.default_rng(0).normal(size=(4000, 12)) * 1e-22
    assert_sorted_by_float32_distance(points.astype(np.float32), 20, range(0, 4000, 100))


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 700), st.integers(1, 8), st.data())
def test_search_is_exact_for_any_shape(n, columns, data):
    neighbours = data.draw(st.integers(1, n))
    points = np.random.default_rng(n).integers(0, 4, size=(n, columns)).astype(np.float32)
    points[::3] *= -1  # zeros of either sign
    assert_exact(points, neighbours)


def test_result_is_the_same_on_any_number_of_threads():
    points = np.random.default_rng(1).normal(size=(3000, 12)).astype(np.float32)
    points[100:400] = points[50]
    results = {b"".join(part.tobytes() for part in nearest(points, 50, threads)) for threads in (1, 2, 5)}
    assert len(results) == 1


def test_progress_is_reported_in_the_calling_thread():
    points = np.random.default_rng(0).normal(size=(2 * module.ROWS + 1, 3)).astype(np.float32)
    calls = []
    nearest(points, 5, threads=2, progress=lambda *blocks: calls.append((*blocks, threading.current_thread())))
    assert calls == [(done, 3, threading.current_thread()) for done in (1, 2, 3)]


def rounded_search(rows, number):
    """The nearest rows by distances in expanded form, float32; which of equal distances are taken is random."""
    squares = np.einsum("ij,ij->i", rows, rows)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - np.float32(2) * (rows @ rows.T), 0))
    order = np.random.default_rng().permutation(len(rows))
    columns = order[np.argsort(distances[:, order], axis=1, kind="stable")[:, :number]]
    return columns.astype(np.int32), np.take_along_axis(distances, columns, axis=1).max(axis=1)


def assert_the_same_from_candidates(points, neighbours):
    for exact, selected in zip(
        nearest(points, neighbours), nearest_among(points, neighbours, rounded_search), strict=True
    ):
        np.testing.assert_array_equal(selected, exact)


@pytest.mark.parametrize("shift", [0.0, 40.0, 4000.0])
def test_candidates_of_another_search_give_the_same_neighbours(shift):
    rng = np.random.default_rng(0)
    points = rng.normal(shift, 1, size=(1500, 12)).astype(np.float32)
    points[rng.integers(0, 1500, 300)] = points[3]
    assert_the_same_from_candidates(points, 20)


def test_candidates_that_tie_beyond_the_spare_ones_are_not_trusted():
    corners = np.array(np.meshgrid(*[[0.0, 1.0]] * 9)).reshape(9, -1).T.astype(np.float32)
    assert_the_same_from_candidates(corners, 30)  # the 30 nearest are among 46 of which 36 tie; asked for: 62 of 512
    assert_the_same_from_candidates(corners, 100)  # 84 at the third distance, 126 at the fourth


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 300), st.integers(1, 4), st.integers(1, 3), st.data())
def test_candidates_of_another_search_serve_any_shape(n, columns, span, data):
    points = data.draw(st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed)))
    points = points.integers(0, 10**span, size=(n, columns)).astype(np.float32)
    assert_the_same_from_candidates(points, data.draw(st.integers(1, n)))
