from dataclasses import replace

import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.method.preprocess import filtered, session_features
from bsoid_gpu.pose import Pose
from bsoid_gpu.settings.schema import Input, Settings

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
