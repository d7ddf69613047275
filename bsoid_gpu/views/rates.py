"""Frame rates as fractions: 29.97 is 30000/1001."""

from __future__ import annotations

from fractions import Fraction

NTSC = {number: Fraction(number * 1000, 1001) for number in (12, 15, 24, 30, 48, 60, 90, 120, 240)}
NEAR = 2e-4  # relative: 23.98 is meant to be 24000/1001, from which 24 differs by a thousandth
LARGEST_DENOMINATOR = 1001


def exact_rate(fps: float) -> Fraction:
    """The rate that a decimal number stands for, such as 24000/1001 for 23.976, and 30 for 30.0."""
    for rate in NTSC.values():
        if abs(fps / float(rate) - 1) < NEAR:
            return rate
    return Fraction(fps).limit_denominator(LARGEST_DENOMINATOR)
