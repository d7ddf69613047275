"""The range of a model, and warnings about sessions outside it."""

from dataclasses import replace

import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.method.columns import feature_columns
from bsoid_gpu.method.features import bin_features
from bsoid_gpu.method.session_features import session_features
from bsoid_gpu.method.training_range import body_length, feature_warnings, size_warning, training_range
from bsoid_gpu.settings.schema import Features, Settings
from bsoid_gpu.synthetic.sessions import simulate_session

SECONDS, FPS = 120, 30.0


@pytest.fixture(scope="module")
def mice():
    poses = [simulate_session(f"m{i}", int(SECONDS * FPS), FPS, np.random.default_rng(i))[0] for i in range(4)]
    return [pose.position[:, 0] for pose in poses], feature_columns(poses[0].keypoints, Features())


def measured(position):
    return bin_features(position, FPS, Features()), float(body_length(position))


@pytest.fixture(scope="module")
def known(mice):
    features, lengths = zip(*map(measured, mice[0][:3]), strict=True)
    return training_range(np.concatenate(features), lengths)


def test_the_body_length_of_a_square_is_half_its_diagonal(arrays):
    square = np.array([[0, 0], [0, 2], [2, 0], [2, 2]], dtype=float)
    moving = square + np.arange(5)[:, None, None]
    moving[4] *= 10  # one frame out of five
    assert float(arrays.to_host(body_length(arrays.asarray(moving)))) == pytest.approx(np.sqrt(2))


def test_a_session_like_those_of_training_has_no_warning(mice, known):
    features, length = measured(mice[0][3])
    scale = length / known.body_length_px
    assert size_warning(known, length) == []
    assert feature_warnings(known, features, mice[1], FPS, SECONDS, scale) == []


@pytest.mark.parametrize("factor", [3.0, 0.4, 1.5])
def test_another_size_is_named_with_the_factor_and_its_remedy(mice, known, factor):
    length = measured(mice[0][3] * factor)[1]
    (sentence,) = size_warning(known, length)
    relative = length / known.body_length_px
    assert f"{relative:.2g} times as large" in sentence
    assert f"--scale {1 / relative:.4g}" in sentence


def test_keypoints_in_one_place_have_no_size(mice, known, cpu):
    pose, _ = simulate_session("m", 600, FPS, np.random.default_rng(0))
    point = replace(pose, position=np.repeat(pose.position[:, :, :1], 6, axis=2))
    length = measured(point.position[:, 0])[1]
    for one in (length, 0.0):
        (sentence,) = size_warning(known, one)
        assert sentence.startswith("all keypoints are in one place in most frames")
    with pytest.raises(BadInput, match="m: all keypoints are in one place"):
        session_features([point], FPS, Settings(), cpu)


@pytest.mark.parametrize("step", [2, 3])
def test_a_frame_rate_that_displacements_contradict(mice, known, step):
    """Every second frame, given as if it were every frame: displacements are doubled."""
    features, length = measured(mice[0][3][::step])
    (sentence,) = feature_warnings(known, features, mice[1], FPS, SECONDS / step, length / known.body_length_px)
    rate = float(sentence.split("the frame rate is about ")[1].split(":")[0])
    assert rate == pytest.approx(FPS / step, rel=0.25)


def test_features_outside_the_range_are_named(mice, known):
    position = mice[0][3].copy()
    position[:, 0] += [60.0, 0.0]  # the snout is tracked beside the animal
    features, length = measured(position)
    (sentence,) = feature_warnings(known, features, mice[1], FPS, SECONDS, length / known.body_length_px)
    assert "outside the range of training" in sentence
    assert "snout" in sentence


def test_a_session_without_windows_has_no_warning(known, mice):
    assert feature_warnings(known, np.zeros((0, len(mice[1]))), mice[1], FPS, 0.0, 1.0) == []


def test_one_session_is_a_range(known):
    assert replace(known, body_lengths_px=known.body_lengths_px[:1]).body_length_px == known.body_lengths_px[0]
