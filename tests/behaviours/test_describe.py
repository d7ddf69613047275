import json

import numpy as np
import pytest
from moving_animals import pose_of, simulated

from bsoid_gpu.behaviours.body import body_length_px, body_of
from bsoid_gpu.behaviours.describe import described, holds
from bsoid_gpu.behaviours.measures import bout_numbers, measure
from bsoid_gpu.synthetic import mouse

GROUPS = [(number,) for number in range(len(mouse.NAMES))]


def descriptions(sessions, labels=None, groups=GROUPS):
    body = body_of([one.pose for one in sessions])
    labels = labels or [one.labels for one in sessions]
    return described([
        measure(one.pose, own, groups, body, body_length_px([one.pose], body))
        for one, own in zip(sessions, labels, strict=True)
    ])  # fmt: skip


@pytest.fixture(scope="module")
def mouse_does(mice):
    return dict(zip(mouse.NAMES, descriptions(mice), strict=True))


# a statement that must be in the description of each behaviour
EXPECTED = {
    "still": "Hardly moves: all points of the body",
    "walk": "Moves forward at 1",
    "run": "Moves forward at 3.",
    "turn_left": "Turns left at 2",
    "turn_right": "Turns right at 2",
    "groom": "The forepaws move to and fro at about 6 Hz",
    "rear": "The body appears short: 0.6",
    "sniff": "The snout moves from side to side at about 3 Hz",
}


@pytest.mark.parametrize("behaviour", mouse.NAMES)
def test_every_behaviour_of_the_mouse_has_its_sentence(mouse_does, behaviour):
    description = mouse_does[behaviour]
    assert description.signature
    assert any(sentence.startswith(EXPECTED[behaviour]) for sentence in description.sentences), description.sentences
    assert 1 <= len(description.sentences) <= 5
    others = [text for name, text in EXPECTED.items() if name != behaviour]
    assert not [text for text in description.sentences if text.startswith(tuple(others))]


def test_grooming_paws_are_at_the_snout(mouse_does):
    assert any("forepaws are close to the snout" in text for text in mouse_does["groom"].sentences)


def test_a_turn_is_most_like_the_other_turn(mouse_does):
    right = mouse.NAMES.index("turn_right")
    assert mouse_does["turn_left"].nearest == (right,)
    assert mouse_does["turn_left"].sentences[-1].startswith(f"The most similar is label {right}, but its turning is 2")


def test_names_of_behaviours_are_never_used(mouse_does):
    text = " ".join(sentence for one in mouse_does.values() for sentence in one.sentences).lower()
    assert not [name for name in ("groom", "rear", "walk", "sniff", "still") if name in text]


def shuffled(session, how, rng):
    """Labels of a session that have nothing to do with its movement."""
    labels = session.labels
    if how == "frames":
        return rng.permutation(labels)
    bout = bout_numbers(labels, session.pose.frame_numbers)
    first = np.flatnonzero(np.diff(bout, prepend=-1))
    order = rng.permutation(len(first))
    if how == "labels of bouts":
        return labels[first][order][bout]
    return np.repeat(labels[first][order], np.bincount(bout)[order])


@pytest.mark.parametrize("how", ["frames", "labels of bouts", "order of bouts"])
def test_a_random_partition_has_no_clear_signature(mice, how):
    rng = np.random.default_rng(0)
    results = [
        description
        for sessions in (mice[:1], mice[:2], mice)
        for description in descriptions(sessions, [shuffled(one, how, rng) for one in sessions])
    ]
    nothing = [one.sentences[0].startswith("No clear signature.") for one in results]
    assert nothing == [not one.signature for one in results]
    assert np.mean(nothing) >= 0.95


def test_with_five_sessions_the_sessions_are_the_units():
    sessions = [simulated(seed, 25.0, 100.0) for seed in range(5)]
    result = descriptions(sessions)[mouse.NAMES.index("walk")]
    assert result.basis.startswith("checked on 5 sessions")
    assert result.sentences[0].startswith("Moves forward at 1")


def test_with_fewer_the_description_says_that_other_animals_may_differ(mouse_does):
    assert "16 parts of the bouts of 4 sessions" in mouse_does["walk"].basis
    assert "not known whether other animals do the same" in mouse_does["walk"].basis


def test_a_statement_must_hold_in_both_halves():
    """Forward speed separates in one session only: nothing is said."""
    sessions = []
    for fast in (200.0, 0.0):
        speeds = np.repeat([0.0, fast] * 10, 40)
        x = np.cumsum(speeds) / 20
        ahead = np.array([50.0, -50.0])
        position = np.stack([x[:, None] + ahead, np.zeros((len(x), 2))], axis=2)
        noise = np.random.default_rng(0).normal(0, 0.2, position.shape)
        pose = pose_of(position + noise, 20.0, ("nose", "tail_base"))
        sessions.append((pose, np.repeat([0, 1] * 10, 40)))
    body = body_of([pose for pose, _ in sessions])
    measures = [measure(pose, labels, [(0,), (1,)], body, 100.0) for pose, labels in sessions]
    assert [one.signature for one in described(measures)] == [False, False]
    assert [one.signature for one in described(measures[:1])] == [True, True]


def test_units_that_must_hold_by_hand():
    half = np.array([[0.8, 0.8, 0.2, np.nan], [0.8, 0.7, 0.1, 0.9], [0.9, 0.9, 0.2, np.nan], [0.8, 0.8, 0.3, 0.9],
                     [0.8, 0.7, 0.2, 0.9]])  # fmt: skip
    np.testing.assert_array_equal(holds(half, True), [True, False, False, True])
    np.testing.assert_array_equal(holds(half, False), [False, False, True, False])
    assert not holds(np.array([[0.9]]), True)[0]  # one unit is not enough


def test_few_bouts_are_said_to_be_too_few(mice):
    labels = [np.where((one.labels == 1) & (np.arange(len(one.labels)) > 1500), 0, one.labels) for one in mice[:1]]
    few, absent = descriptions(mice[:1], labels, [(1,), (99,)])
    assert few.sentences[0].startswith("No clear signature. ")
    assert "too few to check one" in few.sentences[0]
    assert absent.sentences == ("Does not occur.",)
    assert not few.signature
    assert not absent.signature


def test_merged_labels_are_described_as_one(mice):
    turns = (mouse.NAMES.index("turn_left"), mouse.NAMES.index("turn_right"))
    (result,) = descriptions(mice, groups=[turns])
    assert result.labels == turns
    assert any("to either side" in sentence for sentence in result.sentences)


def test_json_has_the_fields_of_the_report(mouse_does):
    content = json.loads(json.dumps(mouse_does["walk"].as_json(), allow_nan=False))
    assert set(content) == {"labels", "sentences", "signature", "values", "basis", "nearest"}
    value = {one["name"]: one for one in content["values"]}["forward speed"]
    assert set(value) == {"name", "unit", "median", "q25", "q75", "rest_median", "auc"}
    assert value["unit"] == "body lengths/s"
    assert value["q25"] < value["median"] < value["q75"]
    assert described([]) == []


def test_millimetres(mice):
    body = body_of([one.pose for one in mice])
    measures = [measure(one.pose, one.labels, GROUPS, body, body_length_px([one.pose], body) / 90) for one in mice]
    walk = described(measures, "mm")[mouse.NAMES.index("walk")]
    assert walk.sentences[0].startswith("Moves forward at")
    assert "mm/s" in walk.sentences[0]
    value = {one.name: one for one in walk.values}["forward speed"]
    assert value.median == pytest.approx(1.1 * 90, rel=0.1)
