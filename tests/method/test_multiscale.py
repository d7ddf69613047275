"""Features of windows at several scales: prediction at each frame, and training bins."""

import math

import array_api_compat.numpy as xp
import numpy as np
import oracles
import pytest

from bsoid_gpu.method import features, multiscale, windows
from bsoid_gpu.method.columns import feature_columns, feature_names
from bsoid_gpu.method.quantities import all_quantities
from bsoid_gpu.settings.schema import Features

SCALES = Features(scales_s=(0.5, 2.0))
RATES = [10, 23.976, 25, 29.97, 30, 59.94, 60, 120]
LENGTHS = [2, 3, 10, 61, 100, 400]


def walk(frames, space=2, keypoints=3, seed=1):
    return np.random.default_rng(seed).normal(size=(frames, keypoints, space)).cumsum(axis=0)


def at_every_frame(arrays, xy, fps, settings):
    chunks = list(features.window_features(arrays.asarray(xy), fps, settings))
    return np.concatenate([arrays.to_host(chunk) for chunk in chunks])


@pytest.mark.parametrize("space", [2, 3])
@pytest.mark.parametrize("fps", [10, 25, 29.97])
def test_rows_match_the_oracle(fps, space, arrays):
    xy = walk(97, space)
    rows = at_every_frame(arrays, xy, fps, SCALES)
    expected = oracles.multiscale_features(xy, fps, (0.5, 2.0), range(97))
    assert rows.shape == (97, 5 * 9)
    np.testing.assert_allclose(rows, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("frames", LENGTHS)
@pytest.mark.parametrize("fps", RATES)
def test_every_window_of_every_scale_is_centred_on_its_frame(fps, frames):
    """Two keypoints whose distance is the frame number: the mean of a window is its mean time."""
    xy = np.zeros((frames, 2, 2))
    xy[:, 1, 0] = np.arange(frames)
    rows = np.concatenate(list(features.window_features(xy, fps, SCALES)))
    distances = [i for i, name in enumerate(feature_names("ab", SCALES)) if name.startswith("distance a - b, mean")]
    assert len(distances) == 3
    assert np.abs(rows[:, distances] - np.arange(frames)[:, None]).max() <= 0.5


@pytest.mark.parametrize("phase", [0.0, 0.4])
@pytest.mark.parametrize("fps", [10, 25, 29.97, 60])
def test_the_row_of_a_bin_is_that_of_the_frame_at_its_centre(fps, phase, arrays, monkeypatch):
    xy = walk(331)
    frames = at_every_frame(arrays, xy, fps, SCALES)
    monkeypatch.setattr(multiscale, "rows_per_chunk", lambda *_: 23)
    bins = arrays.to_host(features.bin_features(arrays.asarray(xy), fps, SCALES, phase=phase))
    edges = windows.bin_edges(xp, 330, fps * 0.1, phase=phase)
    assert len(bins) == len(edges) - 1
    centres = (edges[:-1] + edges[1:]) / 2  # step s lies between frames s and s + 1
    assert np.array_equal(bins, frames[np.ceil(centres).astype(int)])


def test_the_first_columns_of_a_bin_are_those_of_its_own_steps(arrays):
    """Without smoothing, the mean over a bin of 3 frames is that of the method."""
    xy = walk(200)
    plain = arrays.to_host(features.bin_features(arrays.asarray(xy), 30.0, Features(smoothing_s=0.0)))
    several = arrays.to_host(features.bin_features(arrays.asarray(xy), 30.0, SCALES))
    np.testing.assert_allclose(several[:, : plain.shape[1]], plain, rtol=1e-9, atol=1e-9)


def test_chunk_size_does_not_change_a_byte(monkeypatch):
    xy = walk(500)
    bins = features.bin_features(xy, 29.97, SCALES)
    frames = np.concatenate(list(features.window_features(xy, 29.97, SCALES)))
    monkeypatch.setattr(multiscale, "rows_per_chunk", lambda *_: 37)
    assert np.array_equal(features.bin_features(xy, 29.97, SCALES), bins)
    assert np.array_equal(np.concatenate(list(features.window_features(xy, 29.97, SCALES))), frames)


def test_no_bin_gives_no_row(arrays):
    none = features.bin_features(arrays.asarray(walk(2)), 60.0, SCALES)
    assert none.shape == (0, 45)


def test_a_constant_speed_by_hand(arrays):
    # 3 px a frame at 60 fps are 18 px in 100 ms at any scale, without a spread; a constant distance of 5 px, no turn
    t = np.arange(301.0)
    xy = np.stack([np.stack([3 * t, 0 * t], 1), np.stack([3 * t + 3, 0 * t + 4], 1)], axis=1)
    rows = at_every_frame(arrays, xy, 60.0, SCALES)
    still = [5.0, 0, 18, 18]
    np.testing.assert_allclose(rows, np.tile([*still, *still, 0, 0, 0, 0, *still, 0, 0, 0, 0], (301, 1)), atol=1e-9)


def test_logarithms_by_hand(arrays):
    """At 60 fps: 0.1 body lengths a step are 6 a second, a turn of 1 degree a step is 60 degrees a second."""
    settings = Features(scales_s=(0.5,), lengths="body", log=True)
    angle = np.radians(-np.arange(121.0))  # turns have the sign of the image's axes
    xy = np.zeros((121, 2, 2))
    xy[:, 0, 0] = 0.1 * np.arange(121)
    xy[:, 1] = xy[:, 0] + 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    row = at_every_frame(arrays, xy, 60.0, settings)[60]
    names = feature_names("ab", settings)
    assert names[:4] == [
        "distance a - b, mean 0.1 s",
        "turn a - b, mean 0.1 s, asinh",
        "displacement a, mean 0.1 s, log10",
        "displacement b, mean 0.1 s, log10",
    ]
    assert names[-4:] == [
        "distance a - b, spread 0.5 s, log10",
        "turn a - b, spread 0.5 s, log10",
        "displacement a, spread 0.5 s, log10",
        "displacement b, spread 0.5 s, log10",
    ]
    assert row[:3] == pytest.approx([2, math.asinh(60 / 30), math.log10(6.05)])
    assert row[-4:-1] == pytest.approx([math.log10(0.01), math.log10(10), math.log10(0.05)])


def test_columns_have_names_and_meanings():
    columns = feature_columns("ab", SCALES, 3)
    assert [column.name for column in columns[1::4]] == [
        "unsigned turn a - b, mean 0.1 s",
        "unsigned turn a - b, mean 0.5 s",
        "unsigned turn a - b, spread 0.5 s",
        "unsigned turn a - b, mean 2 s",
        "unsigned turn a - b, spread 2 s",
    ]
    assert len({column.name for column in columns}) == len(columns) == 20
    assert [column.is_length for column in columns] == [True, False, True, True] * 5
    assert [i for i, column in enumerate(columns) if column.is_speed] == [2, 3]
    in_bodies = feature_columns("ab", Features(lengths="body"))
    assert not any(column.is_length for column in in_bodies)


def test_frames_between_others_may_be_left_out(arrays):
    xy, at = walk(300), [0, 3, 4, 150, 299]
    chunks = list(multiscale.multiscale_features(arrays.asarray(xy), 30.0, SCALES, all_quantities(3), at))
    rows = np.concatenate([arrays.to_host(chunk) for chunk in chunks])
    assert np.array_equal(rows, at_every_frame(arrays, xy, 30.0, SCALES)[at])
