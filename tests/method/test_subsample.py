import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.method.subsample import training_bins


def test_few_bins_are_used_completely():
    assert [part.tolist() for part in training_bins([3, 0, 2], 5, seed=0)] == [[0, 1, 2], [], [0, 1]]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_the_subsample_is_even_over_sessions_and_time(session_bins, max_bins, seed):
    chosen = training_bins(session_bins, max_bins, seed)
    total = sum(session_bins)
    assert sum(map(len, chosen)) == min(max_bins, total)
    for bins, part in zip(session_bins, chosen, strict=True):
        assert abs(len(part) - bins * min(1, max_bins / max(total, 1))) <= 1
        assert np.all(np.diff(part) > 0)
        assert np.all((part >= 0) & (part < bins))
        if len(part):  # no gap is longer than two equal intervals
            assert np.max(np.diff([-1, *part, bins])) <= 2 * np.ceil(bins / len(part))


def test_the_subsample_depends_on_the_seed():
    one, again, other = (training_bins([1000, 500], 300, seed)[0] for seed in (1, 1, 2))
    assert one.tolist() == again.tolist() != other.tolist()
