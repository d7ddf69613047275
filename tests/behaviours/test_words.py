import re

import numpy as np
import pytest

from bsoid_gpu.behaviours import catalogue
from bsoid_gpu.behaviours.catalogue import DESCRIPTOR, DESCRIPTORS, unit_of
from bsoid_gpu.behaviours.measures import Nouns
from bsoid_gpu.behaviours.words import RHYTHMS, Context, Value, compared, number, sentence

NOUNS = Nouns("snout", "forepaws", "hindpaws", "wings", "forepaws")


def context(view="above", body_length=1.0, length="body lengths", **values):
    """Values as name: (median, q25, q75, rest)."""
    made = {
        getattr(catalogue, key): Value(
            getattr(catalogue, key), unit_of(DESCRIPTOR[getattr(catalogue, key)].kind, length), *numbers, 0.9
        )
        for key, numbers in values.items()
    }
    return Context(made, NOUNS, body_length, view)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (187.2, "190"),
        (23.4, "23"),
        (9.96, "10"),
        (3.52, "3.5"),
        (0.823, "0.82"),
        (6.0, "6"),
        (0.004, "0"),
        (-0.2, "-0.20"),
    ],
)
def test_numbers_have_two_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("name", "high", "values", "expected"),
    [
        ("FORWARD", True, (3.52, 3.1, 3.9, 0.3),
         "Moves forward at 3.5 body lengths/s (IQR 3.1 to 3.9; rest of the time 0.30)."),
        ("FORWARD", False, (-0.5, -0.7, -0.3, 0.2),
         "Moves backward at 0.50 body lengths/s (IQR 0.30 to 0.70; rest of the time -0.20)."),
        ("TURN", False, (-190, -230, -150, 1.0), "Turns left at 190 deg/s (IQR 150 to 230; rest of the time 0)."),
        ("TURN", True, (190, 150, 230, 0.0), "Turns right at 190 deg/s (IQR 150 to 230; rest of the time 0)."),
        ("PLACE_SPEED", False, (0.04, 0.02, 0.07, 0.9),
         "Stays in place: moves at 0.04 body lengths/s (IQR 0.02 to 0.07; rest of the time 0.90)."),
        ("ELONGATION", False, (0.82, 0.8, 0.84, 1.0),
         "The body appears short: 0.82 of its usual length (IQR 0.80 to 0.84; rest of the time 1.00)."),
        ("FORE_DISTANCE", False, (0.1, 0.07, 0.15, 0.3),
         "The forepaws are close to the snout: 0.10 body lengths away (IQR 0.07 to 0.15; rest of the time 0.30)."),
        ("FORE_LEAD", False, (-0.1, -0.12, -0.08, 0.0),
         "The right forepaw is 0.10 body lengths ahead of the left one (IQR 0.08 to 0.12; rest of the time 0)."),
        ("STRETCHING", True, (150.0, 100.0, 200.0, 0.0),
         "The body lengthens by 150 %/s (IQR 100 to 200; rest of the time 0)."),
        ("DURATION", True, (4.0, 3.0, 5.0, 1.8), "Its bouts are long: 4 s (IQR 3 to 5; other bouts 1.8)."),
        ("OTHER_MOVEMENT", True, (2.0, 1.0, 3.0, 0.1),
         "The wings move relative to the trunk at 2 body lengths/s (IQR 1 to 3; rest of the time 0.10)."),
    ],
)  # fmt: skip
def test_sentences(name, high, values, expected):
    assert sentence(getattr(catalogue, name), high, context(**{name: values})) == expected


@pytest.mark.parametrize(
    ("name", "high", "values"),
    [
        ("FORWARD", True, (0.1, 0.05, 0.12, 0.0)),  # too slow for a word
        ("FORWARD", False, (0.3, 0.2, 0.4, 1.0)),  # slower than usual, but not backward
        ("TURN", True, (20, 10, 30, 0.0)),
        ("ELONGATION", False, (1.02, 1.0, 1.05, 1.1)),  # shorter than the rest, but not short
        ("PLACE_SPEED", False, (0.02, 0.01, 0.03, 0.06)),  # the rest stays in place as well
        ("DURATION", True, (2.0, 1.5, 3.0, 1.8)),
        ("TURN", True, (50, 40, 60, 90)),  # the median contradicts
    ],
)
def test_small_differences_get_no_words(name, high, values):
    assert sentence(getattr(catalogue, name), high, context(**{name: values})) is None


