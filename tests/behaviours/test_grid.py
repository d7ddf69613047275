import numpy as np
import pytest
from moving_animals import pose_of

from bsoid_gpu.behaviours.grid import between, grid_of, moving_mean, rate


def test_a_gap_of_the_frame_numbers_is_a_gap_of_the_grid():
    position = np.arange(12.0)[:, None, None] * np.ones((1, 2, 2))
    numbers = np.array([0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14])
    grid = grid_of(pose_of(position, fps=10.0, keypoints=("a", "b"), frame_numbers=numbers))
    assert grid.position.shape == (15, 2, 2)
    assert np.isnan(grid.position[6:9]).all()
    np.testing.assert_array_equal(grid.frame, np.arange(12))  # at 10 fps, each frame
    np.testing.assert_array_equal(grid.at, numbers)


def test_a_long_gap_is_shortened():
    numbers = np.array([0, 1, 2, 10**12, 10**12 + 1])
    grid = grid_of(pose_of(np.ones((5, 2, 2)), fps=10.0, keypoints=("a", "b"), frame_numbers=numbers))
    assert len(grid.position) == 2 + 20 + 2


def test_samples_are_100_ms_apart_and_leave_out_frames_without_the_animal():
    position = np.ones((60, 2, 2))
    position[12] = np.nan
    grid = grid_of(pose_of(position, fps=60.0, keypoints=("a", "b")))
    np.testing.assert_array_equal(grid.frame, [0, 6, 18, 24, 30, 36, 42, 48, 54])


def test_values_between_frames_by_hand():
    values = np.array([0.0, 10.0, 40.0, 90.0])
    np.testing.assert_allclose(between(values, np.arange(4), 0.5), [5, 25, 65, np.nan])
    np.testing.assert_allclose(between(values, np.arange(4), -1), [np.nan, 0, 10, 40])
    np.testing.assert_allclose(between(values, np.arange(4), -0.25), [np.nan, 7.5, 32.5, 77.5])


@pytest.mark.parametrize("fps", [10.0, 25.0, 29.97, 30.0, 60.0, 240.0])
def test_the_rate_of_a_line_is_its_slope_at_any_frame_rate(fps):
    values = 3.0 * np.arange(100) / fps
    slopes = rate(values, np.arange(100), 0.1, fps)
    assert np.isfinite(slopes).sum() >= 100 - 2 * (int(0.05 * fps) + 1)
    np.testing.assert_allclose(slopes[np.isfinite(slopes)], 3.0)


def test_moving_mean_against_a_slow_one():
    values = np.random.default_rng(0).normal(size=(50, 2))
    values[20, 1] = np.nan
    means = moving_mean(values, 0.5, 10.0)  # 5 rows
    for row in range(50):
        window = values[row - 2 : row + 3] if 2 <= row < 48 else np.full((5, 2), np.nan)
        np.testing.assert_allclose(means[row], window.mean(axis=0))
    assert np.isnan(moving_mean(values[:3], 0.5, 10.0)).all()
