"""The log variant of the features of several windows: small and large movements on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from array_api_compat import array_namespace

from bsoid_gpu.method.quantities import DISPLACEMENT, DISTANCE, TURN

if TYPE_CHECKING:
    from bsoid_gpu.typing import Array

# added before the logarithm: body lengths, degrees per second, body lengths per second
OFFSET = {DISTANCE: 0.01, TURN: 10.0, DISPLACEMENT: 0.05}
TURN_SCALE = 30.0  # degrees per second
LOG10, ASINH, PLAIN = "log10", "asinh", ""


def function_of(kind: str, *, spread: bool) -> str:
    """Which function is taken of the mean, or of the standard deviation (spread), of a kind of quantity."""
    if spread or kind == DISPLACEMENT:
        return LOG10
    return ASINH if kind == TURN else PLAIN


def logarithms(values: Array, kinds: Sequence[str], bin_s: float, *, spread: bool) -> Array:
    """Means or standard deviations of quantities in the log variant.

    ``log10(displacement + 0.05)`` in body lengths per second, ``asinh(turn / 30)`` in degrees per second, and of
    standard deviations ``log10`` of their sum with 0.05 body lengths per second, 10 degrees per second, or 0.01 body
    lengths.

    Parameters
    ----------
    values
        (windows, columns) in body lengths and degrees; turns and displacements are those of ``bin_s`` seconds.
    kinds
        Kind of the quantity of each column.
    bin_s
        Length of a bin in seconds.
    spread
        Whether they are standard deviations.
    """
    xp = array_namespace(values)
    parts, start = [], 0
    for kind, group in groupby(kinds):
        stop = start + len(list(group))
        part = values[:, start:stop] if kind == DISTANCE else values[:, start:stop] / bin_s
        function = function_of(kind, spread=spread)
        if function == LOG10:
            part = xp.log10(part + OFFSET[kind])
        elif function == ASINH:
            part = xp.asinh(part / TURN_SCALE)
        parts.append(part)
        start = stop
    return xp.concat(parts, axis=1)


def speed_of(logarithm: Array) -> Array:
    """Displacements in body lengths per second from their logarithms."""
    return 10.0**logarithm - OFFSET[DISPLACEMENT]
