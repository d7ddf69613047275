"""What the synthetic mouse does, as measured from its keypoints, against its own course."""

import numpy as np
import pytest
from moving_animals import simulated

from bsoid_gpu.behaviours import catalogue
from bsoid_gpu.behaviours.body import body_length_px, body_of
from bsoid_gpu.behaviours.descriptors import descriptors
from bsoid_gpu.synthetic import mouse


@pytest.fixture(scope="module", params=[(0, 25.0), (1, 30.0), (2, 60.0), (3, 29.97)], ids=str)
def measured(request):
    """Medians of measured and true values of each behaviour."""
    seed, fps = request.param
    session = simulated(seed, fps)
    body = body_of([session.pose])
    table = descriptors(session.pose, body, body_length_px([session.pose], body))
    columns = dict(zip(table.names, table.values.T, strict=True))
    does = session.course
    truth = {
        catalogue.FORWARD: does.speed * session.pace,
        catalogue.TURN: does.turn * session.pace,
        catalogue.ELONGATION: does.stretch / np.median(does.stretch),
    }
    medians = {}
    for number, behaviour in enumerate(mouse.NAMES):
        own = session.labels[table.frame] == number
        medians[behaviour] = (
            {name: float(np.nanmedian(values[own])) for name, values in columns.items()},
            {name: float(np.median(values[table.frame][own])) for name, values in truth.items()},
        )
    return medians


def test_forward_speed_is_that_of_the_course(measured):
    for behaviour, (median, truth) in measured.items():
        # in a turn the body is bent: its middle lies on the inner side of the path, and is slower
        slow = 0.25 if "turn" in behaviour else 0.05
        tolerance = max(slow, 0.1 * truth[catalogue.FORWARD])
        assert median[catalogue.FORWARD] == pytest.approx(truth[catalogue.FORWARD], abs=tolerance), behaviour


def test_turning_is_that_of_the_course_with_its_sign(measured):
    for behaviour, (median, truth) in measured.items():
        tolerance = max(10.0, 0.1 * abs(truth[catalogue.TURN]))
        assert median[catalogue.TURN] == pytest.approx(truth[catalogue.TURN], abs=tolerance), behaviour
    assert measured["turn_left"][0][catalogue.TURN] < -150
    assert measured["turn_right"][0][catalogue.TURN] > 150


def test_elongation_is_the_stretch_of_the_course(measured):
    for behaviour, (median, truth) in measured.items():
        assert median[catalogue.ELONGATION] == pytest.approx(truth[catalogue.ELONGATION], rel=0.1), behaviour


def test_rhythms_have_their_rates(measured):
    assert measured["groom"][0][catalogue.LIMB_HZ] == pytest.approx(6.0, rel=0.1)
    assert measured["sniff"][0][catalogue.HEAD_HZ] == pytest.approx(3.0, rel=0.1)
    # strides at 2 Hz and one more for 1.3 body lengths/s
    for behaviour in ("walk", "run"):
        median, truth = measured[behaviour]
        expected = 2.0 + truth[catalogue.FORWARD] / 1.3
        assert median[catalogue.LIMB_HZ] == pytest.approx(expected, rel=0.1), behaviour


def test_paws_are_at_the_snout_in_grooming_only(measured):
    near = {behaviour: median[catalogue.FORE_DISTANCE] for behaviour, (median, _) in measured.items()}
    assert min(near, key=near.get) == "groom"
    assert near["groom"] < 0.5 * near["still"]
