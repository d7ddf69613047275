"""Fragmented tracks."""

from pathlib import Path

import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.reader import Request
from bsoid_gpu.io.tracks import check_names, long_tracks


def tracks(**lengths):
    """Tracks of so many frames, which follow each other."""
    ends = np.cumsum(list(lengths.values()))
    return {name: np.arange(end - lengths[name], end) for name, end in zip(lengths, ends, strict=True)}


def test_tracks_of_ten_seconds_and_more_are_kept(cpu):
    names, (lost, short) = long_tracks(tracks(a=299, b=300, c=1000, d=5), Request(30.0, cpu))
    assert names == ("b", "c")
    assert lost.startswith("there are 4 tracks but never more than 1 in one frame: 'c' has 1,000 frames (599 to 1598)")
    assert short == (
        "2 of 4 tracks have fewer than 300 frames (10 s) and are left out: 'a' has 299 frames (0 to 298), "
        "'d' has 5 frames (1599 to 1603); to read tracks of any length, name them with --individuals"
    )


def test_tracks_of_animals_that_are_always_together_need_no_note(cpu):
    together = {"b": np.arange(300), "c": np.arange(301)}
    assert long_tracks(together, Request(30.0, cpu)) == (("b", "c"), ())


def test_a_choice_and_a_single_track_are_kept_at_any_length(cpu):
    assert long_tracks(tracks(a=3, b=300), Request(30.0, cpu, (), ("a",))) == (("a", "b"), ())
    assert long_tracks(tracks(a=3), Request(30.0, cpu)) == (("a",), ())


def test_where_no_track_is_long_enough_all_are_read(cpu):
    names, notes = long_tracks(tracks(a=3, b=299, c=0), Request(30.0, cpu))
    assert names == ("a", "b", "c")
    assert len(notes) == 1
    assert long_tracks({}, Request(30.0, cpu)) == ((), ())


def test_only_the_longest_tracks_are_listed(cpu):
    lengths = tracks(**{f"track_{number}": number for number in range(1, 28)}) | {"all": np.arange(900)}
    names, (lost, short) = long_tracks(lengths, Request(30.0, cpu))
    assert names == ("all",)
    assert lost.count(" frames (") == short.count(" frames (") - 1 == 5  # the latter also names the 10 s
    assert "'track_27' has 27 frames (351 to 377)" in short
    assert "and 22 more" in short


def test_names_that_are_not_unique_are_refused():
    check_names(["a", "b"], Path("m.h5"))
    with pytest.raises(BadInput, match=r"'m.h5': 2 tracks are named 'a', 3 tracks are named 'c'; expected one track"):
        check_names(["a", "c", "c", "b", "a", "c"], Path("m.h5"))
