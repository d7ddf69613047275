"""Sentences about single descriptors, in plain words with numbers and units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bsoid_gpu.behaviours import catalogue
from bsoid_gpu.behaviours.body import ASSUMED
from bsoid_gpu.behaviours.catalogue import DESCRIPTOR, SCALED, Descriptor
from bsoid_gpu.behaviours.measures import Nouns

REGULAR_SHARE = 0.5  # of the power at the dominant rate, from which a movement is called rhythmic
STEADY_RATE = 0.35  # largest IQR of the rate, over its median
SMALL, SMALL_SIGNED = 0.1, 0.25  # of what is worth a word: values of the rest that are written as 0
LONGER = 1.5  # factor between durations of bouts that is worth a word


@dataclass(frozen=True)
class Value:
    """Median and quartiles of a descriptor in a group, its median in the rest of the time, and the AUC against it."""

    name: str
    unit: str
    median: float
    q25: float
    q75: float
    rest_median: float
    auc: float


@dataclass(frozen=True)
class Context:
    """What sentences need to know: all values of the group, nouns, the body's length in the unit, and the camera."""

    values: Mapping[str, Value]
    nouns: Nouns
    body_length: float
    view: str

    def least(self, descriptor: Descriptor) -> float:
        """Smallest value that is worth a word, in the unit of the values."""
        return descriptor.least * (self.body_length if descriptor.kind in SCALED else 1.0)


def sentence(name: str, high: bool, context: Context) -> str | None:
    """A sentence that a descriptor is higher or lower than in the rest of the time; None where it is not worth a word.

    Parameters
    ----------
    name
        Name of the descriptor.
    high
        Whether it is higher than in the rest of the time.
    context
        All values of the group.
    """
    value, descriptor = context.values[name], DESCRIPTOR[name]
    if name == catalogue.DURATION:
        return _duration(value, high)
    if name in RHYTHMS:
        return _rhythm(name, high, context)
    least = context.least(descriptor)
    if (value.median > value.rest_median) != high or abs(value.median - value.rest_median) < least:
        return None
    words = (_signed if descriptor.signed or name in CHANGES else _size)(name, high, value, context)
    return None if words is None else f"{words} {_against_rest(value, descriptor, least)}."


def number(value: float, unit: str = "") -> str:
    """A number with two digits that count, as ``"190"``, ``"3.5"`` or ``"0.82"``; shares of 1 with two decimals."""
    size = abs(value)
    if unit == catalogue.RELATIVE:
        return f"{value:.2f}"
    if size < 0.005:
        return "0"
    if size >= 100:
        return f"{round(value, -1):.0f}"
    text = f"{value:.0f}" if size >= 9.95 else f"{value:.1f}" if size >= 0.995 else f"{value:.2f}"
    return text.removesuffix(".0")


def quantity(value: float, unit: str) -> str:
    """A number with its unit."""
    return f"{number(value, unit)} {unit.replace('°', 'deg')}".strip()


def _against_rest(value: Value, descriptor: Descriptor, least: float) -> str:
    """Quartiles and the rest, counted in the direction of the median where that has a sign."""
    sign = -1 if value.median < 0 else 1
    low, high = sorted([sign * value.q25, sign * value.q75])
    rest = sign * value.rest_median
    rest = 0.0 if abs(rest) < least * (SMALL_SIGNED if descriptor.signed else SMALL) else rest
    texts = [number(one, value.unit) for one in (low, high, rest)]
    return "(IQR {} to {}; rest of the time {})".format(*texts)


def _sided(context: Context) -> str:
    """A condition on left and right, if no keypoint's name says from which side the camera looks."""
    return " (if seen from above)" if context.view == ASSUMED else ""


def _singular(noun: str) -> str:
    return noun.replace("feet", "foot") if noun.endswith("feet") else noun.removesuffix("s")


CHANGES = {
    catalogue.FORWARD: ("Moves forward at {}", "Moves backward at {}"),
    catalogue.FORWARD_ACCELERATION: ("Speeds up by {}", "Slows down by {}"),
    catalogue.STRETCHING: ("The body lengthens by {}", "The body shortens by {}"),
}
SIDED = {
    catalogue.TURN: ("Turns right{} at {}", "Turns left{} at {}"),
    catalogue.SIDEWAYS: ("Moves to its right{} at {}", "Moves to its left{} at {}"),
    catalogue.BEND: ("The body bends to the right{} by {}", "The body bends to the left{} by {}"),
}


def _signed(name: str, high: bool, value: Value, context: Context) -> str | None:
    """Words for a descriptor with a direction: the median itself must have it."""
    size = abs(value.median)
    if (value.median > 0) != high or size < context.least(DESCRIPTOR[name]):
        return None
    text = quantity(size, value.unit)
    if name in CHANGES:
        return CHANGES[name][not high].format(text)
    if name in SIDED:
        return SIDED[name][not high].format(_sided(context), text)
    noun = context.nouns.fore if name == catalogue.FORE_LEAD else context.nouns.hind
    ahead, behind = ("left", "right") if high else ("right", "left")
    return f"The {ahead} {_singular(noun)}{_sided(context)} is {text} ahead of the {behind} one"


