"""The map of a page."""

import numpy as np
import pytest

from bsoid_gpu.run_folder.stored_run import TrainingTable
from bsoid_gpu.views.map_data import (
    MAP_POINTS,
    centres,
    dendrogram,
    in_plane,
    map_points,
    matched,
    nearest_points,
)


def table(session, time_s, features=None, label=None):
    n = len(session)
    return TrainingTable(
        np.zeros((n, 3)), np.zeros(n, int) if label is None else label, np.ones(n), np.asarray(session, object),
        np.asarray(time_s, float), np.zeros((n, 2)) if features is None else features, ("a", "b"),
    )  # fmt: skip


def test_the_map_has_all_bins_or_evenly_spaced_ones():
    assert map_points(5).tolist() == [0, 1, 2, 3, 4]
    points = map_points(72_000)
    assert len(points) == MAP_POINTS
    assert (points[0], points[-1]) == (0, 71_999)
    assert set(np.diff(points)) <= {3, 4}


def test_the_plane_has_the_directions_of_the_largest_spread():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(500, 2)) * [9, 3]
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    embedding = np.column_stack([flat, np.full(500, 4.0)]) @ turn
    plane = in_plane(embedding)
    np.testing.assert_allclose(np.abs(plane.std(axis=0) / flat.std(axis=0)), 1, rtol=0.01)
    distances = np.linalg.norm(embedding[:20, None] - embedding[None, :20], axis=2)
    np.testing.assert_allclose(np.linalg.norm(plane[:20, None] - plane[None, :20], axis=2), distances, atol=1e-9)
    assert in_plane(np.arange(4.0)[:, None]).shape == (4, 2)


def test_clusters_of_a_cut_keep_the_numbers_of_the_labels_that_they_are_part_of():
    label = np.array([0] * 6 + [1] * 4 + [2] * 3)
    coarse = np.array([1] * 10 + [0] * 3, np.int32)
    assert matched(coarse, label).tolist() == [0] * 10 + [2] * 3
    fine = np.array([0, 0, 0, 0, 2, 2, 1, 1, 1, -1, 3, 3, 3], np.int32)
    assert matched(fine, label).tolist() == [0, 0, 0, 0, 3, 3, 1, 1, 1, -1, 2, 2, 2]
    assert matched(np.full(13, -1, np.int32), label).tolist() == [-1] * 13


def test_the_nearest_point_in_time_of_the_same_session():
    bins = table(["a", "a", "b", "a", "b"], [0.0, 1.0, 0.4, 2.0, 1.4])
    points = np.array([0, 1, 2, 3])
    assert nearest_points(bins, points, "a", np.array([-5, 0.4, 0.6, 1.6, 9])) == [0, 0, 1, 3, 3]
    assert nearest_points(bins, points, "b", np.array([9.0])) == [2]
    assert nearest_points(bins, points, "c", np.array([0.0, 1.0])) == [None, None]


def test_the_dendrogram_joins_the_nearest_centres_first():
    features = np.array([[0, 0], [2, 0], [10, 0], [12, 0], [50, 0], [50, 0]], dtype=float)
    label = np.array([0, 0, 1, 1, 2, 2])
    middle = centres(table(["a"] * 6, range(6), features, label), 3)
    assert np.isfinite(middle).all()
    merges = dendrogram(middle)["merges"]
    assert sorted(merges[0][:2]) == [0, 1]
    spread = features[:, 0].std()
    assert merges[0][2] == pytest.approx(10 / spread)
    assert merges[1][2] == pytest.approx(44 / spread)
    assert dendrogram(middle[:1]) is None
