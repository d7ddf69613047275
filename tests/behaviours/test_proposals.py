import numpy as np
import pytest

from bsoid_gpu.behaviours.body import body_length_px, body_of
from bsoid_gpu.behaviours.measures import bout_numbers, measure
from bsoid_gpu.behaviours.proposals import Comparison, comparison, proposals
from bsoid_gpu.errors import BadInput
from bsoid_gpu.synthetic import mouse

LEFT, RIGHT = mouse.NAMES.index("turn_left"), mouse.NAMES.index("turn_right")
WALK, RUN = mouse.NAMES.index("walk"), mouse.NAMES.index("run")
COUNT = len(mouse.NAMES)


def compared(mice, labels, count):
    body = body_of([one.pose for one in mice])
    groups = [(number,) for number in range(count)]
    return comparison(
        [
            measure(one.pose, own, groups, body, body_length_px([one.pose], body))
            for one, own in zip(mice, labels, strict=True)
        ],
        count,
    )


def transitions_of(mice, labels, count):
    counts = np.zeros((count, count), dtype=np.int64)
    for one, own in zip(mice, labels, strict=True):
        bout = bout_numbers(own, one.pose.frame_numbers)
        order = own[np.flatnonzero(np.diff(bout, prepend=-1))]
        np.add.at(counts, (order[:-1], order[1:]), 1)
    return counts


def test_the_eight_behaviours_are_not_merged_and_the_turns_are_mirrored(mice):
    labels = [one.labels for one in mice]
    (mirror,) = proposals(compared(mice, labels, COUNT), transitions=transitions_of(mice, labels, COUNT))
    assert (mirror.kind, mirror.labels) == ("mirror", (LEFT, RIGHT))
    assert "to the left in 3" in mirror.reason
    assert "to the right in 4" in mirror.reason


def test_bouts_of_one_behaviour_with_two_labels_are_merged(mice):
    """Walking and both turns have two labels each, by chance."""
    rng = np.random.default_rng(0)
    twins = {WALK: COUNT, LEFT: COUNT + 1, RIGHT: COUNT + 2}
    labels = []
    for one in mice:
        bout = bout_numbers(one.labels, one.pose.frame_numbers)
        second = rng.uniform(size=bout[-1] + 1)[bout] < 0.5
        labels.append(one.labels.copy())
        for label, twin in twins.items():
            labels[-1][(one.labels == label) & second] = twin
    result = proposals(compared(mice, labels, COUNT + 3))
    merges = {one.labels for one in result if one.kind == "merge"}
    assert merges == set(twins.items())
    assert all("no descriptor separates them" in one.reason for one in result if one.kind == "merge")
    (mirror,) = [one for one in result if one.kind == "mirror"]  # one stands for the labels that are merged
    assert {twins.get(label, label) for label in mirror.labels} == {COUNT + 1, COUNT + 2}


def test_phases_of_walking_that_alternate_are_merged(mice):
    """Walking has two labels, by which hindpaw is ahead: the labels follow each other."""
    labels = []
    for one in mice:
        hindpaws = one.pose.position[:, 0, 3] - one.pose.position[:, 0, 4]
        axis = one.pose.position[:, 0, 0] - one.pose.position[:, 0, 5]
        ahead = np.sum(hindpaws * axis, axis=1) > 0
        labels.append(np.where((one.labels == WALK) & ahead, COUNT, one.labels))
    result = proposals(compared(mice, labels, COUNT + 1), transitions=transitions_of(mice, labels, COUNT + 1))
    (merge,) = [one for one in result if one.kind == "merge"]
    assert merge.labels == (WALK, COUNT)
    assert "as phases of one movement do" in merge.reason
    assert not [one for one in result if one.kind == "merge" and one.labels != (WALK, COUNT)]


def comparison_of(auc, turning=(0.0, 0.0, 0.0), seconds=60.0, bout_s=1.0, turn_auc=0.5):
    """Three labels with descriptors speed, turning and duration; ``auc`` (pairs 01, 02, 12) of speed less 0.5."""
    names = ("speed", "turning", "duration of bouts")
    table = np.zeros((3, 3, 3))
    for value, (i, j) in zip(auc, ((0, 1), (0, 2), (1, 2)), strict=True):
        table[i, j, 0], table[j, i, 0] = value, -value
        turn = turn_auc * np.sign(turning[i] - turning[j])
        table[i, j, 1], table[j, i, 1] = turn, -turn
    medians = np.stack([np.ones(3), np.asarray(turning), np.full(3, bout_s)], axis=1)
    return Comparison(names, medians, table, 1.0, np.full(3, seconds))


