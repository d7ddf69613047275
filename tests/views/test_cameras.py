"""The camera that follows an animal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.pose import Pose
from bsoid_gpu.views import cameras


def session(position, frame_numbers=None, fps=30.0):
    position = np.asarray(position, dtype=float)[:, None]
    keypoints = tuple(f"k{i}" for i in range(position.shape[2]))
    return Pose("m", position, np.ones(position.shape[:3]), ("m",), keypoints, fps, frame_numbers=frame_numbers)


def walk(frames=60, heading=0.3, length=40.0):
    """A stick of two points, front and rear, that moves ahead."""
    ahead = np.array([np.cos(heading), np.sin(heading)])
    centre = np.array([300.0, 200.0]) + np.arange(frames)[:, None] * ahead
    return np.stack([centre + ahead * length / 2, centre - ahead * length / 2], axis=1)


def test_upright_the_square_has_the_animal_in_the_middle_and_directions_stay():
    camera = cameras.follow(walk(), 30.0, 40.0)
    assert camera.side_px == pytest.approx(cameras.SEEN_BODIES * 40)
    at = camera.in_square(30, walk()[30], 100)
    np.testing.assert_allclose(at.mean(axis=0), [50, 50], atol=1e-6)
    right = camera.in_square(30, walk()[30] + [8.8, 0], 100) - at
    np.testing.assert_allclose(right, [[10, 0]] * 2, atol=1e-9)


@pytest.mark.parametrize("heading", [0.0, 0.7, np.pi / 2, 3.0, -2.0])
def test_turned_with_the_animal_its_front_is_up_and_left_stays_left(heading):
    points = walk(heading=heading)
    camera = cameras.follow(points, 30.0, 40.0, view="egocentric", front=[0], rear=[1])
    front, rear = camera.in_square(30, points[30], 88)
    np.testing.assert_allclose(front, [44, 24], atol=1e-6)
    np.testing.assert_allclose(rear, [44, 64], atol=1e-6)
    ahead = np.array([np.cos(heading), np.sin(heading)])
    right_side = points[30].mean(axis=0) + 10 * np.array([-ahead[1], ahead[0]])  # y is down
    assert camera.in_square(30, right_side[None], 88)[0, 0] == pytest.approx(54)
    np.testing.assert_allclose(np.linalg.det(camera.turn), 1.0)


@given(st.floats(-3, 3), st.integers(0, 59), st.integers(8, 300))
def test_to_the_arena_and_back(heading, frame, size):
    camera = cameras.follow(walk(heading=heading), 30.0, 40.0, view="egocentric", front=[0], rear=[1])
    points = np.array([[310.0, 220.0], [0.0, 0.0]])
    matrix, shift = camera.to_arena(frame, size)
    np.testing.assert_allclose(camera.in_square(frame, points, size) @ matrix.T + shift, points, atol=1e-6)


def test_it_stays_where_the_animal_is_missing_and_follows_jumps_slowly():
    points = walk()
    points[20:30] = np.nan
    camera = cameras.follow(points, 30.0, 40.0)
    assert np.isfinite(camera.centre).all()
    np.testing.assert_allclose(camera.centre[25], walk()[25].mean(axis=0), atol=1.0)
    jump = np.zeros((60, 1, 2))
    jump[30:] = 100.0
    assert np.abs(np.diff(cameras.follow(jump, 30.0, 40.0).centre, axis=0)).max() < 10
    nowhere = cameras.follow(np.full((5, 2, 2), np.nan), 30.0, np.nan)
    assert np.isfinite(nowhere.centre).all()
    assert nowhere.side_px > 0


def test_an_animal_that_stands_on_one_point_has_a_direction():
    camera = cameras.follow(np.zeros((10, 2, 2)), 30.0, 40.0, view="egocentric", front=[0], rear=[1])
    np.testing.assert_allclose(camera.turn, np.broadcast_to(np.eye(2), (10, 2, 2)))


def test_views_that_are_not_possible_are_refused():
    with pytest.raises(BadInput, match="arena or egocentric"):
        cameras.follow(walk(), 30.0, 40.0, view="above")
    with pytest.raises(BadInput, match="front and rear"):
        cameras.follow(walk(), 30.0, 40.0, view="egocentric")


def test_smoothing_keeps_constants_and_fills_gaps_on_a_line():
    np.testing.assert_allclose(cameras.steadied(np.full((20, 2), 3.0), 4.0), 3.0)
    values = np.array([[0.0], [np.nan], [np.nan], [3.0]])
    np.testing.assert_allclose(cameras.steadied(values, 0.0)[:, 0], [0, 1, 2, 3])
    assert cameras.steadied(np.full((3, 1), np.nan), 1.0, default=np.array([7.0])).tolist() == [[7.0]] * 3


def test_rows_of_frames_of_the_video():
    pose = session(np.arange(8.0).reshape(4, 1, 2), frame_numbers=np.array([2, 3, 7, 8]))
    assert cameras.rows_of(pose, np.arange(10)).tolist() == [-1, -1, 0, 1, -1, -1, -1, 2, 3, -1]
    points = cameras.positions_at(pose, np.array([7, 5]))
    np.testing.assert_array_equal(points, [[[4, 5]], [[np.nan, np.nan]]])


def test_the_length_of_the_body_is_the_largest_distance_by_hand():
    position = [[[0, 0], [3, 4], [1, 1]], [[0, 0], [0, 7], [0, 1]], [[0, 0], [0, 6], [np.nan, np.nan]]]
    assert cameras.body_px(session(position)) == 6.0
    assert np.isnan(cameras.body_px(session(np.full((2, 3, 2), np.nan))))
