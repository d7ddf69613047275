"""Pictures: squares of frames, poses, text."""

from functools import partial

import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.views import drawing
from bsoid_gpu.views.cameras import FollowingCamera

pytest.importorskip("PIL")


def part_of(image, box):
    left, top, right, bottom = box
    padded = np.pad(image, ((100, 100), (100, 100), (0, 0)))
    return padded[top + 100 : bottom + 100, left + 100 : right + 100]


@pytest.fixture
def image():
    """Smooth, and different everywhere."""
    y, x = np.mgrid[0:80, 0:100]
    return np.stack([2 * x, 3 * y, x + y], axis=2).astype(np.uint8)


def camera(centre, side_px, quarter_turns=0):
    turn = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), quarter_turns)
    return FollowingCamera(np.array([centre], dtype=float), turn[None].astype(float), side_px)


def test_a_square_at_the_scale_of_the_frame_is_its_part(image):
    square = drawing.square_of(partial(part_of, image), camera((50, 40), 20.0), 0, 20)
    np.testing.assert_array_equal(np.array(square), image[30:50, 40:60])


def test_between_pixels_the_square_is_interpolated(image):
    square = np.array(drawing.square_of(partial(part_of, image), camera((50.5, 40), 20.0), 0, 20)).astype(int)
    expected = (image[30:50, 40:60].astype(float) + image[30:50, 41:61]) / 2
    assert np.abs(square - expected).max() <= 1


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_turned_square_is_the_turned_part(image, quarter_turns):
    square = drawing.square_of(partial(part_of, image), camera((50, 40), 20.0, quarter_turns), 0, 20)
    assert np.abs(np.array(square).astype(int) - np.rot90(image[30:50, 40:60], quarter_turns)).max() <= 1


@pytest.mark.parametrize("quarter_turns", [0, 1])
def test_a_point_of_the_frame_is_where_the_camera_says(quarter_turns):
    image = np.zeros((80, 100, 3), dtype=np.uint8)
    image[21:24, 61:64] = 255
    seen = camera((55, 30), 40.0, quarter_turns)
    square = np.array(drawing.square_of(partial(part_of, image), seen, 0, 120))[:, :, 0].astype(float)
    y, x = np.mgrid[0:120, 0:120] + 0.5
    spot = np.array([np.sum(x * square), np.sum(y * square)]) / square.sum()
    np.testing.assert_allclose(spot, seen.in_square(0, np.array([[62.5, 22.5]]), 120)[0], atol=0.6)


def test_the_floor_has_lines_that_stand_still_in_the_arena():
    first = np.array(drawing.floor(camera((50, 40), 20.0), 0, 40, 10.0))
    moved = np.array(drawing.floor(camera((53, 40), 20.0), 0, 40, 10.0))
    np.testing.assert_array_equal(moved[:, :-6], first[:, 6:])  # 3 px of 2 px each
    assert {tuple(colour) for colour in first.reshape(-1, 3)} == {drawing.FLOOR, drawing.FLOOR_LINES}


def pose_on_grey(points, skeleton=(), **options):
    image = drawing.pillow().Image.new("RGB", (60, 60), (90, 90, 90))
    drawing.draw_pose(image, np.array(points, dtype=float), skeleton, (200, 30, 40), **options)
    return np.array(image)


def test_a_pose_has_lines_and_points_of_its_colour_with_a_dark_edge():
    picture = pose_on_grey([[10, 30], [50, 30]], [(0, 1)])
    assert tuple(picture[30, 30]) == tuple(picture[30, 10]) == (200, 30, 40)
    column = [tuple(colour) for colour in picture[24:36, 30]]
    assert drawing.BLACK in column
    assert tuple(picture[5, 5]) == (90, 90, 90)
    assert tuple(pose_on_grey([[10, 30], [50, 30]], front=[1])[30, 50]) == drawing.WHITE


def test_missing_keypoints_are_left_out():
    picture = pose_on_grey([[np.nan, np.nan], [50, 30], [10, 10]], [(0, 1), (0, 2)])
    assert tuple(picture[20, 30]) == (90, 90, 90)
    assert tuple(picture[30, 50]) == (200, 30, 40)
    assert np.all(pose_on_grey([[np.nan, 3.0]]) == 90)
    assert pose_on_grey([[-500, 1e4], [20, 20]], [(0, 1)]).shape == (60, 60, 3)


def test_text_is_light_on_its_own_dark_plate_and_is_shortened_where_it_does_not_fit():
    plate = drawing.text_plate("7  walk", 16)
    assert plate.min() < 40
    assert plate.max() > 220
    narrow = drawing.text_plate("a very long name of a behaviour", 16, width=80)
    assert narrow.shape[1] <= 80
    assert narrow.shape[0] == plate.shape[0]
    assert drawing.text_plate("abc", 16).shape[1] < drawing.text_plate("abcdef", 16).shape[1]
    assert drawing.text_plate("", 12).ndim == 3
    np.testing.assert_array_equal(drawing.text_plate("a\nb", 12), drawing.text_plate("ab", 12))


@pytest.mark.parametrize("place", [(2, 1), (-3, -2), (8, 6), (-20, 0), (0, 50)])
def test_a_part_is_laid_over_and_cut_off_at_the_border(place):
    x, y = place
    picture, part = np.zeros((8, 10, 3), dtype=np.uint8), np.full((4, 5, 3), 200, dtype=np.uint8)
    drawing.put(picture, part, x, y)
    rows, columns = np.mgrid[0:8, 0:10]
    inside = (rows >= y) & (rows < y + 4) & (columns >= x) & (columns < x + 5)
    np.testing.assert_array_equal(picture, np.where(np.dstack([inside] * 3), 200, 0))


def test_opacity_and_fading():
    picture = np.full((2, 2, 3), 100, dtype=np.uint8)
    drawing.put(picture, np.full((1, 1, 3), 200, dtype=np.uint8), 0, 0, 0.5)
    assert picture[0, 0].tolist() == [150] * 3
    assert picture[1, 1].tolist() == [100] * 3
    assert np.all(drawing.faded(np.full((2, 2, 3), 200, dtype=np.uint8), 0.5) == 100)


def test_the_border_is_coloured():
    picture = np.zeros((10, 10, 3), dtype=np.uint8)
    drawing.put_border(picture, (1, 2, 3), 2)
    assert np.all(picture[2:-2, 2:-2] == 0)
    assert np.all(picture[:2] == (1, 2, 3))
    assert np.all(picture[:, -2:] == (1, 2, 3))


def test_colours_are_read_and_others_refused():
    assert drawing.rgb("#0072B2") == (0, 0x72, 0xB2)
    with pytest.raises(BadInput, match="'#0072b2'"):
        drawing.rgb("blue")


def test_a_number_is_not_repeated():
    assert drawing.numbered(7, "walk") == "7  walk"
    assert drawing.numbered(7, "label 7") == "label 7"
    assert drawing.numbered(7, "label 7 + 9") == "7  label 7 + 9"
