import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.method.pairs import named_pairs

MOUSE = ("snout", "left ear", "tail_base")


def test_without_names_all_pairs_count_in_the_order_of_combinations():
    assert named_pairs("abcd") == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def test_named_pairs_have_their_own_order_and_direction():
    assert named_pairs(MOUSE, ("tail_base - snout", "snout - left ear")) == [(2, 0), (0, 1)]


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
