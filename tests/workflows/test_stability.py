import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from bsoid_gpu.workflows.stability import log_stability, stability, stability_warnings


class Fixed:
    """A classifier that gives these labels."""

    def __init__(self, labels):
        self.labels = labels

    def predict_proba(self, _):
        return np.eye(4)[self.labels]


def measured(models, returns_in):
    return {"models": models, "adjusted_rand": 0.5, "adjusted_mutual_information": 0.625, "returns_in": returns_in}


def test_agreement_is_the_mean_over_all_pairs_of_models(cpu):
    truth = np.random.default_rng(0).integers(0, 4, size=200)
    changed = np.where(np.arange(200) < 60, 0, truth)
    labels = [truth, (truth + 1) % 4, changed]  # the second is the first with other numbers
    result = stability([Fixed(each) for each in labels], np.zeros((200, 1)), np.array([3, 2, 3]), 3, cpu)
    for name, measure in (
        ("adjusted_rand", adjusted_rand_score),
        ("adjusted_mutual_information", adjusted_mutual_info_score),
    ):
        assert result[name] == pytest.approx((1 + 2 * measure(truth, changed)) / 3)
    assert result["models"] == 3
    assert result["returns_in"] == [3, 2, 3]
    assert result["adjusted_rand"] < result["adjusted_mutual_information"] < 1


def test_without_held_out_blocks_the_agreement_is_unknown_and_not_said(cpu, caplog):
    caplog.set_level("INFO", "bsoid_gpu")
    result = stability([], np.zeros((0, 1)), np.array([2, 1]), 2, cpu)
    assert result == {
        "models": 2, "adjusted_rand": None, "adjusted_mutual_information": None, "returns_in": [2, 1],
    }  # fmt: skip
    log_stability(result)
    assert [record.message for record in caplog.records] == [
        "stability, from 2 models: 1 of 2 labels return in most of them"
    ]


def test_the_log_counts_the_labels_that_return_in_three_fifths_of_the_models(caplog):
    caplog.set_level("INFO", "bsoid_gpu")
    log_stability(measured(5, [5, 3, 2, 1]))
    assert caplog.messages == [
        "stability, from 5 models: on held-out time blocks they agree with an adjusted Rand index of 0.50 and an "
        "adjusted mutual information of 0.62; 2 of 4 labels return in most of them"
    ]


@pytest.mark.parametrize(
    ("models", "returns_in", "start"),
    [
        (2, [2, 2], None),
        (2, [2, 1, 1], "2 of 3 labels do not return in the second model (1, 2): "),
        (3, [3, 2, 1], "1 of 3 labels return in fewer than 2 of 3 models (2): "),
        (4, [3, 4, 2], "1 of 3 labels return in fewer than 3 of 4 models (2): "),
        (5, [3, 5, 4], None),  # 3 of 5 are three fifths
        (5, [2, 3], "1 of 2 labels return in fewer than 3 of 5 models (0): "),
        (10, [6, 5], "1 of 2 labels return in fewer than 6 of 10 models (1): "),
    ],
)
def test_a_warning_names_the_labels_that_do_not_return(models, returns_in, start):
    warnings = stability_warnings(measured(models, returns_in))
    if start is None:
        assert warnings == []
        return
    (warning,) = warnings
    assert warning.startswith(start)
    assert warning.endswith("build with --models 5, more sessions or the preset multiscale")
