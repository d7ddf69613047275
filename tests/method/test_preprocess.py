from dataclasses import replace

import numpy as np
import oracles
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.method.preprocess import filtered
from bsoid_gpu.method.session_features import session_features
from bsoid_gpu.pose import Pose
from bsoid_gpu.settings.schema import Features, Input, Settings

# ten bins of 0.1 with counts 6 3 1 0 0 0 0 0 2 10: the threshold is 0.3, the left edge of the first empty one
LIKELIHOODS = np.concatenate([np.repeat(np.arange(10) / 10 + 0.05, [5, 3, 1, 0, 0, 0, 0, 0, 2, 9]), [0.0, 1.0]])


def session(name, likelihoods, arrays, fps=30.0):
    frames = len(likelihoods)
    position = np.random.default_rng(frames).normal(size=(frames, 1, 2, 2))
    confidence = np.repeat(likelihoods, 2).reshape(frames, 1, 2)
    return Pose(name, arrays.asarray(position), arrays.asarray(confidence), ("mouse",), ("a", "b"), fps)


def test_the_threshold_is_that_of_all_parts_of_a_recording_without_the_first_frame_of_each(arrays):
    # two frames of 0.35 more would fill the empty bin and move the threshold to 0.2
    parts = [np.concatenate([[0.35], part]) for part in (LIKELIHOODS[::2], LIKELIHOODS[1::2])]
    tracks = [session(f"m_part{number}", part, arrays) for number, part in enumerate(parts)]
    together = filtered(tracks, Settings(input=Input(group="^(.*)_part")), arrays)
    assert [part.recording for part in together] == ["m", "m"]
    for part in together:
        assert arrays.to_host(part.threshold) == pytest.approx([0.3, 0.3])


def test_a_session_is_long_enough_from_the_shortest_length_on(cpu):
    settings = replace(Settings(), input=Input(min_session_s=1.0))
    (enough,) = session_features([session("m", np.linspace(0, 1, 30), cpu)], 30.0, settings, cpu)
    assert enough.frames == 30
    with pytest.raises(BadInput, match="29 frames"):
        session_features([session("m", np.linspace(0, 1, 29), cpu)], 30.0, settings, cpu)


def test_a_session_in_three_dimensions_has_held_positions_and_features(arrays):
    rng = np.random.default_rng(5)
    position = rng.normal(size=(60, 1, 2, 3)).cumsum(axis=0)
    position[20:23, 0, 1, 2] = np.nan  # one missing coordinate is a missing position
    pose = Pose("m", arrays.asarray(position), arrays.asarray(np.ones((60, 1, 2))), ("i",), ("a", "b"), 30.0)
    (held,) = filtered([pose], Settings(), arrays)
    expected = position[:, 0].copy()
    expected[20:23, 1] = expected[19, 1]
    assert np.array_equal(arrays.to_host(held.parts[0]), expected)
    (session_of,) = session_features([pose], 30.0, Settings(input=Input(min_session_s=1.0)), arrays)
    assert session_of.dimensions == 3
    np.testing.assert_allclose(arrays.to_host(session_of.features), oracles.bin_features(expected, 30.0), rtol=1e-9)


def test_unknown_pairs_are_refused(cpu):
    settings = Settings(input=Input(min_session_s=1.0), features=Features(pairs=("a - bb",)))
    with pytest.raises(BadInput, match="no keypoint is named 'bb'; did you mean 'b'"):
        session_features([session("m", np.linspace(0, 1, 60), cpu)], 30.0, settings, cpu)