APART = comparison_of((0.35, 0.45, 0.45))  # between alike and clearly apart; clearly apart; clearly apart


def test_mixed_labels_are_merged_unless_they_are_clearly_apart():
    confusion = np.array([[90, 10, 0], [10, 80, 10], [0, 10, 90]])
    (merge,) = proposals(APART, confusion)
    assert merge.labels == (0, 1)
    assert merge.reason == "0 and 1: the classifier mixes 10 % of their bins in cross-validation."
    assert proposals(APART, np.diag([90, 90, 90])) == []


def test_a_small_label_is_not_mixed_in_one_direction():
    assert proposals(APART, np.array([[1000, 1, 0], [1, 1, 0], [0, 0, 100]])) == []


def test_labels_that_follow_each_other_both_ways_are_merged():
    (merge,) = proposals(APART, transitions=np.array([[0, 60, 40], [30, 0, 70], [50, 50, 0]]))
    assert merge.labels == (0, 1)
    assert "60 % of the bouts of 0 lead to 1 and 30 % of those of 1 to 0" in merge.reason
    assert proposals(APART, transitions=np.array([[0, 90, 10], [10, 0, 90], [50, 50, 0]])) == []


def test_near_centres_are_merged():
    (merge,) = proposals(APART, centres=np.array([[0.0, 0.0], [0.1, 0.0], [9.0, 0.0]]))
    assert merge.labels == (0, 1)
    assert proposals(APART, centres=np.array([[0.0, 0.0], [np.nan, 0.0], [9.0, 0.0]])) == []


def test_left_and_right_are_never_merged():
    confusion = np.array([[60, 40, 0], [40, 60, 0], [0, 0, 90]])
    (mirror,) = proposals(comparison_of((0.0, 0.45, 0.45), (-100.0, 120.0, 0.0)), confusion)
    assert (mirror.labels, mirror.kind) == ((0, 1), "mirror")
    assert mirror.reason == (
        "0 and 1 differ in direction only: the turning is 100 deg/s to the left in 0 and 120 deg/s to the right in 1."
    )


@pytest.mark.parametrize("turning", [(-100.0, 250.0, 0.0), (-100.0, 10.0, 0.0), (100.0, 120.0, 0.0)])
def test_turns_of_other_size_or_one_direction_are_no_mirror_pair(turning):
    assert [one for one in proposals(comparison_of((0.3, 0.45, 0.45), turning)) if one.kind == "mirror"] == []


def test_a_chain_of_neighbours_is_not_one_behaviour():
    merges = proposals(comparison_of((0.1, 0.45, 0.2)))
    assert [one.labels for one in merges] == [(0, 1)]  # 2 is near 1, but clearly apart from 0
    assert [one.labels for one in proposals(comparison_of((0.1, 0.2, 0.15)))] == [(0, 1, 2)]


def test_nothing_is_proposed_for_a_rare_label():
    assert proposals(comparison_of((0.0, 0.0, 0.0), seconds=1.0)) == []


def test_each_label_needs_a_group_of_its_own(mice):
    body = body_of([mice[0].pose])
    measures = measure(mice[0].pose, mice[0].labels, [(0,), (1, 2)], body, 100.0)
    with pytest.raises(BadInput, match=r"no group of the labels \[1, 2\]"):
        comparison([measures], 3)


def test_opposite_turns_that_overlap_are_not_merged_either():
    confusion = np.array([[60, 40, 0], [40, 60, 0], [0, 0, 90]])
    overlapping = comparison_of((0.0, 0.45, 0.45), (-40.0, 45.0, 0.0), turn_auc=0.3)
    assert [one for one in proposals(overlapping, confusion) if one.kind == "merge"] == []


def test_short_swings_to_left_and_right_that_alternate_are_one_movement():
    alternating = np.array([[0, 80, 20], [70, 0, 30], [50, 50, 0]])
    (merge,) = proposals(comparison_of((0.0, 0.45, 0.45), (-60.0, 60.0, 0.0), bout_s=0.2), transitions=alternating)
    assert (merge.labels, merge.kind) == ((0, 1), "merge")
    (mirror,) = proposals(comparison_of((0.0, 0.45, 0.45), (-60.0, 60.0, 0.0)), transitions=alternating)  # long bouts
    assert mirror.kind == "mirror"