def test_rhythm_needs_a_regular_share_a_steady_rate_and_a_visible_swing():
    regular = {
        "LIMB_HZ": (6, 5.75, 6.25, 2.5),
        "LIMB_SWING": (0.07, 0.06, 0.08, 0.01),
        "LIMB_RHYTHM": (0.8, 0.7, 0.9, 0.3),
    }
    assert sentence(catalogue.LIMB_HZ, True, context(**regular)) == (
        "The forepaws move to and fro at about 6 Hz (IQR 5.8 to 6.2; rest of the time 2.5), by 0.07 body lengths to "
        "each side."
    )
    for spoilt in (
        {"LIMB_RHYTHM": (0.4, 0.3, 0.5, 0.3)},
        {"LIMB_HZ": (6, 3, 9, 2.5)},
        {"LIMB_SWING": (0.01, 0.01, 0.01, 0.01)},
    ):
        assert sentence(catalogue.LIMB_HZ, True, context(**regular | spoilt)) is None
    irregular = regular | {"LIMB_RHYTHM": (0.4, 0.3, 0.5, 0.3)}
    assert sentence(catalogue.LIMB_SWING, True, context(**irregular)) == (
        "The forepaws swing by 0.07 body lengths to each side within a second (IQR 0.06 to 0.08; rest of the time "
        "0.01)."
    )


def test_left_and_right_are_conditional_if_the_side_of_the_camera_is_assumed():
    values = {"TURN": (-190.0, -230.0, -150.0, 0.0)}
    assert sentence(catalogue.TURN, False, context("assumed above", **values)).startswith(
        "Turns left (if seen from above) at"
    )
    assert sentence(catalogue.TURN, False, context("below", **values)).startswith("Turns left at")


def test_what_is_worth_a_word_grows_with_the_body_in_mm():
    # 10 mm/s of a mouse of 100 mm are 0.1 body lengths/s
    values = {"FORWARD": (10.0, 8.0, 12.0, 0.0)}
    assert sentence(catalogue.FORWARD, True, context(length="mm", body_length=100.0, **values)) is None
    text = sentence(catalogue.FORWARD, True, context(length="mm", body_length=10.0, **values))
    assert text == "Moves forward at 10 mm/s (IQR 8 to 12; rest of the time 0)."


def test_every_descriptor_has_words_with_its_unit_and_none_names_a_behaviour():
    names = re.compile(r"\b(groom|rear|walk|sniff|run|freez)", re.IGNORECASE)
    for descriptor in DESCRIPTORS:
        if descriptor.name in RHYTHMS or descriptor.name == catalogue.DURATION:
            continue  # see above
        said = []
        for high in (True, False):
            around = 1.0 if descriptor.kind == catalogue.RELATIVE else 0.0
            size = 10 * max(descriptor.least, 0.05) if high else -10 * max(descriptor.least, 0.05)
            median = around + (size if descriptor.signed or around else max(size, 0.1 * descriptor.least))
            rest = around if descriptor.signed or around else 0.0 if high else 20 * descriptor.least
            value = Value(descriptor.name, "unit", median, median, median, rest, 0.9)
            text = sentence(descriptor.name, high, Context({descriptor.name: value}, NOUNS, 1.0, "above"))
            if text is not None:
                said.append(text)
                assert not names.search(text)
                assert text.endswith(".")
        assert said, descriptor


def test_a_comparison_names_the_side():
    own, other = (context(BEND=(value, 0, 0, 0)).values[catalogue.BEND] for value in (27.0, -7.1))
    assert compared(catalogue.BEND, own, other) == "bend is 7.1 deg to the left (here 27 deg to the right)"
    assert np.isfinite(own.median)


def test_either_side_is_said_only_where_both_occur():
    size = (57.0, 53.0, 62.0, 20.0)
    both = context(BEND_SIZE=size, BEND=(5.0, -55.0, 58.0, 0.0))
    assert sentence(catalogue.BEND_SIZE, True, both).startswith("The body is bent by 57 deg, to either side (")
    one = context(BEND_SIZE=size, BEND=(-55.0, -62.0, -40.0, 0.0))
    assert sentence(catalogue.BEND_SIZE, True, one).startswith("The body is bent by 57 deg (")
