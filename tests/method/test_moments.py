"""Means and deviations in windows by doubling, against NumPy's of each window."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bsoid_gpu.method.moments import window_moments
from bsoid_gpu.method.windows import Windows


def windows_of(arrays, ranges):
    start, stop = (arrays.asarray(np.asarray(ends, dtype=np.int64)) for ends in zip(*ranges, strict=True))
    return Windows(start, stop, max(b - a for a, b in ranges))


def moments(arrays, samples, *sets):
    results = window_moments(arrays.asarray(samples), [windows_of(arrays, ranges) for ranges in sets])
    return [tuple(arrays.to_host(part) for part in result) for result in results]


def test_windows_by_hand(arrays):
    samples = np.array([[1.0], [3], [5], [5], [9]])
    ((means, deviations),) = moments(arrays, samples, [(0, 1), (0, 2), (1, 4), (0, 5)])
    assert means.ravel() == pytest.approx([1, 2, 13 / 3, 4.6])
    # squared deviations: 1 + 1; 16/9 + 4/9 + 4/9; 12.96 + 2.56 + 0.16 + 0.16 + 19.36
    assert deviations.ravel() == pytest.approx([0, 1, np.sqrt(24 / 27), np.sqrt(35.2 / 5)])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.integers(1, 70), st.sampled_from([0.0, 1e6, -1e9]))
def test_any_windows_match_numpy(arrays, data, number, offset):
    samples = offset + np.random.default_rng(number).normal(size=(number, 3))
    starts = data.draw(st.lists(st.integers(0, number - 1), min_size=1, max_size=20))
    ranges = [(start, data.draw(st.integers(start + 1, number))) for start in starts]
    ((means, deviations),) = moments(arrays, samples, ranges)
    scale = max(abs(offset), 1.0)
    np.testing.assert_allclose(means, [samples[a:b].mean(axis=0) for a, b in ranges], rtol=0, atol=1e-14 * scale)
    np.testing.assert_allclose(deviations, [samples[a:b].std(axis=0) for a, b in ranges], rtol=0, atol=2e-15 * scale)


def test_sets_of_windows_of_other_lengths_do_not_change_each_other(arrays):
    samples = np.random.default_rng(1).normal(size=(50, 2))
    short, long = [(i, i + 3) for i in range(40)], [(i, i + 9) for i in range(41)]
    together = moments(arrays, samples, short, long)
    for alone, shared in zip((moments(arrays, samples, short), moments(arrays, samples, long)), together, strict=True):
        assert np.array_equal(alone[0], shared)


def test_a_result_depends_on_the_samples_of_its_window_alone(arrays):
    samples = np.random.default_rng(2).normal(size=(300, 2))
    others = np.random.default_rng(3).normal(1e8, 1e8, size=(500, 2))
    others[77:377] = samples
    ranges = [(i, min(i + 1 + i % 60, 300)) for i in range(300)]
    here, there = moments(arrays, samples, ranges)[0], moments(arrays, others, [(a + 77, b + 77) for a, b in ranges])[0]
    assert np.array_equal(here, there)


def test_a_constant_has_exactly_that_mean_and_no_deviation(arrays):
    samples = np.full((200, 1), 0.1)
    ranges = [(i, i + 1 + i % 99) for i in range(100)]
    ((means, deviations),) = moments(arrays, samples, ranges)
    assert set(means.ravel().tolist()) == {0.1}
    assert set(deviations.ravel().tolist()) == {0.0}
