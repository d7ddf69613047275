import math

import numpy as np
import oracles
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from three_dimensions import rotation

from bsoid_gpu.io import read_pose
from bsoid_gpu.method import features, likelihood, vectors
from bsoid_gpu.method.pairs import all_pairs
from bsoid_gpu.settings.schema import Features

OPEN_FIELD = "open_field_60hz/raw_clip{}DLC_resnet50_OpenFieldHighResApr8shuffle1_1030000.csv"
MAZE = "elevated_plus_maze_30hz/Video{}DLC_resnet50_EPM_DLC_BSOIDAug25shuffle1_495000.csv"
GOLDEN = {
    "clip1": (OPEN_FIELD.format(1), 60),
    "clip2": (OPEN_FIELD.format(2), 60),
    **{f"epm{i}": (MAZE.format(i), 30) for i in (1, 2, 3, 4)},
    "demo5": ("ugly/demo5_tracking.csv", 30),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_features_match_the_original_on_real_recordings(name, recordings, golden, cpu):
    path, fps = GOLDEN[name]
    pose = read_pose(recordings / path, fps, cpu)
    position, confidence = pose.position[:, 0], pose.confidence[:, 0]
    limit = likelihood.thresholds(confidence[1:], likelihood.present(position)[1:])
    expected = np.load(golden / f"{name}.npz")
    np.testing.assert_allclose(np.mean(confidence < limit, axis=0), expected["v2_fraction_below"], atol=1e-12)
    held = likelihood.hold_last_good(position, confidence, limit)
    if expected["v2_xy"].size:
        assert np.array_equal(held, expected["v2_xy"])
    binned = features.bin_features(held, fps, Features())
    rows = len(expected["v2_features"])
    assert len(binned) - rows in (0, 1)  # the original drops the last bin if it ends with the session
    np.testing.assert_allclose(binned[:rows], expected["v2_features"], rtol=1e-8, atol=0)


@pytest.mark.parametrize("space", [2, 3])
@pytest.mark.parametrize("fps", [10, 15, 24, 25, 29.97, 30, 50, 60, 120])
def test_features_match_the_oracle(fps, space, arrays):
    xy = np.random.default_rng(1).normal(size=(97, 3, space)).cumsum(axis=0)
    binned = arrays.to_host(features.bin_features(arrays.asarray(xy), fps, Features()))
    np.testing.assert_allclose(binned, oracles.bin_features(xy, fps), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("phase", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("fps", [10, 29.97, 60])
def test_bins_of_another_phase_match_the_oracle(fps, phase, arrays, monkeypatch):
    xy = np.random.default_rng(4).normal(size=(97, 3, 2)).cumsum(axis=0)
    monkeypatch.setattr(features, "rows_per_chunk", lambda *_: 37)
    binned = arrays.to_host(features.bin_features(arrays.asarray(xy), fps, Features(), phase=phase))
    np.testing.assert_allclose(binned, oracles.bin_features(xy, fps, phase), rtol=1e-9, atol=1e-12)


def test_chunk_size_does_not_change_a_byte(monkeypatch):
    xy = np.random.default_rng(2).normal(size=(500, 4, 2)).cumsum(axis=0)
    bins = features.bin_features(xy, 29.97, Features())
    frames = np.concatenate(list(features.window_features(xy, 29.97, Features())))
    monkeypatch.setattr(features, "rows_per_chunk", lambda *_: 37)
    assert np.array_equal(features.bin_features(xy, 29.97, Features()), bins)
    assert np.array_equal(np.concatenate(list(features.window_features(xy, 29.97, Features()))), frames)


def test_a_quarter_turn_by_hand(arrays):
    # one pair of length 2 that turns from +x to +y in one step: c = b_x a_y - b_y a_x = -4 < 0
    xy = np.array([[[0.0, 0], [2, 0]], [[0, 0], [0, 2]], [[0, 0], [0, -2]]])
    between = vectors.pair_vectors(arrays.asarray(xy), all_pairs(2))
    assert arrays.to_host(vectors.length(between)).ravel().tolist() == [2, 2, 2]
    assert arrays.to_host(vectors.turns(between)).ravel() == pytest.approx([-90, 0])  # an exact reversal gives 0


def test_unsigned_turns_by_hand(arrays):
    # a quarter; an exact reversal; to a length of 0 and from there; (1, 1, 1) to (1, 1, 0): cos = 2 / sqrt(3 * 2)
    ends = np.array([[2.0, 0, 0], [0, 3, 0], [0, -1, 0], [0, 0, 0], [1, 1, 1], [1, 1, 0]])
    xyz = np.stack([np.ones((6, 3)), 1 + ends], axis=1)
    between = vectors.pair_vectors(arrays.asarray(xyz), all_pairs(2))
    turns = arrays.to_host(vectors.turns(between))
    assert turns.ravel() == pytest.approx([90, 180, 0, 0, math.degrees(math.acos(2 / math.sqrt(6)))], abs=1e-12)


def in_space(xy, seed):
    """A recording in a plane of space that is turned and shifted at random."""
    rng = np.random.default_rng(seed)
    flat = np.concatenate([xy, np.zeros((*xy.shape[:2], 1))], axis=-1)
    return flat @ rotation(rng).T + rng.normal(0, 100, size=3)


def assert_same_without_sign(xy, xyz, arrays):
    """Distances and displacements are the same, and so is the size of the turns."""
    flat, spatial = (arrays.to_host(features.bin_features(arrays.asarray(p), 29.97, Features())) for p in (xy, xyz))
    pairs = math.comb(xy.shape[1], 2)
    rest = [*range(pairs), *range(2 * pairs, flat.shape[1])]
    np.testing.assert_allclose(spatial[:, rest], flat[:, rest], rtol=1e-9, atol=1e-9)
    of_pairs = (vectors.pair_vectors(arrays.asarray(p), all_pairs(xy.shape[1])) for p in (xy, xyz))
    signed, unsigned = (arrays.to_host(vectors.turns(pairs_of)) for pairs_of in of_pairs)
    np.testing.assert_allclose(unsigned, np.abs(signed), atol=1e-4)  # degrees; lengths are 1e-3 and more of the shift


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(4, 40), st.floats(0.3, 300))
def test_a_plane_in_space_has_the_features_of_two_dimensions(arrays, seed, keypoints, frames, step):
    xy = np.random.default_rng(seed).normal(0, step, size=(frames, keypoints, 2)).cumsum(axis=0)
    assert_same_without_sign(xy, in_space(xy, seed + 1), arrays)


def test_a_straight_walk_at_constant_speed_by_hand(arrays):
    # 3 px a frame at 60 fps: 18 px in 100 ms, no turn, a constant distance of 5 px
    t = np.arange(61.0)
    xy = np.stack([np.stack([3 * t, 0 * t], 1), np.stack([3 * t + 3, 0 * t + 4], 1)], axis=1)
    binned = arrays.to_host(features.bin_features(arrays.asarray(xy), 60, Features()))
    assert binned.shape == (10, 4)
    np.testing.assert_allclose(binned, np.tile([5.0, 0, 18, 18], (10, 1)), atol=1e-12)
