"""A colour for each behaviour, which colour-blind people tell apart while there are few of them."""

from __future__ import annotations

import math

# Okabe & Ito (2008), Color Universal Design, without black: text and axes have it
FIRST = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442")
GOLDEN_ANGLE_DEG = 137.50776405003785  # successive hues are far apart, however many there are
LIGHTNESS = (0.62, 0.82, 0.48, 0.72)  # in turn: neighbours in hue also differ in lightness
CHROMA = 0.11
UNSURE_COLOUR = "#9a9a9a"


def colour_of(number: int) -> str:
    """Colour of a label without one of its own, as ``#rrggbb``: label 0 has the first."""
    if number < 0:
        return UNSURE_COLOUR
    if number < len(FIRST):
        return FIRST[number]
    later = number - len(FIRST)
    hue = math.radians((later * GOLDEN_ANGLE_DEG) % 360)
    return _hex(LIGHTNESS[later % len(LIGHTNESS)], CHROMA * math.cos(hue), CHROMA * math.sin(hue))


def _hex(lightness: float, a: float, b: float) -> str:
    """A colour of the space OKLab (Ottosson 2020) as sRGB; what the screen cannot show is clipped."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _encoded(min(max(value, 0.0), 1.0))):02x}" for value in linear)


def _encoded(linear: float) -> float:
    """Transfer function of sRGB (IEC 61966-2-1)."""
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
