import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_animals import pose_of

from bsoid_gpu.behaviours import catalogue
from bsoid_gpu.behaviours.body import body_of
from bsoid_gpu.behaviours.catalogue import DESCRIPTOR, SCALED
from bsoid_gpu.behaviours.descriptors import descriptors

MOUSE = ("snout", "right_forepaw", "left_forepaw", "right_hindpaw", "left_hindpaw", "tail_base")
POINTS = np.array([(50, 0), (25, 15), (25, -15), (-30, 18), (-30, -18), (-50, 0)], dtype=float)  # forward, right


def placed(centre, heading, points=POINTS):
    """Positions of points (points, 2) or (frames, points, 2), forward and right, in an image with y down."""
    forward = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    right = np.stack([-np.sin(heading), np.cos(heading)], axis=1)
    points = np.broadcast_to(points, (len(heading), *np.shape(points)[-2:]))
    return centre[:, None] + points[:, :, :1] * forward[:, None] + points[:, :, 1:] * right[:, None]


def table(position, fps=50.0, unit_px=100.0, keypoints=MOUSE, body=None, **options):
    pose = pose_of(position, fps=fps, keypoints=keypoints, **options)
    described = descriptors(pose, body or body_of([pose]), unit_px)
    return dict(zip(described.names, described.values.T, strict=True)) | {"frame": described.frame}


def known(values):
    assert np.isfinite(values).sum() > 10
    return values[np.isfinite(values)]


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0, 100.0])
def test_a_rigid_body_at_constant_speed(fps):
    time_s = np.arange(int(6 * fps)) / fps
    centre = np.stack([100 + 240 * time_s, 50 + 0 * time_s], axis=1)
    does = table(placed(centre, np.zeros(len(time_s))), fps)
    for name in (catalogue.FORWARD, catalogue.PLACE_SPEED, catalogue.MOVEMENT):
        np.testing.assert_allclose(known(does[name]), 2.4)
    nothing = (catalogue.SIDEWAYS, catalogue.TURN, catalogue.FORWARD_ACCELERATION, catalogue.STRETCHING,
               catalogue.HEAD_MOVEMENT, catalogue.FORE_MOVEMENT, catalogue.BEND)  # fmt: skip
    for name in nothing:
        np.testing.assert_allclose(known(does[name]), 0, atol=1e-9)
    np.testing.assert_allclose(known(does[catalogue.ELONGATION]), 1)
    np.testing.assert_allclose(known(does[catalogue.FORE_DISTANCE]), np.hypot(25, 15) / 100)
    np.testing.assert_allclose(known(does[catalogue.HIND_WIDTH]), 0.36)


def test_moving_sideways_and_backward():
    time_s = np.arange(300) / 50
    # heads along x and moves down in the image, to its right, and back
    centre = np.stack([-50 * time_s, 120 * time_s], axis=1)
    does = table(placed(centre, np.zeros(300)))
    np.testing.assert_allclose(known(does[catalogue.FORWARD]), -0.5)
    np.testing.assert_allclose(known(does[catalogue.SIDEWAYS]), 1.2)


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_a_body_on_a_circle(fps):
    """At 90 deg/s to the right on a radius of 200 px: forward at pi body lengths/s."""
    time_s = np.arange(int(6 * fps)) / fps
    heading = np.pi / 2 * time_s
    centre = 200 * np.stack([np.sin(heading), -np.cos(heading)], axis=1)
    does = table(placed(centre, heading), fps)
    np.testing.assert_allclose(known(does[catalogue.TURN]), 90, rtol=0.01)
    np.testing.assert_allclose(known(does[catalogue.FORWARD]), np.pi, rtol=0.01)
    np.testing.assert_allclose(known(does[catalogue.SIDEWAYS]), 0, atol=0.05)
    np.testing.assert_allclose(known(does[catalogue.HEAD_MOVEMENT]), 0, atol=1e-9)


