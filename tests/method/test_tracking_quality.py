import numpy as np
import pytest

from bsoid_gpu.method.tracking_quality import format_report, quality
from bsoid_gpu.pose import Pose


def report(position, confidence, arrays, unusable_share=0.3):
    keypoints = tuple("abcdef"[: position.shape[1]])
    pose = Pose("m", arrays.asarray(position[:, None]), arrays.asarray(confidence[:, None]), ("i",), keypoints, 30.0)
    return quality(pose, arrays.asarray(np.full(len(keypoints), 0.5)), unusable_share, arrays)


@pytest.fixture
def walk():
    rng = np.random.default_rng(0)
    return rng.normal(0, 1, size=(200, 2, 2)).cumsum(axis=0), np.ones((200, 2))


def test_a_good_keypoint_has_no_warning(walk, arrays):
    rows = report(*walk, arrays)
    assert [(row.share_below, row.longest_gap_frames, row.missing_frames, row.jumps) for row in rows] == [
        (0, 0, 0, 0)
    ] * 2
    assert not any(row.warning for row in rows)


def test_gaps_missing_frames_and_jumps_by_hand(walk, arrays):
    position, confidence = walk
    confidence[10:17, 0] = 0.1
    confidence[30:33, 0] = 0.1
    position[33:35, 0] = np.nan
    position[100, 0] += 200  # displaced by the jump, its two neighbours by half of it
    row = report(position, confidence, arrays)[0]
    assert row.share_below == pytest.approx(12 / 200)
    assert row.longest_gap_frames == 7
    assert row.missing_frames == 2
    assert row.jumps == 3
    assert row.largest_jump_px == pytest.approx(200 * np.sqrt(2), rel=0.05)


@pytest.mark.parametrize(
    ("moved_px", "jumps"),
    [(14.9, 0), (15.1, 1), (29.9, 1), (30.1, 3)],  # the two neighbours are displaced by half of it
)
def test_a_jump_of_a_still_keypoint_exceeds_15_px(arrays, moved_px, jumps):
    position = np.full((50, 1, 2), 5.0)
    position[20, 0] += [0.6 * moved_px, -0.8 * moved_px]
    (row,) = report(position, np.ones((50, 1)), arrays)
    assert row.jumps == jumps
    assert row.largest_jump_px == pytest.approx(moved_px, abs=1e-3)


def test_an_unusable_keypoint_and_a_still_one_have_warnings(walk, arrays):
    position, confidence = walk
    confidence[:61, 0] = 0.0
    position[:, 1] = 5.0
    first, second = report(position, confidence, arrays)
    assert "30%" in first.warning
    assert "--keypoints" in first.warning
    assert "never moves" in second.warning
    text = format_report([first, second])
    assert text.count("!") == 2


def test_a_keypoint_without_positions_has_a_warning(walk, arrays):
    position, confidence = walk
    position[:, 0], confidence[:, 0] = np.nan, 0.0
    row = report(position, confidence, arrays, unusable_share=1.0)[0]
    assert "no position in any frame" in row.warning
    assert (row.missing_frames, row.longest_gap_frames, row.jumps, row.moves) == (200, 200, 0, False)


def test_a_keypoint_missing_in_every_other_frame_still_moves(walk, arrays):
    position, confidence = walk
    confidence[::2, 0] = 0.1
    row = report(position, confidence, arrays, unusable_share=0.6)[0]
    assert row.moves
    assert row.warning == ""
    assert (row.longest_gap_frames, row.jumps) == (1, 0)


def test_a_session_may_have_one_frame(cpu):
    (row,) = report(np.ones((1, 1, 2)), np.ones((1, 1)), cpu)
    assert (row.frames, row.jumps, row.share_below) == (1, 0, 0)


def test_the_columns_of_the_table_are_aligned(walk, arrays):
    _, heading, *rows = format_report(report(*walk, arrays)).splitlines()
    assert {len(row) for row in rows} == {len(heading)}
    assert format_report([]) == ""


def test_a_jump_exceeds_the_median_by_10_robust_deviations_by_hand(arrays):
    # distances from the midpoint of the two neighbours: 26 of 20 px, 24 of 24 px, one of 51 and one of 52 px
    # median 22, median absolute deviation 2: a jump exceeds 22 + 10 * 1.4826 * 2 = 51.65 px
    distances = np.repeat([20.0, 24.0, 51.0, 52.0], [26, 24, 1, 1])
    second_differences = 2 * distances * np.resize([1.0, -1.0], 52)
    x = np.cumsum(np.cumsum(np.concatenate([[0.0, 0.0], second_differences])))
    position = np.stack([x, np.zeros_like(x)], axis=-1)[:, None, :]
    (row,) = report(position, np.ones((54, 1)), arrays)
    assert row.jumps == 1
    assert row.largest_jump_px == 52


def test_a_thousandth_of_a_pixel_is_a_movement(arrays):
    position = np.full((50, 1, 2), 5.0)
    position[20, 0, 0] += 1e-3
    (row,) = report(position, np.ones((50, 1)), arrays)
    assert row.moves
    assert row.warning == ""


def test_jumps_and_movement_along_the_third_axis_count(arrays):
    position = np.full((50, 3, 3), 5.0)
    position[20, 0, 2] += 30.1
    position[:, 1, 2] += np.linspace(0, 1, 50)
    jumping, rising, still = report(position, np.ones((50, 3)), arrays)
    assert (jumping.jumps, jumping.largest_jump_px) == (3, pytest.approx(30.1, abs=1e-3))
    assert (rising.jumps, rising.moves, rising.warning) == (0, True, "")
    assert "never moves" in still.warning
