"""Bouts of behaviours with merged labels."""

import numpy as np

from bsoid_gpu.behaviours.names import Behaviour, Behaviours
from bsoid_gpu.views.montage import SessionBouts
from bsoid_gpu.views.selection import merged_bouts, selection


def bouts(label, start, stop, confidence=None, values=None, fps=10.0):
    count = len(label)
    confidence = np.ones(count) if confidence is None else np.array(confidence, dtype=float)
    values = np.zeros((count, 1)) if values is None else np.array(values, dtype=float)[:, None]
    numbers = (np.array(part, dtype=np.int64) for part in (label, start, stop))
    return SessionBouts(*numbers, confidence, values, fps)


def test_bouts_of_merged_labels_that_follow_each_other_are_one():
    nan = np.nan
    session = bouts(
        [0, 2, 1, 2, 0, -1, 2],
        [0, 10, 30, 40, 45, 60, 70],
        [10, 30, 40, 45, 50, 70, 80],
        [0.9, 0.6, 0.5, 1.0, 0.5, 0.1, 0.7],
        [1.0, 4.0, 9.0, nan, 3.0, 0.0, nan],
    )
    merged = merged_bouts(session, np.array([0, 1, 0]))  # label 2 belongs to behaviour 0
    assert merged.label.tolist() == [0, 1, 0, -1, 0]
    assert merged.start.tolist() == [0, 30, 40, 60, 70]
    assert merged.stop.tolist() == [30, 40, 50, 70, 80]
    np.testing.assert_allclose(merged.confidence, [(9 + 12) / 30, 0.5, 0.75, 0.1, 0.7])
    np.testing.assert_allclose(merged.values[:, 0], [3.0, 9.0, 3.0, 0.0, nan])


def test_a_gap_of_the_track_separates_bouts():
    merged = merged_bouts(bouts([0, 1], [0, 12], [10, 20]), np.array([0, 0]))
    assert merged.start.tolist() == [0, 12]


def test_without_merges_nothing_changes():
    session = bouts([0, 1, 0], [0, 10, 20], [10, 20, 30])
    for before, after in zip(session, merged_bouts(session, np.array([0, 1])), strict=True):
        np.testing.assert_array_equal(before, after)
    empty = bouts([], [], [])
    assert len(merged_bouts(empty, np.array([0, 1])).label) == 0


def test_hidden_behaviours_are_shown_only_where_they_are_named():
    behaviours = Behaviours("m", 4, (Behaviour((0, 3), "walk"), Behaviour((1,), hidden=True)))
    sessions = [bouts([0, 1, 3, 0], [0, 10, 20, 30], [10, 20, 30, 40]), bouts([1, 0], [0, 10], [10, 20])]
    chosen = selection(behaviours, sessions, [], 16)
    assert [one.number for one in chosen.behaviours] == [0, 2]
    assert chosen.all_bouts == {0: 3, 2: 0}
    assert sorted((bout.session, bout.start, bout.stop) for bout in chosen.bouts[0]) == [
        (0, 0, 10),
        (0, 20, 40),
        (1, 10, 20),
    ]
    assert chosen.bouts[2] == []
    named = selection(behaviours, sessions, [1, 3], 1)
    assert [one.number for one in named.behaviours] == [0, 1]
    assert named.all_bouts == {0: 3, 1: 2}
    assert len(named.bouts[1]) == 1