def test_turning_on_the_spot_moves_the_animal_nowhere():
    heading = np.radians(-200 * np.arange(300) / 50)
    does = table(placed(np.zeros((300, 2)), heading))
    np.testing.assert_allclose(known(does[catalogue.TURN]), -200, rtol=0.01)
    np.testing.assert_allclose(known(does[catalogue.TURN_SIZE]), 200, rtol=0.01)
    # the trunk is at the rear, and the mean of all points 1.7 px behind the point about which the body turns
    np.testing.assert_allclose(known(does[catalogue.PLACE_SPEED]), np.radians(200) * 10 / 6 / 100, rtol=0.02)


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_paws_that_swing_at_6_hz(fps):
    time_s = np.arange(int(6 * fps)) / fps
    points = np.tile(POINTS, (len(time_s), 1, 1))
    points[:, 1:3, 0] += 8 * np.sin(2 * np.pi * 6 * time_s)[:, None]
    does = table(placed(np.zeros((len(time_s), 2)), 0.3 + 0 * time_s, points), fps)
    np.testing.assert_allclose(known(does[catalogue.LIMB_HZ]), 6, atol=0.3)
    np.testing.assert_allclose(known(does[catalogue.LIMB_SWING]), 0.08, rtol=0.1)
    assert known(does[catalogue.LIMB_RHYTHM]).min() > 0.7
    assert known(does[catalogue.PLACE_SPEED]).max() < 0.02
    assert known(does[catalogue.HIND_MOVEMENT]).max() < 0.02
    assert np.median(known(does[catalogue.FORE_MOVEMENT])) > 0.7
    assert known(does[catalogue.TURN_SIZE]).max() < 1e-6


def test_a_snout_that_swings_to_the_side_while_the_animal_turns():
    time_s = np.arange(600) / 50
    points = np.tile(POINTS, (600, 1, 1))
    points[:, 0, 1] = 10 * np.sin(2 * np.pi * 3 * time_s)
    does = table(placed(np.zeros((600, 2)), time_s, points))
    np.testing.assert_allclose(known(does[catalogue.HEAD_HZ]), 3, atol=0.3)
    np.testing.assert_allclose(known(does[catalogue.HEAD_SWING]), 0.1, rtol=0.05)


def test_a_bend_to_the_right_is_positive():
    points = np.tile(POINTS, (300, 1, 1))
    points[150:, 0] = (45, 20)
    points[250:, 0] = (45, -20)
    bend = table(placed(np.zeros((300, 2)), np.zeros(300), points))
    at = bend["frame"]
    assert np.abs(bend[catalogue.BEND][at < 150]).max() < 1e-6
    # the middle of the paws is 47.5 px before the tail base, and the snout 47.5 px before it and 20 px to the side
    expected = np.degrees(np.arctan2(20, 47.5))
    np.testing.assert_allclose(bend[catalogue.BEND][(at >= 150) & (at < 250)], expected)
    np.testing.assert_allclose(bend[catalogue.BEND][at >= 250], -expected)


def test_nothing_is_computed_across_a_gap():
    time_s = np.concatenate([np.arange(150), np.arange(150) + 200]) / 50
    centre = np.stack([100 * time_s, 0 * time_s], axis=1)
    numbers = np.round(time_s * 50).astype(int)
    centre[150:] += 500  # it was carried elsewhere meanwhile
    does = table(placed(centre, np.zeros(300)), frame_numbers=numbers)
    np.testing.assert_allclose(known(does[catalogue.FORWARD]), 1)
    np.testing.assert_allclose(known(does[catalogue.MOVEMENT]), 1)
    around = np.abs(does["frame"] - 150) < 3
    assert np.isnan(does[catalogue.MOVEMENT][around]).all()
    assert np.isnan(does[catalogue.LIMB_HZ][np.abs(does["frame"] - 150) < 25]).all()


def test_frames_without_the_animal_have_no_sample():
    position = placed(np.zeros((300, 2)), np.zeros(300))
    position[100:120] = np.nan
    does = table(position)
    assert not set(range(100, 120)) & set(does["frame"].tolist())
    assert np.isnan(does[catalogue.MOVEMENT][(does["frame"] == 120) | (does["frame"] == 97)]).all()


def wandering(seed, frames=160):
    """An animal that walks, turns and bends, with noise: (frames, 6, 2) px."""
    rng = np.random.default_rng(seed)
    heading = np.cumsum(rng.normal(0, 0.06, frames))
    step = rng.uniform(-1, 4, frames)
    centre = np.cumsum(step[:, None] * np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0)
    return placed(centre, heading, POINTS + rng.normal(0, 2, (frames, 6, 2)))


BODY = body_of([pose_of(wandering(0, 2000), keypoints=MOUSE)])
# the rate of a weak rhythm is a choice between peaks, which rounding can change
ROUGH = {catalogue.LIMB_HZ, catalogue.HEAD_HZ, catalogue.LIMB_RHYTHM, catalogue.HEAD_RHYTHM,
         catalogue.LIMB_SWING, catalogue.HEAD_SWING}  # fmt: skip


