import numpy as np
import pytest

from bsoid_gpu.behaviours.rhythm import rhythm_of


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0, 120.0])
@pytest.mark.parametrize("hz", [2.5, 6.0, 9.0])
def test_rate_and_amplitude_of_a_sine_on_a_slope(fps, hz):
    time_s = np.arange(int(4 * fps)) / fps
    signal = 3.0 * np.sin(2 * np.pi * hz * time_s + 0.3) + 40.0 * time_s - 7.0
    rhythm = rhythm_of(signal[:, None], np.arange(len(signal)), fps)
    assert np.isnan(rhythm.hz[[0, -1]]).all()
    inner = slice(int(fps), int(3 * fps))
    np.testing.assert_allclose(rhythm.hz[inner], hz, atol=0.25)
    np.testing.assert_allclose(rhythm.amplitude[inner], 3.0, rtol=0.12)
    assert (rhythm.share[inner] > 0.7).all()


def test_the_power_of_two_signals_is_added():
    time_s = np.arange(200) / 50
    both = np.stack([3 * np.sin(2 * np.pi * 5 * time_s), 4 * np.cos(2 * np.pi * 5 * time_s)], axis=1)
    assert rhythm_of(both, np.array([100]), 50.0).amplitude[0] == pytest.approx(5.0, rel=0.02)


def test_noise_has_no_regular_rhythm():
    noise = np.random.default_rng(0).normal(size=(6000, 1))
    assert np.nanmedian(rhythm_of(noise, np.arange(0, 6000, 5), 50.0).share) < 0.45  # a sine has more than 0.7


def test_slow_movement_is_no_rhythm():
    time_s = np.arange(500) / 50
    rhythm = rhythm_of(np.sin(2 * np.pi * 0.6 * time_s)[:, None], np.arange(100, 400), 50.0)
    assert np.isnan(rhythm.hz).all()
    assert (rhythm.share == 0).all()


def test_a_gap_in_the_window_and_a_short_recording_have_none():
    signal = np.sin(np.arange(300.0))[:, None]
    signal[150] = np.nan
    rhythm = rhythm_of(signal, np.arange(300), 50.0)
    assert np.isnan(rhythm.amplitude[125:176]).all()
    assert np.isfinite(rhythm.amplitude[[124, 176]]).all()
    assert np.isnan(rhythm_of(signal[:20], np.arange(20), 50.0).hz).all()
    assert np.isnan(rhythm_of(np.full((100, 1), np.nan), np.arange(100), 50.0).hz).all()
