import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.pose import Pose


def test_all_problems_are_reported_together():
    with pytest.raises(BadInput) as caught:
        Pose("m", np.zeros((5, 1, 2, 4)), np.zeros((5, 2)), ("i",), ("a", "a"), float("nan"))
    for part in ("(5, 1, 2, 4)", "(5, 2)", "'a' occurs 2 times", "fps is nan"):
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


def pose(**changed):
    arguments = {
        "name": "m",
        "position": np.zeros((5, 1, 2, 2)),
        "confidence": np.ones((5, 1, 2)),
        "individuals": ("i",),
        "keypoints": ("a", "b"),
        "fps": 30.0,
    }
    return Pose(**arguments | changed)


def test_numbers_of_any_type_become_float64():
    converted = pose(position=np.zeros((5, 1, 2, 2), dtype=np.float32), confidence=np.ones((5, 1, 2), dtype=np.int64))
    assert converted.position.dtype == converted.confidence.dtype == np.float64
    assert pose(keypoints=["a", "b"]).keypoints == ("a", "b")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"position": np.full((5, 1, 2, 2), np.inf)}, "10 positions are infinite"),
        ({"confidence": np.full((5, 1, 2), np.nan)}, "10 positions have a confidence of NaN"),
        ({"position": np.full((5, 1, 2, 2), "x", dtype=object)}, "expected numbers"),
        ({"position": [[1.0]]}, "expected an array"),
        ({"fps": "30"}, "fps is '30'"),
    ],
)
def test_values_that_no_step_can_use_are_refused(changed, problem):
    with pytest.raises(BadInput, match=problem):
        pose(**changed)


def test_a_missing_position_needs_no_confidence():
    position, confidence = np.zeros((5, 1, 2, 2)), np.ones((5, 1, 2))
    position[2, 0, 1], confidence[2, 0, 1] = np.nan, np.nan
    assert pose(position=position, confidence=confidence).frames == 5


def test_problems_of_names_shapes_and_values_are_reported_together():
    with pytest.raises(BadInput) as caught:
        pose(name="../m", position=np.full((5, 1, 2, 2), np.inf), individuals=("i", "j"))
    for problem in ("'../m'", "2 individuals", "infinite"):
        assert problem in str(caught.value)
