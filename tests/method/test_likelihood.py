import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays
from oracles import hold_last_good as slow_hold
from oracles import threshold as slow_threshold

from bsoid_gpu.method import likelihood


def thresholds(arrays, confidence, seen=None):
    seen = np.ones(confidence.shape, dtype=bool) if seen is None else seen
    return arrays.to_host(likelihood.thresholds(arrays.asarray(confidence), arrays.asarray(seen)))


def test_threshold_by_hand(arrays):
    # ten bins of 0.1 with counts 5 3 1 0 0 0 0 0 2 9: they fall from bin 2 to 3 (1 -> 0), but not from bin 3 to 4
    # (0 -> 0), so r = [3, 4, ...] and r[0] > 1: the threshold is the left edge of bin 3
    values = np.repeat(np.arange(10) / 10 + 0.05, [5, 3, 1, 0, 0, 0, 0, 0, 2, 9])
    values = np.concatenate([values, [0.0, 1.0]])[:, None]
    assert thresholds(arrays, values) == pytest.approx([0.3])


def test_the_second_rise_counts_if_the_first_is_too_early(arrays):
    values = np.concatenate([np.repeat(np.arange(10) / 10 + 0.05, [1, 2, 1, 0, 3, 1, 1, 1, 1, 9]), [0.0, 1.0]])[:, None]
    assert thresholds(arrays, values)[0] == pytest.approx(slow_threshold(values[:, 0]))


@given(numpy_arrays(float, st.integers(2, 60), elements=st.floats(0, 1, width=32)))
def test_threshold_matches_the_oracle(values):
    limits = likelihood.thresholds(values[:, None], np.ones((len(values), 1), dtype=bool))
    assert limits[0] == pytest.approx(slow_threshold(values), rel=1e-12)


@pytest.mark.parametrize("values", [np.full(30, 1.0), np.full(30, 0.0), np.linspace(1, 0, 30) ** 3, np.arange(2) / 1.0])
def test_at_least_one_frame_reaches_the_threshold(arrays, values):
    limits = thresholds(arrays, values[:, None])
    assert np.isfinite(limits).all()
    assert (values >= limits[0]).any()


def test_frames_without_a_position_do_not_count(arrays):
    rng = np.random.default_rng(0)
    confidence = rng.uniform(size=(300, 2))
    seen = rng.uniform(size=(300, 2)) > 0.2
    limits = thresholds(arrays, confidence, seen)
    assert limits == pytest.approx([slow_threshold(confidence[seen[:, k], k]) for k in range(2)])


def test_hold_last_good_by_hand(arrays):
    x = np.array([5.0, 1, 2, np.nan, 4, 9])
    confidence = np.array([0.1, 0.9, 0.2, 1.0, 0.9, 0.3])[:, None]
    position = np.stack([x, x], axis=-1)[:, None, :]
    held = likelihood.hold_last_good(arrays.asarray(position), arrays.asarray(confidence), arrays.asarray([0.5]))
    # frame 0 keeps its position; 2 (unlikely) and 3 (missing) get that of 1; 5 gets that of 4
    assert arrays.to_host(held)[:, 0, 0].tolist() == [5, 1, 1, 1, 4, 4]


def test_missing_first_frames_get_the_first_good_position(arrays):
    x = np.array([np.nan, np.nan, 7.0, 8.0])
    position = np.stack([x, x], axis=-1)[:, None, :]
    confidence = np.array([0.0, 0.0, 0.9, 0.9])[:, None]
    held = likelihood.hold_last_good(arrays.asarray(position), arrays.asarray(confidence), arrays.asarray([0.5]))
    assert arrays.to_host(held)[:, 0, 1].tolist() == [7, 7, 7, 8]


def test_without_good_frames_the_first_position_is_used(arrays):
    x = np.array([np.nan, 6.0, 7.0])
    position = np.stack([x, x], axis=-1)[:, None, :]
    confidence = np.array([0.0, 0.3, 0.3])[:, None]
    held = likelihood.hold_last_good(arrays.asarray(position), arrays.asarray(confidence), arrays.asarray([0.5]))
    assert arrays.to_host(held)[:, 0, 0].tolist() == [6, 6, 6]


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_hold_last_good_matches_the_oracle(seed, frames):
    rng = np.random.default_rng(seed)
    position = rng.normal(size=(frames, 3, 2))
    position[rng.uniform(size=(frames, 3)) < 0.3] = np.nan
    position[-1] = 1.0
    confidence = rng.uniform(size=(frames, 3))
    confidence[-1] = 1.0
    limit = np.full(3, 0.5)
    assert np.array_equal(
        likelihood.hold_last_good(position, confidence, limit), slow_hold(position, confidence, limit), equal_nan=True
    )


def test_the_only_rise_is_the_threshold_even_if_it_is_early(arrays):
    # counts 4 3 9 8 7 6 5 4 3 2: r = [1], and r[1] does not exist, so that the threshold is the left edge of bin 1
    values = np.repeat(np.arange(10) / 10 + 0.05, [3, 3, 9, 8, 7, 6, 5, 4, 3, 1])
    values = np.concatenate([values, [0.0, 1.0]])[:, None]
    assert thresholds(arrays, values) == pytest.approx([0.1])


def test_a_position_at_the_threshold_is_good(arrays):
    position = np.repeat([1.0, 2.0, 3.0], 2).reshape(3, 1, 2)
    confidence = np.array([1.0, 0.5, 0.25])[:, None]
    held = likelihood.hold_last_good(arrays.asarray(position), arrays.asarray(confidence), arrays.asarray([0.5]))
    assert arrays.to_host(held)[:, 0, 0].tolist() == [1, 2, 2]
