"""Which bouts show a behaviour."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.views.montage import (
    CONFUSABLE,
    EDGE,
    TYPICAL,
    SessionBouts,
    bout_means,
    chosen_bouts,
    sum_of_transitions,
)


def bouts(label, values, *, frames=30, start=0, fps=30.0):
    label = np.asarray(label, dtype=np.int64)
    first = start + frames * np.arange(len(label))
    values = np.asarray(values, dtype=float)
    values = values if values.ndim == 2 else values[:, None]
    return SessionBouts(label, first, first + frames, np.linspace(0.5, 1, len(label)), values, fps)


def test_means_of_the_samples_within_each_bout():
    values = np.array([[1.0, 5.0], [3.0, np.nan], [10.0, 7.0], [np.nan, np.nan]])
    means = bout_means(values, np.array([0, 3, 6, 9]), np.array([0, 6, 9, 20]), np.array([6, 9, 12, 30]))
    np.testing.assert_array_equal(means, [[2, 5], [10, 7], [np.nan, np.nan], [np.nan, np.nan]])


def test_typical_bouts_are_nearest_to_the_median_from_each_session_in_turn():
    here = bouts([0] * 9, [0, 0.1, -0.1, 0.2, -0.2, 0.3, -0.3, 5, -5])
    there = bouts([0] * 3, [1.0, 2.0, -2.0], start=1000)
    chosen = chosen_bouts([here, there], 1, 5)
    assert [bout.session for bout in chosen] == [0, 1, 0, 1, 0]
    assert [bout.kind for bout in chosen] == [TYPICAL] * 5
    assert (chosen[0].start, chosen[0].stop) == (0, 30)
    assert chosen[1].start == 1000


def test_one_bout_in_six_is_at_the_edge_and_one_is_like_another_label():
    values = [*np.linspace(-1, 1, 40), *np.linspace(3, 4, 40)]
    chosen = chosen_bouts([bouts([0] * 40 + [1] * 40, values)], 2, 6)
    of_first = [bout for bout in chosen if bout.label == 0]
    assert [bout.kind for bout in of_first] == [TYPICAL] * 4 + [EDGE, CONFUSABLE]
    positions = [values[bout.start // 30] for bout in of_first]
    assert max(np.abs(positions[:4])) < 0.1
    assert abs(positions[4]) > 0.9
    assert positions[5] > 0.8  # towards the other label
    assert len({bout.start for bout in chosen}) == 12


def test_a_label_with_few_bouts_has_all_of_them_and_short_ones_only_if_they_are_needed():
    few = chosen_bouts([bouts([0, 1, 0], [0, 1, 2])], 3, 6)
    assert [(bout.label, bout.start) for bout in few] == [(0, 0), (0, 60), (1, 30)]
    short = bouts([0] * 4, [0] * 4, frames=2)._replace(stop=np.array([2, 4, 60, 8]))
    assert chosen_bouts([short], 1, 1)[0].start == 4


@given(
    labels=st.lists(st.integers(-1, 4), max_size=40),
    cells=st.integers(1, 16),
    seed=st.integers(0, 9),
)
def test_any_bouts(labels, cells, seed):
    values = np.random.default_rng(seed).normal(size=(len(labels), 3))
    values[::3, 0] = np.nan
    chosen = chosen_bouts([bouts(labels, values), bouts([], np.zeros((0, 3)))], 5, cells)
    for label in range(5):
        of_label = [bout.start for bout in chosen if bout.label == label]
        assert len(set(of_label)) == len(of_label) == min(cells, labels.count(label))
    assert all(bout.label >= 0 for bout in chosen)


def test_transitions_do_not_cross_gaps_or_unsure_bouts():
    one = bouts([0, 1, -1, 1, 0, 1], np.zeros(6))
    gap = bouts([0, 1], np.zeros(2))._replace(start=np.array([0, 40]), stop=np.array([30, 70]))
    number = np.array([0, 1, -1, 1, 0, 1])
    assert sum_of_transitions([(number, one), (np.array([0, 1]), gap)], 2).tolist() == [[0, 2], [1, 0]]
