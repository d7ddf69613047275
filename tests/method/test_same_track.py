import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.io import read_pose
from bsoid_gpu.method import likelihood
from bsoid_gpu.method.same_track import Track, same_tracks, sample
from bsoid_gpu.synthetic.sessions import simulate_session


@functools.cache
def mouse(seed, frames=3000):
    """Positions (frames, keypoints, 2) of a simulated mouse."""
    return simulate_session("m", frames, 30.0, np.random.default_rng(seed))[0].position[:, 0]


def track(position, first=0):
    confidence = np.ones(position.shape[:2])
    return sample(position, confidence, np.zeros(position.shape[1]), np.arange(len(position)) + first)


def pairs(positions, files=None):
    tracks = [each if isinstance(each, Track) else track(each) for each in positions]
    matches = same_tracks(tracks, range(len(tracks)) if files is None else files)
    return [(match.first, match.second) for match in matches]


def smoothed(position, frames=5):
    """Running median, as DeepLabCut's filter."""
    padded = np.pad(position, ((frames // 2, frames // 2), (0, 0), (0, 0)), mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, frames, axis=0), axis=-1)


def test_samples_are_at_frame_numbers_that_every_session_has(arrays):
    position, confidence = np.arange(30.0 * 2 * 2).reshape(30, 2, 2), np.ones((30, 2))
    confidence[20, 1] = 0.4
    numbers = np.r_[5:20, 25:40]  # row 5 is frame 10, row 20 is frame 30, and frame 20 is not there
    taken = sample(arrays.asarray(position), arrays.asarray(confidence), arrays.asarray([0.5, 0.5]), numbers)
    assert taken.step == 10
    assert taken.numbers.tolist() == [10, 30]
    expected = [[[20, 21], [22, 23]], [[80, 81], [np.nan, np.nan]]]  # below the threshold is missing
    assert np.array_equal(arrays.to_host(taken.position), expected, equal_nan=True)


@given(st.integers(0, 300), st.integers(0, 2000), st.integers(1, 30))
def test_the_step_is_the_shortest_with_few_enough_samples(first, frames, most):
    taken = track(np.zeros((frames, 2, 2)), first)
    taken = sample(np.zeros((frames, 2, 2)), np.ones((frames, 2)), np.zeros(2), first + np.arange(frames), most)
    every = np.arange(first, first + frames)
    assert taken.numbers.tolist() == every[every % taken.step == 0].tolist()
    assert len(taken.numbers) <= most
    assert taken.step == 10 or np.sum(every % (taken.step // 2) == 0) > most
    assert taken.step % 10 == 0
    assert (taken.step // 10).bit_count() == 1


def test_twins_among_different_sessions():
    one, other = mouse(1), mouse(2)
    noisy = one + np.random.default_rng(0).normal(0, 2, one.shape)
    positions = [one, other, smoothed(one), noisy, smoothed(other, 11)]
    assert pairs(positions) == [(0, 2), (0, 3), (1, 4), (2, 3)]


def test_how_a_twin_differs():
    position = mouse(3)
    twins = [position, position * 0.5, position + 40, position * [-1, 1], position * (1 + 1e-9)]
    of_first = {match.second: match for match in same_tracks([track(each) for each in twins], range(5)) if not match[0]}
    assert set(of_first) == {1, 2, 3, 4}  # another resolution, another crop, mirrored, written with other digits
    assert of_first[1].scale == pytest.approx(0.5)
    assert of_first[2].scale == pytest.approx(1)
    spread = np.sqrt(np.mean((position[::10] - position[::10].mean(axis=0)) ** 2))
    assert of_first[2].shift == pytest.approx(40 * np.sqrt(2) / spread)
    assert [match.equal for match in of_first.values()] == [False, False, False, True]
    assert all(match.correlation == pytest.approx(1) for match in of_first.values())


def test_the_correlation_by_hand():
    """One keypoint moves along x; against it, half of the variance of the other track is a movement of its own."""
    steps = np.tile([1.0, -1.0], 100)
    own = np.repeat([1.0, -1.0], 100)
    position = np.zeros((200, 2, 2))
    position[:, 0, 0] = 10 * steps
    twin = position.copy()
    twin[:, 0, 0] += own  # covariance 100, variances 100 and 101
    (match,) = same_tracks([track(position.repeat(10, axis=0)), track(twin.repeat(10, axis=0))], "ab")
    assert match.correlation == pytest.approx(10 / np.sqrt(101))


def test_two_animals_of_one_file_are_the_same_only_if_they_are_equal():
    position = mouse(4)
    huddled = position + np.random.default_rng(0).normal(0, 1, position.shape)
    assert pairs([position, huddled], ["a", "a"]) == []
    assert pairs([position, huddled], ["a", "b"]) == [(0, 1)]
    assert pairs([position, position], ["a", "a"]) == [(0, 1)]


def test_a_session_without_movement_matches_none():
    still = np.full((600, 3, 2), [100.1, 200.7])
    assert pairs([still, still, mouse(5, 600)[:, :3]]) == []
    assert pairs([np.full((600, 3, 2), np.nan)] * 2) == []


def test_slow_movements_alone_do_not_match():
    """Animals that run along a corridor: their positions are nearly the same, not their steps and postures."""
    positions = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        along = np.linspace(0, 800, 600)[:, None] + np.arange(4) * 25
        gait = 6 * np.sin(2 * np.pi * np.arange(600)[:, None] / rng.uniform(9, 13) + rng.uniform(0, 6, 4))
        positions.append(np.stack([along + gait, 300 + rng.normal(0, 1, (600, 4))], axis=-1))
    level = np.corrcoef([each[::10, 0, 0] for each in positions])
    assert level.min() > 0.99
    assert pairs(positions) == []


def test_files_of_other_length_start_and_frames():
    position = mouse(6, 12_000)
    kept = np.r_[0:3000, 3500:12_000]
    gap = sample(position[kept], np.ones((len(kept), 6)), np.zeros(6), kept)
    late = track(position[3000:], first=3000)  # its own frame numbers
    assert gap.step == 10 * 2
    positions = [track(position), gap, late, track(position[:8000])]
    assert pairs(positions) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    assert pairs([position[:5000], late]) == []  # they share less than half of the shorter one
    assert pairs([position, position[: 12_000 // 2]]) == [(0, 1)]
    assert pairs([position[:190], position[:190]]) == []  # 19 samples
    assert pairs([position[:191], position[:191]]) == [(0, 1)]


def test_parts_of_a_recording_do_not_match():
    position = mouse(7, 9000)
    assert pairs([track(position[i : i + 3000], first=i) for i in (0, 3000, 6000)]) == []


def test_sessions_with_other_keypoints_are_not_compared():
    position = mouse(8, 600)
    deep = np.concatenate([position, position[..., :1]], axis=-1)
    assert pairs([position, position[:, :4], deep, deep]) == [(2, 3)]


@given(st.integers(0, 2**32 - 1))
def test_missing_positions_do_not_hide_a_twin(seed):
    rng = np.random.default_rng(seed)
    one, twin = mouse(9, 1500).copy(), mouse(9, 1500).copy()
    for position in (one, twin):
        position[rng.uniform(size=position.shape[:2]) < 0.2] = np.nan
    assert pairs([one, mouse(10, 1500), twin]) == [(0, 2)]


def test_real_recordings_match_their_filtered_tracks_only(recordings, cpu):
    tracks = []
    for path in sorted((recordings / "elevated_plus_maze_30hz").glob("*.csv")):
        pose = read_pose(path, 30.0, cpu)
        position, confidence = pose.position[:, 0], pose.confidence[:, 0]
        threshold = likelihood.thresholds(confidence, likelihood.present(position))
        tracks += [
            sample(each, confidence, threshold, pose.frame_numbers) for each in (position, smoothed(position, 11))
        ]
    assert pairs(tracks) == [(0, 1), (2, 3), (4, 5), (6, 7)]
