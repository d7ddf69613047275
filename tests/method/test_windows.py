import array_api_compat.numpy as xp
import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.method import features, windows
from bsoid_gpu.settings.schema import Features

RATES = [10, 15, 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 75, 100, 120, 200]
LENGTHS = [2, 3, 4, 5, 6, 7, 10, 11, 19, 20, 21, 59, 60, 61, 99, 100, 101, 299, 300, 1801]


def probe(frames: int) -> np.ndarray:
    """Two keypoints whose distance equals the frame number: the mean distance in a window is its mean time."""
    xy = np.zeros((frames, 2, 2))
    xy[:, 1, 0] = np.arange(frames)
    return xy


@pytest.mark.parametrize("frames", LENGTHS)
@pytest.mark.parametrize("fps", RATES)
def test_every_window_is_centred_on_its_frame(fps, frames):
    rows = np.concatenate(list(features.window_features(probe(frames), fps, Features())))
    assert len(rows) == frames
    assert np.abs(rows[:, 0] - np.arange(frames)).max() <= 0.5


@pytest.mark.parametrize("fps", RATES)
def test_windows_of_steps_are_centred_on_their_frame(fps):
    # step s moves s + 1/2 pixels, its time
    frames = 400
    xy = np.zeros((frames, 2, 2))
    xy[1:, 0, 0] = np.cumsum(np.arange(frames - 1) + 0.5)
    rows = np.concatenate(list(features.window_features(xy, fps, Features())))
    assert np.abs(rows[:, 2] / (fps / 10) - np.arange(frames)).max() <= 0.5 + 1e-9


def test_windows_are_centred_on_a_strict_device(arrays):
    rows = [arrays.to_host(r) for r in features.window_features(arrays.asarray(probe(200)), 29.97, Features())]
    assert np.abs(np.concatenate(rows)[:, 0] - np.arange(200)).max() <= 0.5


@given(st.sampled_from(RATES), st.integers(1, 2000), st.sampled_from([0.0, 0.2, 0.4, 0.5, 0.99]))
def test_bins_cover_the_steps_without_gap_or_overlap(fps, steps, phase):
    edges = windows.bin_edges(xp, steps, fps / 10, phase=phase)
    bins = len(edges) - 1
    assert edges.tolist() == [oracles.first_step(b, fps / 10, phase) for b in range(bins + 1)]
    assert bins == 0 or edges[-1] <= steps
    assert steps < oracles.first_step(bins + 1, fps / 10, phase)
    assert (np.diff(edges) > 0).all()


def test_bins_of_another_phase_by_hand():
    assert windows.bin_edges(xp, 13, 3.0, phase=0.5).tolist() == [2, 5, 8, 11]
    assert windows.bin_edges(xp, 4, 1.0, phase=0.5).tolist() == [1, 2, 3, 4]
    assert windows.bin_edges(xp, 7, 2.5, phase=0.2).tolist() == [1, 3, 6]  # 0.5, 3 and 5.5


def test_a_complete_last_bin_is_used():
    assert windows.bin_edges(xp, 60, 6.0).tolist() == list(range(0, 61, 6))


@given(st.sampled_from(RATES), st.integers(2, 500))
def test_windows_are_within_the_session_and_never_empty(fps, frames):
    frame_window, step_window = windows.centred_windows(np.arange(frames), frames, fps / 10)
    for window, samples in ((frame_window, frames), (step_window, frames - 1)):
        assert (window.start >= 0).all()
        assert (window.stop <= samples).all()
        assert (window.stop > window.start).all()
        assert (window.stop - window.start <= window.longest).all()


@pytest.mark.parametrize(("fps", "width"), [(10, 1), (15, 1), (24, 1), (30, 3), (50, 3), (60, 5), (200, 19)])
def test_smoothing_width(fps, width):
    assert windows.smoothing_frames(fps) == width
