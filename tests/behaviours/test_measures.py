import pickle

import numpy as np
import pytest
from moving_animals import pose_of

from bsoid_gpu.behaviours import catalogue
from bsoid_gpu.behaviours.body import body_of
from bsoid_gpu.behaviours.descriptors import descriptors
from bsoid_gpu.behaviours.measures import PARTS, bout_numbers, measure
from bsoid_gpu.errors import BadInput

FPS = 20.0


def session(speeds, seconds=3.0, seed=0):
    """A point pair that moves forward at each speed (px/s) for some seconds, and the number of the bout's speed."""
    frames = round(seconds * FPS)
    speed = np.repeat(speeds, frames).astype(float)
    rng = np.random.default_rng(seed)
    x = np.cumsum(speed) / FPS
    position = np.stack([np.stack([x + ahead, 0 * x], axis=1) for ahead in (50.0, -50.0)], axis=1)
    labels = np.repeat(np.unique(speeds, return_inverse=True)[1], frames)
    return pose_of(position + rng.normal(0, 0.2, position.shape), FPS, ("nose", "tail_base")), labels


@pytest.fixture
def measured():
    pose, labels = session([0, 100] * 8)
    return pose, labels, measure(pose, labels, [(0,), (1,), (0, 1), (5,)], body_of([pose]), 100.0)


def test_medians_and_auc_against_the_descriptors(measured):
    pose, labels, result = measured
    table = descriptors(pose, body_of([pose]), 100.0)
    column = table.names.index(catalogue.FORWARD)
    values, label = table.values[:, column], labels[table.frame]
    own, rest = values[(label == 1) & np.isfinite(values)], values[(label == 0) & np.isfinite(values)]
    assert result.samples.tolist() == [240, 240, 480, 0]
    np.testing.assert_allclose(
        [result.q25[1, column], result.median[1, column], result.q75[1, column]], np.quantile(own, [0.25, 0.5, 0.75])
    )
    assert result.rest_median[1, column] == pytest.approx(np.median(rest))
    pairs = np.mean((own[:, None] > rest) + 0.5 * (own[:, None] == rest))
    assert result.auc[1, column] == pytest.approx(pairs)
    assert result.auc[0, column] == pytest.approx(1 - pairs)
    assert result.pair_auc[1, 0, column] == pytest.approx(pairs, abs=0.01)
    assert result.median[1, column] == pytest.approx(1.0, abs=0.02)


def test_parts_are_quarters_of_the_bouts_in_the_order_of_time():
    # the fourth quarter of the fast bouts is as slow as the rest
    pose, labels = session([0, 100] * 6 + [0, 0.001] * 2)
    labels = np.where(labels == 2, 1, labels)
    labels[np.arange(len(labels)) >= 12 * 60] = np.repeat([0, 1, 0, 1], 60)
    result = measure(pose, labels, [(1,)], body_of([pose]), 100.0)
    auc = result.part_auc[0, :, result.names.index(catalogue.FORWARD)]
    assert result.bouts[0] == 8
    assert len(auc) == PARTS
    assert (auc[:3] > 0.95).all()
    assert auc[3] < 0.75


def test_a_group_without_bouts_and_one_of_everything_have_no_auc(measured):
    _, _, result = measured
    assert np.isnan(result.auc[2:]).all()
    assert np.isnan(result.median[3]).all()
    assert result.bouts.tolist() == [8, 8, 16, 0]


def test_durations_are_those_of_whole_bouts(measured):
    _, _, result = measured
    column = result.names.index(catalogue.DURATION)
    assert result.median[0, column] == pytest.approx(3.0)


def test_unsure_frames_belong_to_no_group_and_to_no_rest():
    pose, labels = session([0, 100, 200] * 4)
    unsure = np.where(labels == 2, -1, labels)
    result = measure(pose, unsure, [(0,), (1,)], body_of([pose]), 100.0)
    column = result.names.index(catalogue.FORWARD)
    assert result.auc[1, column] > 0.9  # against rest alone; against faster movement too it would be 0.5
    assert result.rest_median[0, column] == pytest.approx(1.0, abs=0.05)


def test_a_gap_ends_a_bout():
    labels, numbers = np.array([3, 3, 3, 4, 4]), np.array([0, 1, 5, 6, 7])
    np.testing.assert_array_equal(bout_numbers(labels, numbers), [0, 0, 1, 2, 2])
    assert len(bout_numbers(labels[:0], numbers[:0])) == 0


def test_the_result_travels_between_processes(measured):
    again = pickle.loads(pickle.dumps(measured[2]))
    np.testing.assert_array_equal(again.auc, measured[2].auc)
    assert again.nouns == measured[2].nouns


def test_an_animal_that_is_never_seen_is_measured_as_absent():
    pose = pose_of(np.full((100, 2, 2), np.nan), FPS, ("nose", "tail_base"))
    result = measure(pose, np.full(100, -1), [(0,)], body_of([pose]), 100.0)
    assert result.samples.tolist() == [0]
    assert np.isnan(result.median).all()


def test_no_groups():
    pose, labels = session([0, 100])
    assert measure(pose, labels, [], body_of([pose]), 100.0).median.shape[0] == 0


@pytest.mark.parametrize(
    ("labels", "unit", "message"),
    [(np.zeros(3, int), 1.0, r"labels have shape \(3,\); expected one for each of 120 frames"),
     (np.zeros(120, int), 0.0, "unit of lengths is 0.0 px; expected a number above 0"),
     (np.zeros(120, int), np.nan, "unit of lengths is nan px")],
)  # fmt: skip
def test_bad_values_are_refused(labels, unit, message):
    pose, _ = session([0, 100])
    with pytest.raises(BadInput, match=message):
        measure(pose, labels, [(0,)], body_of([pose]), unit)
