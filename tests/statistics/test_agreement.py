import numpy as np
import pytest

from bsoid_gpu.statistics import agreement

TRUTH = np.array(list("aaaabbbbcc"))
LABELS = np.array([0, 0, 0, 1, 1, 1, 1, 1, 2, -1])


def test_majority_accuracy_by_hand():
    # most frequent: a for label 0, b for 1 (4 of 5), c for 2 and -1; one frame of a is wrong
    assert agreement.majority_accuracy(LABELS, TRUTH) == pytest.approx(0.9)


def test_recall_by_hand():
    table = agreement.by_behaviour(LABELS, TRUTH).set_index("behaviour")
    assert table.loc["a", "recall"] == pytest.approx(0.75)
    assert table.loc["b", "recall"] == 1
    assert table.loc["c", "recall"] == pytest.approx(0.5)  # -1 counts for no behaviour
    assert table.loc["b", "labels"] == "1"


def test_macro_f1_by_hand():
    # a: 3 right of 4 and 3 so named; b: 4 right of 4 and 5; c: 2 of 2 and 2
    assert agreement.macro_f1(LABELS, TRUTH) == pytest.approx((6 / 7 + 8 / 9 + 1) / 3)
    # one label stands for b only: a and c have 0
    assert agreement.macro_f1(np.zeros(10), list("aaabbbbbcc")) == pytest.approx((0 + 10 / 15 + 0) / 3)


def test_a_left_out_session_by_hand():
    sessions = list("xxxxxyyyyy")
    # with y's mapping (1: b, 2 and -1: c), x has label 1 right in one of two frames, and 0 is unknown;
    # with x's mapping (0: a, 1: a as often as b, the first is taken), y has nothing right
    assert agreement.left_out_accuracy(LABELS, TRUTH, sessions) == pytest.approx((1 / 5 + 0) / 2)
    same = [*LABELS, *LABELS], [*TRUTH, *TRUTH]
    both = agreement.left_out_accuracy(*same, [0] * 10 + [1] * 10)
    assert both == pytest.approx(agreement.majority_accuracy(LABELS, TRUTH))
    assert np.isnan(agreement.left_out_accuracy(LABELS, TRUTH, ["one"] * 10))


def test_information_by_hand():
    # two labels, each of one behaviour, and a third of half: H(truth) = 1 bit, H(labels) = 1.5 bits, shared 1 bit
    assert agreement.normalised_information([0, 0, 1, 2], list("aabb")) == pytest.approx(2 / 2.5)
    assert agreement.normalised_information([0, 1, 0, 1], list("aabb")) == pytest.approx(0)
    assert agreement.adjusted_information([5, 5, 2, 2], list("aabb")) == pytest.approx(1)


def test_adjusted_information_does_not_grow_with_random_labels():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 4, 1000)
    for labels in (2, 20, 200):
        random = generator.integers(0, labels, 1000)
        assert abs(agreement.adjusted_information(random, truth)) < 0.02
    assert agreement.normalised_information(random, truth) > 0.1


def test_labels_of_another_meaning_in_another_session_agree_within_each():
    truth, sessions = list("aabbaabb"), [1] * 4 + [2] * 4
    labels = [0, 0, 1, 1, 1, 1, 0, 0]
    assert agreement.adjusted_information_within(labels, truth, sessions) == pytest.approx(1)
    assert agreement.adjusted_information(labels, truth) < 0.01
    one_is_empty = agreement.adjusted_information_within([*labels, 3, 4], [*truth, "c", "c"], [*sessions, 3, 3])
    assert one_is_empty == pytest.approx(1)
    assert np.isnan(agreement.adjusted_information_within([1, 2], ["a", "a"], [1, 1]))


def test_adjusted_rand_by_hand():
    assert agreement.adjusted_rand([0, 0, 1, 1], [3, 3, 0, 0]) == 1
    # of 6 pairs 2 are together in each, none in both; expected 2 * 2 / 6, largest 2: (0 - 2/3) / (2 - 2/3)
    assert agreement.adjusted_rand([0, 0, 1, 1], [0, 1, 0, 1]) == pytest.approx(-0.5)


def test_homogeneity_of_split_behaviours_is_1_and_of_one_label_is_0():
    assert agreement.homogeneity([0, 1, 2, 3], list("aabb")) == pytest.approx(1)
    assert agreement.homogeneity([0, 0, 0, 0], list("aabb")) == pytest.approx(0)


@pytest.mark.parametrize("lag", [-5, 0, 3])
def test_best_lag_is_the_shift(lag):
    truth = np.repeat(np.random.default_rng(0).integers(0, 5, 200), 7)
    assert agreement.best_lag(np.roll(truth, lag), truth) == lag
