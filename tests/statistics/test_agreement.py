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


def test_homogeneity_of_split_behaviours_is_1_and_of_one_label_is_0():
    assert agreement.homogeneity([0, 1, 2, 3], list("aabb")) == pytest.approx(1)
    assert agreement.homogeneity([0, 0, 0, 0], list("aabb")) == pytest.approx(0)


@pytest.mark.parametrize("lag", [-5, 0, 3])
def test_best_lag_is_the_shift(lag):
    truth = np.repeat(np.random.default_rng(0).integers(0, 5, 200), 7)
    assert agreement.best_lag(np.roll(truth, lag), truth) == lag
