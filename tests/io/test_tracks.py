"""Fragmented tracks."""

from pathlib import Path

import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.reader import Request
from bsoid_gpu.io.tracks import long_tracks

PATH = Path("a.h5")


def test_tracks_of_ten_seconds_and_more_are_kept(cpu):
    lengths = {"a": 299, "b": 300, "c": 1000, "d": 5}
    names, notes = long_tracks(lengths, Request(30.0, cpu), PATH)
    assert names == ("b", "c")
    assert notes == (
        "2 of 4 tracks are shorter than 10 s (300 frames at 30 frames per second) and are left out; the longest of "
        "them: a with 299 frames, d with 5 frames. --individuals chooses tracks",
    )
    assert long_tracks({"b": 300, "c": 301}, Request(30.0, cpu), PATH) == (("b", "c"), ())


def test_a_choice_and_a_single_track_are_kept_at_any_length(cpu):
    lengths = {"a": 3, "b": 300}
    assert long_tracks(lengths, Request(30.0, cpu, (), ("a",)), PATH) == (("a", "b"), ())
    assert long_tracks({"a": 3}, Request(30.0, cpu), PATH) == (("a",), ())


def test_only_short_tracks_are_refused_with_the_longest_first(cpu):
    lengths = {f"t{number}": number for number in range(27)}
    with pytest.raises(BadInput, match=r"'a.h5': all 27 tracks .*: t26 with 26 frames, t25 .*--individuals t26"):
        long_tracks(lengths, Request(30.0, cpu), PATH)
