"""The descriptors: their names, units, and the smallest values that are worth a word."""

from __future__ import annotations

from typing import NamedTuple

# kinds of units; lengths are in the unit of the report: body lengths or mm
LENGTH, SPEED, ACCELERATION, ANGLE, TURNING = "length", "length/s", "length/s²", "°", "°/s"
RELATIVE, RELATIVE_RATE, FREQUENCY, SHARE, TIME = "of the usual", "%/s", "Hz", "", "s"
SCALED = (LENGTH, SPEED, ACCELERATION)

FORWARD, SIDEWAYS, PLACE_SPEED = "forward speed", "sideways speed", "speed"
FORWARD_ACCELERATION, MOVEMENT = "forward acceleration", "movement of all points"
TURN, TURN_SIZE = "turning", "turning to either side"
ELONGATION, STRETCHING, SPREAD = "length of the body", "lengthening", "spread of the body"
BEND, BEND_SIZE = "bend", "bend to either side"
HEAD_MOVEMENT, FORE_MOVEMENT, HIND_MOVEMENT = "head movement", "forelimb movement", "hindlimb movement"
OTHER_MOVEMENT, FORE_DISTANCE = "limb movement", "distance of the forelimbs from the head"
FORE_LEAD, HIND_LEAD, HIND_WIDTH = "lead of the left forelimb", "lead of the left hindlimb", "width of the stance"
LIMB_HZ, LIMB_SWING, LIMB_RHYTHM = "rate of the limbs", "swing of the limbs", "rhythm of the limbs"
HEAD_HZ, HEAD_SWING, HEAD_RHYTHM = "rate of the head", "swing of the head", "rhythm of the head"
DURATION = "duration of bouts"


class Descriptor(NamedTuple):
    """A measured quantity of the animal.

    ``least`` is the smallest value, or for values around 1 the smallest difference from 1, that is worth a word, with
    lengths in body lengths. ``family``: of one family, one statement is made. ``signed`` ones change their sign in a
    mirror.
    """

    name: str
    kind: str
    family: str
    least: float
    signed: bool = False


DESCRIPTORS = (
    Descriptor(FORWARD, SPEED, "place", 0.15),
    Descriptor(PLACE_SPEED, SPEED, "place", 0.15),
    Descriptor(MOVEMENT, SPEED, "place", 0.15),
    Descriptor(SIDEWAYS, SPEED, "sideways", 0.25, signed=True),
    Descriptor(FORWARD_ACCELERATION, ACCELERATION, "change", 1.5),
    Descriptor(TURN, TURNING, "turn", 30.0, signed=True),
    Descriptor(TURN_SIZE, TURNING, "turn", 30.0),
    Descriptor(ELONGATION, RELATIVE, "posture", 0.05),
    Descriptor(SPREAD, RELATIVE, "posture", 0.05),
    Descriptor(STRETCHING, RELATIVE_RATE, "change", 40.0),
    Descriptor(BEND, ANGLE, "bend", 7.0, signed=True),
    Descriptor(BEND_SIZE, ANGLE, "bend", 7.0),
    Descriptor(HEAD_MOVEMENT, SPEED, "head", 0.3),
    Descriptor(HEAD_HZ, FREQUENCY, "head", 0.0),
    Descriptor(HEAD_SWING, LENGTH, "head", 0.02),
    Descriptor(HEAD_RHYTHM, SHARE, "head", 0.6),
    Descriptor(FORE_MOVEMENT, SPEED, "limbs", 0.3),
    Descriptor(HIND_MOVEMENT, SPEED, "limbs", 0.3),
    Descriptor(OTHER_MOVEMENT, SPEED, "other limbs", 0.3),
    Descriptor(LIMB_HZ, FREQUENCY, "limbs", 0.0),
    Descriptor(LIMB_SWING, LENGTH, "limbs", 0.02),
    Descriptor(LIMB_RHYTHM, SHARE, "limbs", 0.6),
    Descriptor(FORE_DISTANCE, LENGTH, "reach", 0.03),
    Descriptor(FORE_LEAD, LENGTH, "stride", 0.05, signed=True),
    Descriptor(HIND_LEAD, LENGTH, "stride", 0.05, signed=True),
    Descriptor(HIND_WIDTH, LENGTH, "stance", 0.03),
    Descriptor(DURATION, TIME, "duration", 0.0),
)
DESCRIPTOR = {one.name: one for one in DESCRIPTORS}


def unit_of(kind: str, length: str) -> str:
    """Unit in words, with the unit of lengths ``"body lengths"`` or ``"mm"``."""
    return kind.replace("length", length) if kind in SCALED else kind