def compare(first, second, factor):
    assert first.keys() == second.keys()
    for name in first.keys() - {"frame"} - ROUGH:
        np.testing.assert_allclose(second[name], factor(name) * first[name], rtol=1e-6, atol=1e-6, err_msg=name)
    for name in ROUGH:
        np.testing.assert_allclose(
            np.nanmedian(second[name]), factor(name) * np.nanmedian(first[name]), rtol=0.05, err_msg=name
        )


@settings(max_examples=15)
@given(st.integers(0, 1000), st.floats(-3.1, 3.1), st.floats(-1e3, 1e3))
def test_rotation_and_translation_change_nothing(seed, angle, shift):
    position = wandering(seed)
    turned = position @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + shift
    compare(table(position, body=BODY), table(turned, body=BODY), lambda name: 1.0)


@settings(max_examples=15)
@given(st.integers(0, 1000))
def test_a_mirror_changes_the_signs_of_exactly_the_signed_ones(seed):
    position = wandering(seed)
    mirrored = (position * [1, -1])[:, [0, 2, 1, 4, 3, 5]]  # what was right is left
    first, second = table(position, body=BODY), table(mirrored, body=BODY)
    compare(first, second, lambda name: -1.0 if DESCRIPTOR[name].signed else 1.0)
    signed = {name for name in first if name in DESCRIPTOR and DESCRIPTOR[name].signed}
    assert signed == {catalogue.TURN, catalogue.SIDEWAYS, catalogue.BEND, catalogue.FORE_LEAD, catalogue.HIND_LEAD}
    assert all(np.nanmax(np.abs(first[name])) > 0.01 for name in signed)


def test_a_camera_below_sees_the_same_turns():
    position = wandering(3, 2000)
    from_below = position * [1, -1]  # left and right of the image change places, those of the animal do not
    body = body_of([pose_of(from_below, keypoints=MOUSE)])
    assert (BODY.view, body.view) == ("above", "below")
    compare(table(position, body=BODY), table(from_below, body=body), lambda name: 1.0)


@settings(max_examples=15)
@given(st.integers(0, 1000), st.floats(0.1, 10.0))
def test_lengths_are_in_the_unit(seed, unit):
    position = wandering(seed)
    scaled = {True: 1 / unit, False: 1.0}
    compare(
        table(position, unit_px=1.0, body=BODY),
        table(position, unit_px=unit, body=BODY),
        lambda name: scaled[DESCRIPTOR[name].kind in SCALED],
    )


def test_3d_has_speeds_in_3d_and_no_direction_of_turning():
    time_s = np.arange(300) / 50
    flat = placed(np.stack([30 * time_s, 0 * time_s], axis=1), 0 * time_s)
    position = np.concatenate([flat, np.broadcast_to(40 * time_s[:, None, None], (300, 6, 1))], axis=2)
    does = table(position)
    np.testing.assert_allclose(known(does[catalogue.PLACE_SPEED]), 0.5)  # 30 forward and 40 up
    np.testing.assert_allclose(known(does[catalogue.FORWARD]), 0.3)
    assert not {name for name in does if name in DESCRIPTOR and DESCRIPTOR[name].signed}
    turning = placed(np.zeros((300, 2)), 2 * time_s)
    tilted = np.concatenate([turning[:, :, :1], turning[:, :, 1:] * 0.6, turning[:, :, 1:] * 0.8], axis=2)
    np.testing.assert_allclose(known(table(tilted)[catalogue.TURN_SIZE]), np.degrees(2), rtol=0.01)


@pytest.mark.parametrize("keypoints", [("nose", "tail_base"), ("a", "b"), ("top", "front", "rear")])
def test_few_points_have_few_descriptors(keypoints):
    rng = np.random.default_rng(0)
    position = rng.normal(0, 20, (1, len(keypoints), 2)) + rng.normal(0, 1, (300, 1, 2)).cumsum(axis=0)
    does = table(position, keypoints=keypoints)
    assert catalogue.MOVEMENT in does
    assert catalogue.LIMB_HZ not in does
    assert np.isfinite(does[catalogue.MOVEMENT]).sum() > 40


def test_an_animal_in_one_place_has_no_numbers_that_need_a_size():
    does = table(np.ones((100, 6, 2)))
    assert np.isnan(does[catalogue.ELONGATION]).all()
    np.testing.assert_allclose(known(does[catalogue.MOVEMENT]), 0)