def _size(name: str, high: bool, value: Value, context: Context) -> str | None:
    """Words for a descriptor without direction."""
    least = context.least(DESCRIPTOR[name])
    if name in (catalogue.ELONGATION, catalogue.SPREAD):
        return _posture(name, high, value, least)
    text, nouns = quantity(value.median, value.unit), context.nouns
    if high and value.median < least:
        return None
    slow = value.median < least
    ways = {
        catalogue.PLACE_SPEED: ("Moves at {}", "Stays in place: moves at {}" if slow else "Moves slowly, at {}"),
        catalogue.MOVEMENT: (
            "Is in motion: all points of the body move at {} on average",
            "Hardly moves: all points of the body move at {} on average"
            if slow
            else "Moves little: all points of the body at {} on average",
        ),
        catalogue.TURN_SIZE: (
            f"Turns at {{}}{_either(catalogue.TURN, context)}",
            "Keeps its direction: turns at {}" if slow else None,
        ),
        catalogue.BEND_SIZE: (
            f"The body is bent by {{}}{_either(catalogue.BEND, context)}",
            "The body is straight: bent by {}",
        ),
        catalogue.HEAD_MOVEMENT: _part_moves(nouns.front, slow),
        catalogue.FORE_MOVEMENT: _part_moves(nouns.fore, slow),
        catalogue.HIND_MOVEMENT: _part_moves(nouns.hind, slow),
        catalogue.OTHER_MOVEMENT: _part_moves(nouns.other, slow),
        catalogue.FORE_DISTANCE: (
            f"The {nouns.fore} are far from the {nouns.front}: {{}} away",
            f"The {nouns.fore} are close to the {nouns.front}: {{}} away",
        ),
        catalogue.HIND_WIDTH: (f"The {nouns.hind} are far apart: {{}}", f"The {nouns.hind} are close together: {{}}"),
    }
    way = ways[name][not high]
    return None if way is None else way.format(text)


FRONTS = ("nose", "snout", "head", "front")


def _part_moves(noun: str, slow: bool) -> tuple[str, str | None]:
    if noun in FRONTS:
        still = f"The {noun} keeps in line with the body: moves sideways at {{}}" if slow else None
        return f"The {noun} moves from side to side of the body at {{}}", still
    still = f"The {noun} keep still relative to the trunk: {{}}" if slow else None
    return f"The {noun} move relative to the trunk at {{}}", still


def _either(signed: str, context: Context) -> str:
    """That both sides occur, unless most values of the signed descriptor have one sign."""
    value = context.values.get(signed)
    return "" if value is not None and value.q25 * value.q75 > 0 else ", to either side"


def _posture(name: str, high: bool, value: Value, least: float) -> str | None:
    if (value.median - 1 > 0) != high or abs(value.median - 1) < least:
        return None
    if name == catalogue.ELONGATION:
        return f"The body appears {'long' if high else 'short'}: {number(value.median, value.unit)} of its usual length"
    how = "far apart" if high else "close together"
    return f"The points of the body lie {how}: {number(value.median, value.unit)} of their usual spread"


def _duration(value: Value, high: bool) -> str | None:
    longer = value.median / value.rest_median if value.rest_median > 0 else 1.0
    if (longer if high else 1 / longer) < LONGER:
        return None
    return (
        f"Its bouts are {'long' if high else 'short'}: {number(value.median)} s "
        f"(IQR {number(value.q25)} to {number(value.q75)}; other bouts {number(value.rest_median)})."
    )


HEAD = (catalogue.HEAD_HZ, catalogue.HEAD_SWING, catalogue.HEAD_RHYTHM)
LIMBS = (catalogue.LIMB_HZ, catalogue.LIMB_SWING, catalogue.LIMB_RHYTHM)
RHYTHMS = {name: names for names in (HEAD, LIMBS) for name in names}


def rhythmic(names: tuple[str, str, str], context: Context) -> bool:
    """Whether head or limbs move in a rhythm: regular, of a steady rate, and visible."""
    if not set(names) <= set(context.values):
        return False
    rate, swing, share = (context.values[name] for name in names)
    return (
        share.median >= REGULAR_SHARE
        and rate.q75 - rate.q25 <= STEADY_RATE * rate.median
        and swing.median >= context.least(DESCRIPTOR[swing.name])
    )


def _rhythm(name: str, high: bool, context: Context) -> str | None:
    """One sentence for rate, swing and regularity of a rhythm."""
    names = RHYTHMS[name]
    rate, swing = (context.values[other] for other in names[:2])
    noun = context.nouns.front if names is HEAD else context.nouns.rhythmic
    if name != rate.name and not high:
        return None
    if not rhythmic(names, context):
        least = context.least(DESCRIPTOR[name])
        if name != swing.name or swing.median - swing.rest_median < least:
            return None
        verb = "swings" if names is HEAD else "swing"
        against = _against_rest(swing, DESCRIPTOR[name], least)
        return f"The {noun} {verb} by {quantity(swing.median, swing.unit)} to each side within a second {against}."
    verb = "moves from side to side" if names is HEAD else "move to and fro"
    other_rate = f"; rest of the time {number(rate.rest_median)}" if name == rate.name else ""
    other_swing = f" (rest of the time {number(swing.rest_median)})" if name == swing.name else ""
    return (
        f"The {noun} {verb} at about {number(rate.median)} Hz "
        f"(IQR {number(rate.q25)} to {number(rate.q75)}{other_rate}), by {quantity(swing.median, swing.unit)} "
        f"to each side{other_swing}."
    )


def compared(name: str, own: Value, other: Value) -> str:
    """How a descriptor differs in another group, for example ``"forward speed is 1.1 body lengths/s (here 3.6)"``."""
    descriptor = DESCRIPTOR[name]
    there, here = quantity(other.median, other.unit), number(own.median, own.unit)
    if descriptor.signed and name not in (catalogue.FORE_LEAD, catalogue.HIND_LEAD):
        there, here = (
            f"{quantity(abs(value.median), value.unit)} to the {'right' if value.median > 0 else 'left'}"
            for value in (other, own)
        )
    return f"{name} is {there} (here {here})"
