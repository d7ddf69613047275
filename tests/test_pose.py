import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.pose import Pose


def test_every_problem_is_told_at_once():
    with pytest.raises(BadInput) as caught:
        Pose("m", np.zeros((5, 1, 2, 4)), np.zeros((5, 2)), ("i",), ("a", "a"), float("nan"))
    for part in ("(5, 1, 2, 4)", "(5, 2)", "'a' appears 2 times", "fps is nan"):
        assert part in str(caught.value)


def test_three_dimensions_and_several_animals_fit():
    pose = Pose("m", np.zeros((5, 2, 3, 3)), np.ones((5, 2, 3)), ("i", "j"), ("a", "b", "c"), 30.0)
    assert [track.position.shape for track in pose.tracks()] == [(5, 1, 3, 3)] * 2


def test_select_on_any_library(arrays):
    position = np.arange(12.0).reshape(2, 1, 3, 2)
    pose = Pose("m", arrays.asarray(position), arrays.asarray(np.ones((2, 1, 3))), ("i",), ("a", "b", "c"), 30.0)
    chosen = pose.select(("c", "a"))
    assert np.array_equal(arrays.to_host(chosen.position), position[:, :, [2, 0]])
    with pytest.raises(BadInput, match="no keypoint is named 'd'"):
        pose.select(("d",))
