"""Clips of poses for the page."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.pose import Pose
from bsoid_gpu.views.montage import ChosenBout
from bsoid_gpu.views.pose_clips import LONGEST_S, MISSING, pose_clip


def pose(frames, fps, numbers=None, position=None):
    rng = np.random.default_rng(0)
    position = rng.normal(300, 40, size=(frames, 1, 3, 2)) if position is None else position
    return Pose("m", position, np.ones(position.shape[:3]), ("m",), ("a", "b", "c"), fps, frame_numbers=numbers)


def positions(clip):
    packed = clip["position"]
    coded = np.frombuffer(base64.b64decode(packed["data"]), "<i2").reshape(packed["shape"])
    return np.where(coded == MISSING, np.nan, coded * clip["step"] + clip["origin"])


@pytest.mark.parametrize("fps", [10.0, 25.0, 29.97, 50.0, 60.0, 120.0])
def test_a_clip_has_the_positions_around_the_bout(fps):
    session = pose(2000, fps)
    clip = pose_clip(session, ChosenBout(0, 4, 700, 730, 0.9, "typical"), 100.0)
    step = round(fps / clip["fps"])
    assert clip["fps"] <= 45  # a whole share of the camera's rate
    shown = positions(clip)
    numbers = clip["start"] + step * np.arange(len(shown))
    assert numbers[clip["onset"]] == 700  # the onset is never between two frames of the clip
    np.testing.assert_allclose(shown, session.position[numbers, 0], atol=clip["step"])
    assert clip["step"] < 0.02
    inside = (numbers >= 700) & (numbers < 730)
    assert np.flatnonzero(inside).tolist() == list(range(clip["onset"], clip["offset"]))
    assert len(shown) <= LONGEST_S * clip["fps"] + 1


def test_a_long_bout_goes_on_after_its_clip():
    clip = pose_clip(pose(2000, 30.0), ChosenBout(0, 0, 300, 1500, 1.0, "edge"), 100.0)
    assert clip["offset"] == clip["position"]["shape"][0]
    assert clip["bout_s"] == 40.0


def test_frames_that_the_session_does_not_have_are_missing():
    numbers = np.concatenate([np.arange(100, 200), np.arange(210, 300)])
    position = np.random.default_rng(0).normal(300, 40, size=(190, 1, 3, 2))
    position[5:8] = np.nan  # no animal
    shown = positions(pose_clip(pose(190, 30.0, numbers, position), ChosenBout(0, 0, 100, 215, 1.0, "typical"), 99.0))
    first = 15  # frames before the recording begins
    assert np.isnan(shown[:first]).all()
    assert np.isnan(shown[first + 5 : first + 8]).all()
    assert np.isfinite(shown[first : first + 5]).all()


@given(st.integers(0, 40), st.integers(1, 60), st.sampled_from([10.0, 23.976, 30.0, 59.94, 200.0]))
def test_any_bout_gives_a_clip(start, length, fps):
    clip = pose_clip(pose(50, fps), ChosenBout(0, 0, start, start + length, 1.0, "typical"), 1.0)
    assert 0 <= clip["onset"] < clip["offset"] <= clip["position"]["shape"][0]
