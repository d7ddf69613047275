import re

import numpy as np
import pytest

from bsoid_gpu.method import features
from bsoid_gpu.method.columns import column_warnings, feature_names
from bsoid_gpu.method.pairs import named_pairs
from bsoid_gpu.method.quantities import quantities_of
from bsoid_gpu.settings import toml
from bsoid_gpu.settings.schema import Features

MOUSE = ("snout", "left ear", "tail_base")
MANY = tuple(f"k{i}" for i in range(39))


def test_feature_names_match_the_columns():
    assert feature_names(("a", "b"), Features(), 3)[1] == "unsigned turn a - b"
    assert feature_names(("a", "b", "c"), Features()) == [
        "distance a - b", "distance a - c", "distance b - c",
        "turn a - b", "turn a - c", "turn b - c",
        "displacement a", "displacement b", "displacement c",
    ]  # fmt: skip


def test_named_pairs_have_their_own_names():
    assert feature_names(MOUSE, Features(pairs=("tail_base - snout",)), 3) == [
        "distance tail_base - snout", "unsigned turn tail_base - snout",
        "displacement snout", "displacement left ear", "displacement tail_base",
    ]  # fmt: skip


@pytest.mark.parametrize("space", [2, 3])
def test_named_pairs_give_the_columns_of_all_pairs(space, arrays):
    position = arrays.asarray(np.random.default_rng(3).normal(size=(70, 5, space)).cumsum(axis=0))
    keypoints, names = tuple("abcde"), ("c - d", "c - e", "a - e", "a - c", "b - c")
    order = feature_names(keypoints, Features(), space)
    wanted = [order.index(name) for name in feature_names(keypoints, Features(pairs=names), space)]
    quantities = quantities_of(keypoints, Features(pairs=names))
    for compute in (features.bin_features, lambda *of: next(features.window_features(*of))):
        everything = arrays.to_host(compute(position, 30.0, Features()))
        chosen = arrays.to_host(compute(position, 30.0, Features(), quantities))
        assert everything.shape[1] == len(order) == 25
        assert np.array_equal(chosen, everything[:, wanted])
    assert features.bin_features(position[:2, ...], 30.0, Features(), quantities).shape == (0, 15)


def test_many_columns_give_a_warning_whose_settings_can_be_used(tmp_path):
    (warning,) = column_warnings(MANY, Features())
    assert "741 pairs of 39 keypoints give 1,521 feature columns" in warning
    assert "--keypoints k0,k1,k2" in warning
    (tmp_path / "settings.toml").write_text("[features]\n" + re.search(r"pairs = \[.*?\]", warning)[0])
    chosen = toml.load(tmp_path / "settings.toml").features
    assert named_pairs(MANY, chosen.pairs) == [(0, 1), (1, 2)]
    assert column_warnings(MANY, chosen) == []


@pytest.mark.parametrize(("pairs", "warned"), [(90, False), (91, True)])
def test_200_columns_are_not_yet_many(pairs, warned):
    keypoints = MANY[:20]
    names = feature_names(keypoints, Features())[:pairs]  # 20 displacements, and two columns for each pair
    settings = Features(pairs=tuple(name.removeprefix("distance ") for name in names))
    assert bool(column_warnings(keypoints, settings)) == warned
