import re

import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.method import features
from bsoid_gpu.method.pairs import column_warnings, columns, named_pairs
from bsoid_gpu.settings import toml
from bsoid_gpu.settings.schema import Features

MOUSE = ("snout", "left ear", "tail_base")
MANY = tuple(f"k{i}" for i in range(39))


def test_without_names_all_pairs_count_in_the_order_of_combinations():
    assert named_pairs("abcd") == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def test_named_pairs_have_their_own_order_and_direction():
    assert named_pairs(MOUSE, ("tail_base - snout", "snout - left ear")) == [(2, 0), (0, 1)]
    assert features.feature_names(MOUSE, ("tail_base - snout",), 3) == [
        "distance tail_base - snout", "unsigned turn tail_base - snout",
        "displacement snout", "displacement left ear", "displacement tail_base",
    ]  # fmt: skip


def test_a_keypoint_may_contain_the_separator():
    keypoints = ("a", "a - b", "c", "paw - left")
    assert named_pairs(keypoints, ("a - b - c", "paw - left - a - b", "a - paw - left")) == [(1, 2), (3, 1), (0, 3)]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("snuot - tail_base", ["no keypoint is named 'snuot'", "did you mean 'snout'?"]),
        ("snout-tail_base", ["no pair", "did you mean 'snout - tail_base'?"]),
        ("tail_base snout", ["no pair", "did you mean 'tail_base - snout'?"]),
        ("Snout - nose", ["no keypoint is named 'Snout'", "did you mean 'snout'?", "no keypoint is named 'nose'"]),
        ("snout - snout", ["names one keypoint twice"]),
        ("skeleton", ["no pair of keypoints", "' - ' between them", "'left ear'"]),
        ("", ["'' is no pair"]),
        (" - ", ["no keypoint is named ''"]),
        ("a - b - c - d", ["no pair"]),
    ],
)
def test_names_of_no_pair_are_refused(name, parts):
    with pytest.raises(BadInput) as caught:
        named_pairs(MOUSE, ("snout - left ear", name))
    for part in ("[features] pairs", *parts):
        assert part in str(caught.value)


@pytest.mark.parametrize("again", ["snout - tail_base", "tail_base - snout"])
def test_a_pair_that_is_named_twice_is_refused(again):
    with pytest.raises(BadInput, match=f"'{again}' is named twice"):
        named_pairs(MOUSE, ("snout - tail_base", "snout - left ear", again))


def test_a_name_that_can_mean_two_pairs_is_refused():
    with pytest.raises(BadInput, match="can mean 'a' and 'b - c' or 'a - b' and 'c'"):
        named_pairs(("a", "a - b", "b - c", "c"), ("a - b - c",))


@pytest.mark.parametrize("space", [2, 3])
def test_named_pairs_give_the_columns_of_all_pairs(space, arrays):
    position = arrays.asarray(np.random.default_rng(3).normal(size=(70, 5, space)).cumsum(axis=0))
    keypoints, names = tuple("abcde"), ("c - d", "c - e", "a - e", "a - c", "b - c")
    order = features.feature_names(keypoints, dimensions=space)
    wanted = [order.index(name) for name in features.feature_names(keypoints, names, space)]
    pairs = named_pairs(keypoints, names)
    for compute in (features.bin_features, lambda *of: next(features.window_features(*of))):
        everything = arrays.to_host(compute(position, 30.0, Features()))
        chosen = arrays.to_host(compute(position, 30.0, Features(), pairs))
        assert everything.shape[1] == columns(5, 10) == len(order)
        assert np.array_equal(chosen, everything[:, wanted])
    assert features.bin_features(position[:2, ...], 30.0, Features(), pairs).shape == (0, columns(5, 5))


def test_many_columns_give_a_warning_whose_settings_can_be_used(tmp_path):
    (warning,) = column_warnings(MANY)
    assert "741 pairs of 39 keypoints give 1,521 feature columns" in warning
    assert "--keypoints k0,k1,k2" in warning
    (tmp_path / "settings.toml").write_text("[features]\n" + re.search(r"pairs = \[.*?\]", warning)[0])
    chosen = toml.load(tmp_path / "settings.toml").features.pairs
    assert named_pairs(MANY, chosen) == [(0, 1), (1, 2)]
    assert column_warnings(MANY, chosen) == []


@pytest.mark.parametrize(("pairs", "warned"), [(90, False), (91, True)])
def test_200_columns_are_not_yet_many(pairs, warned):
    keypoints = MANY[:20]
    names = features.feature_names(keypoints)[:pairs]  # 20 displacements, and two columns for each pair
    assert bool(column_warnings(keypoints, [name.removeprefix("distance ") for name in names])) == warned
