"""Times of frames to frame numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.frame_times import checked_rate, frame_times

RATES = st.sampled_from([15.0, 25.0, 29.97, 30.0, 59.94, 400.0])


@given(RATES, st.integers(2, 5000), st.floats(-1e4, 1e4), st.floats(-0.009, 0.009))
def test_even_times_number_every_frame_even_if_the_rate_is_rounded(rate, frames, start, error):
    timed = frame_times(start + np.arange(frames) / rate, "times", rate * (1 + error))
    assert np.array_equal(timed.numbers, np.arange(frames))
    assert timed.start_s == pytest.approx(start)
    assert timed.rate == pytest.approx(rate, rel=1e-5)
    assert timed.notes == ()


@given(RATES, st.integers(200, 20_000), st.integers(0, 2**32 - 1), st.floats(0, 0.3), st.floats(-0.001, 0.001))
def test_lost_frames_are_gaps_and_uneven_times_are_not(rate, frames, seed, uneven, error):
    rng = np.random.default_rng(seed)
    kept = np.flatnonzero(rng.random(frames) < 0.95)
    times = (kept + rng.uniform(-uneven, uneven, len(kept))) / rate
    timed = frame_times(times, "times", rate * (1 + error))
    assert np.array_equal(timed.numbers, kept - kept[0])


@pytest.mark.parametrize("rate", [29.97, 60.0])
def test_times_in_whole_milliseconds(rate):
    frames = np.arange(100_000)
    assert np.array_equal(frame_times(np.round(frames / rate, 3), "times", rate).numbers, frames)
    kept = np.delete(frames, [10, 500, 501, 77_777])
    assert np.array_equal(frame_times(np.round(kept / rate, 3), "times", rate).numbers, kept)


def test_late_frames_by_hand():
    times = np.array([0, 1, 2.4, 2.8, 4, 5, 6, 9, 10, 11]) / 10  # the third is late; two are lost after the seventh
    assert frame_times(times, "times", 10.0).numbers.tolist() == [0, 1, 2, 3, 4, 5, 6, 9, 10, 11]


def test_times_that_rise_by_one_are_frame_numbers():
    numbers = np.array([5.0, 6.0, 7.0, 9.0, 10.0])
    timed = frame_times(numbers, "times", 30.0)
    assert (timed.numbers.tolist(), timed.start_s, timed.rate) == (numbers.tolist(), 0.0, 30.0)
    assert timed.notes == ("the times rise by 1: they are frame numbers, not seconds; 30 frames per second as given",)
    with pytest.raises(BadInput, match=r"1 frames per second .* but 30 were given"):
        frame_times(numbers, "times", 30.0, in_seconds=True)
    with pytest.raises(BadInput, match=r"1 frames per second .* but 30 were given"):
        frame_times(numbers + 0.5, "times", 30.0)
    seconds = frame_times(numbers, "times", 1.0)
    assert (seconds.numbers.tolist(), seconds.start_s, seconds.notes) == ([0, 1, 2, 4, 5], 5.0, ())


@pytest.mark.parametrize("factor", [0.001, 0.5, 0.98, 1.02, 2.0, 1000.0])
def test_another_rate_is_refused_with_both_rates(factor):
    for kept in (np.arange(300), np.delete(np.arange(300), [3, 50, 51])):
        with pytest.raises(BadInput, match=rf"{30 * factor:g} frames per second .* but 30 were given"):
            frame_times(kept / 30 / factor, "times", 30.0)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0.0, 0.1, 0.1, 0.2], "0.1 is repeated in row 3"),
        ([0.0, 0.2, 0.1, 0.3], "0.2 is followed by 0.1 in row 3"),
        ([0.3, 0.2, 0.1, 0.0], "is followed by"),
        ([0.0, np.nan, 0.2, 0.3], "the time of row 2 is nan"),
        ([0.0, 0.1, 0.2, np.inf], "the time of row 4 is inf"),
        ([-1e308, 0.1, 0.2, 1e308], "the time of row 1 is -1e\\+308"),
        ([0.0, 5e-324, 1e-323, 1.5e-323], "frames per second"),
        ([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.51, 0.52, 0.6, 0.7, 0.8], "too uneven: rows 6 and 7"),  # 10 per second
    ],
)
def test_times_that_cannot_be_used(times, message):
    with pytest.raises(BadInput, match=message):
        frame_times(np.array(times), "times", 10.0)


@pytest.mark.parametrize("length", [0, 1])
def test_times_too_few_for_a_rate(length):
    timed = frame_times(np.full(length, 2.5), "times", 30.0)
    assert timed.numbers.tolist() == [0] * length
    assert timed.start_s == 2.5 * length


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=40), st.booleans())
def test_any_numbers_are_used_or_refused(times, in_seconds):
    try:
        timed = frame_times(np.array(times), "times", 30.0, in_seconds=in_seconds)
    except BadInput:
        return
    assert np.all(np.diff(timed.numbers) > 0)
    assert np.array_equal(timed.numbers, np.round(timed.numbers))


def test_rates_that_a_file_states():
    assert checked_rate(29.97, "rate", 30.0) == 29.97
    for rate in (25.0, 29.0, 31.0):
        with pytest.raises(
            BadInput, match=f"states {rate:g} frames per second, but 30 were given: give --fps {rate:g}"
        ):
            checked_rate(rate, "rate", 30.0)
    with pytest.raises(BadInput, match="states 1 frames per second, but 30 were given: correct the rate"):
        checked_rate(1.0, "rate", 30.0)  # no advice to give --fps 1
    for rate in (0.0, -30.0, np.nan, np.inf, None, "thirty"):
        with pytest.raises(BadInput, match="a number above 0"):
            checked_rate(rate, "rate", 30.0)
