"""The seven quantities of named roles."""

import numpy as np
import pytest
from three_dimensions import rotation

from bsoid_gpu.errors import BadInput
from bsoid_gpu.method import features
from bsoid_gpu.method.columns import feature_columns, feature_names
from bsoid_gpu.method.quantities import quantities_of
from bsoid_gpu.settings.schema import Features

KEYPOINTS = ("ear", "tail", "nose", "lf", "rf", "lh", "rh")
ROLES = ("nose", "lf", "rf", "lh", "rh", "tail")
SEVEN = Features(roles=ROLES)

# ear, tail, nose, left and right forepaw, left and right hindpaw
FIRST = [[50.0, 50], [0, 0], [10, 0], [7, 3], [7, -3], [2, 4], [2, -4]]
# the nose goes from +x to +y around the tail, which does not move
SECOND = [[51.0, 50], [0, 0], [0, 10], [7, 3], [7, -3], [2, 4], [2, -4]]


def test_the_seven_quantities_by_hand(arrays):
    position = arrays.asarray(np.array([FIRST, SECOND]))
    seven = quantities_of(KEYPOINTS, SEVEN)
    assert arrays.to_host(seven.at_frames(position)).tolist() == [[10, 10 - 7, 10 - 2, 6]] * 2
    steps = arrays.to_host(seven.at_steps(position))
    assert steps.shape == (1, 3)
    assert steps[0] == pytest.approx([np.hypot(10, 10), 0, -90])  # the sign of a turn is that of the method


def test_a_plane_in_space_has_the_same_seven_without_the_sign(arrays):
    flat = np.array([FIRST, SECOND])
    xyz = np.concatenate([flat, np.zeros((2, 7, 1))], axis=2) @ rotation(np.random.default_rng(1)).T + 100
    seven = quantities_of(KEYPOINTS, SEVEN)
    frames, steps = (arrays.to_host(of(arrays.asarray(xyz))) for of in (seven.at_frames, seven.at_steps))
    np.testing.assert_allclose(frames, [[10, 3, 8, 6]] * 2)
    np.testing.assert_allclose(steps, [[np.hypot(10, 10), 0, 90]], atol=1e-9)


@pytest.mark.parametrize("scales", [(), (0.5,)])
def test_names_and_columns_agree(arrays, scales):
    settings = Features(roles=ROLES, scales_s=scales)
    position = arrays.asarray(np.random.default_rng(2).normal(size=(61, 7, 2)).cumsum(axis=0))
    binned = features.bin_features(position, 30.0, settings, quantities_of(KEYPOINTS, settings))
    assert binned.shape == (20, len(feature_names(KEYPOINTS, settings))) == (20, 21 if scales else 7)


def test_the_seven_have_names():
    assert feature_names(KEYPOINTS, SEVEN) == [
        "distance nose - tail", "distance nose ahead of lf + rf", "distance nose ahead of lh + rh",
        "distance lf - rf", "displacement nose", "displacement tail", "turn tail - nose",
    ]  # fmt: skip
    columns = feature_columns(KEYPOINTS, SEVEN, 3)
    assert columns[-1].name == "unsigned turn tail - nose"
    assert [column.is_length for column in columns] == [True] * 6 + [False]
    assert [column.is_speed for column in columns] == [False] * 4 + [True, True, False]


def test_unknown_roles_are_refused_together():
    with pytest.raises(BadInput) as caught:
        quantities_of(KEYPOINTS, Features(roles=("nsoe", "lf", "rf", "lh", "rh", "tial")))
    for part in ("[features] roles", "no keypoint is named 'nsoe'", "did you mean 'nose'", "did you mean 'tail'"):
        assert part in str(caught.value)
