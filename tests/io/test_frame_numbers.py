import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.frame_numbers import checked_frame_numbers


def checked(values, fps=30.0):
    return checked_frame_numbers(np.asarray(values), "'m.csv'", fps)


def test_numbers_from_0_on_are_not_remarkable():
    assert checked([0.0, 1.0, 2.0]).notes == ()
    assert checked([0, 1, 2]).order is None
    assert checked(["0", "1.0", "2"]).numbers.tolist() == [0, 1, 2]


@given(st.permutations(range(12)), st.integers(0, 2**52), st.integers(0, 1000))
def test_the_order_sorts_the_rows(rows, start, gap):
    ascending = start + np.arange(12) + np.where(np.arange(12) < 6, 0, gap)
    values = ascending[list(rows)]
    result = checked(values)
    assert result.numbers.tolist() == ascending.tolist()
    if result.order is None:
        assert list(rows) == sorted(rows)
    else:
        assert values[result.order].tolist() == ascending.tolist()
    assert any("not in order" in note for note in result.notes) == (result.order is not None)
    assert any(f"begin at number {start}" in note for note in result.notes) == (start > 0)
    assert any(f"{gap:,} frames are left out" in note for note in result.notes) == (gap > 0)


def test_gaps_are_named_by_their_frames():
    note = checked([0, 1, 4, 5, 6, 8, 9, 20, 21, 30, 31, 32]).notes[0]
    assert note.startswith("21 frames are left out (2 to 3, 7 to 7, 10 to 19 and 1 more gaps)")


def test_gaps_as_frequent_as_frames_are_gaps():
    assert checked([0, 3, 4]).notes[0].startswith("2 frames are left out (1 to 2)")
    assert checked([0, 3, 4, 7, 8]).numbers.tolist() == [0, 3, 4, 7, 8]


REFUSED = {
    "one twice": ([0, 1, 1, 2], ["1 frame numbers are repeated, the first is 1", "joined"]),
    "two recordings": ([*range(9), *range(9)], ["9 frame numbers are repeated", "joined"]),
    "every third": ([0, 3, 6, 9], ["rise by 3", "every 3rd frame", "--fps (10 if 30"]),
    "every third, with two neighbours": ([0, 3, 4, 7, 10, 13], ["rise by 3"]),
    "every third, unsorted": ([9, 0, 6, 3], ["rise by 3"]),
    "milliseconds": ([0, 33, 67, 100], ["milliseconds", "30 frames per second"]),
    "microseconds": ([0, 33333, 66667, 100000], ["microseconds"]),
    "seconds": ([0, 0.0333, 0.0667], ["row 2 has 0.0333", "times in seconds"]),
    "below 0": ([-1, 0, 1], ["row 1 has -1", "from 0 on"]),
    "infinite": ([0, np.inf], ["row 2 has inf"]),
    "missing": ([0, np.nan], ["row 2 has nan"]),
    "too large": ([0, 2.0**54], ["row 2"]),
    "images": (["labeled-data/a/img01.png", "2"], ["img01.png' is not a frame number", "tracked video"]),
}


@pytest.mark.parametrize(("values", "parts"), REFUSED.values(), ids=REFUSED)
def test_numbers_that_cannot_be_used(values, parts):
    with pytest.raises(BadInput) as caught:
        checked(values)
    for part in ("'m.csv'", *parts):
        assert part in str(caught.value)
