import numpy as np
import pytest

from bsoid_gpu.method.reliability import session_information, warnings

GOOD = {
    "session_information": 0.02,
    "clusters": 12,
    "training_s": 900.0,
    "sweep_clusters": [12, 12, 8, 4],
    "largest_label_share": 0.2,
    "noise_share": 0.3,
    "held_out_random": 0.95,
    "held_out_blocks": 0.92,
}


def test_a_good_result_has_no_warnings():
    assert warnings(GOOD, "session") == []
    assert warnings({**GOOD, "held_out_blocks": None}, "session") == []


@pytest.mark.parametrize(
    ("change", "standardise", "setting"),
    [
        ({"session_information": 0.9}, "global", 'standardise = "session"'),
        ({"session_information": 0.9}, "session", "build them separately"),
        ({"clusters": 3}, "session", "[clusters] smallest"),
        ({"clusters": 23}, "session", "[clusters] smallest and smallest_s"),
        ({"largest_label_share": 0.6}, "session", "[clusters] smallest"),
        ({"sweep_clusters": [12, 5]}, "session", "from 12 to 5 (sweep.csv): try more"),
        ({"sweep_clusters": [3, 0, 4]}, "session", "from 0 to 4"),
        ({"noise_share": 0.55}, "session", "min_samples"),
        ({"held_out_blocks": 0.8}, "session", "[clusters] smallest"),
    ],
)
def test_each_warning_names_the_setting_to_try(change, standardise, setting):
    messages = warnings({**GOOD, **change}, standardise)
    assert len(messages) == 1
    assert setting in messages[0]


@pytest.mark.parametrize(
    "change", [{"clusters": 3}, {"largest_label_share": 0.6}, {"sweep_clusters": [30, 3]}], ids=str
)
def test_clusters_of_the_excess_of_mass_may_collapse_and_leaves_are_the_remedy(change):
    (message,) = warnings({**GOOD, **change}, "session", "eom")
    assert '[clusters] selection = "leaf"' in message


def test_session_information_by_hand():
    session = np.repeat([0, 1], 50)
    assert session_information(session, session) == pytest.approx(1)
    assert session_information(np.tile([0, 1], 50), session) == pytest.approx(0, abs=1e-12)
    assert session_information(np.zeros(100, dtype=int), session) == pytest.approx(0)
    assert session_information(np.arange(100), np.zeros(100, dtype=int)) == 0  # one session has no entropy
    # half of each session has a separate label, the other half shares one: I = H / 2
    assert session_information(np.repeat([0, 2, 2, 1], 25), session) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "at_the_limit",
    [
        {"session_information": 0.5},
        {"clusters": 4},
        {"clusters": 20, "training_s": 800.0},
        {"sweep_clusters": [4, 8, 16, 8, 4]},
        {"largest_label_share": 0.5},
        {"noise_share": 0.5},
        {"held_out_random": 0.95, "held_out_blocks": 0.86},
    ],
)
def test_up_to_its_limit_no_score_is_a_warning(at_the_limit):
    assert warnings({**GOOD, **at_the_limit}, "session") == []
