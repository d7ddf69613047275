import numpy as np
import pytest

from bsoid_gpu.statistics import agreement

TRUTH = np.array(list("aaaabbbbcc"))
LABELS = np.array([0, 0, 0, 1, 1, 1, 1, 1, 2, -1])


def test_majority_accuracy_by_hand():
    # label 0 stands for a, 1 for b (4 of 5), 2 for c, -1 for c: one frame of a is lost
    assert agreement.majority_accuracy(LABELS, TRUTH) == pytest.approx(0.9)


def test_found_by_hand():
    table = agreement.by_behaviour(LABELS, TRUTH).set_index("behaviour")
    assert table.loc["a", "found"] == pytest.approx(0.75)
    assert table.loc["b", "found"] == 1
    assert table.loc["c", "found"] == pytest.approx(0.5)  # a frame that is not sure is not found
    assert table.loc["b", "labels"] == "1"


def test_homogeneity_of_split_behaviours_is_1_and_of_one_label_is_0():
    assert agreement.homogeneity([0, 1, 2, 3], list("aabb")) == pytest.approx(1)
    assert agreement.homogeneity([0, 0, 0, 0], list("aabb")) == pytest.approx(0)


@pytest.mark.parametrize("lag", [-5, 0, 3])
def test_best_lag_is_the_shift(lag):
    truth = np.repeat(np.random.default_rng(0).integers(0, 5, 200), 7)
    assert agreement.best_lag(np.roll(truth, lag), truth) == lag
