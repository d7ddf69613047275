"""The result of one comparison of two backends."""

from __future__ import annotations

import math
from dataclasses import dataclass

AT_LEAST, AT_MOST = "at least", "at most"


@dataclass(frozen=True)
class Result:
    """One comparison: ``measured`` has to be ``sense`` (at least or at most) ``bound``.

    Without a bound it is information. ``measured`` is None if it is no number, or if the step failed.
    """

    name: str
    passed: bool
    text: str
    measured: float | None = None
    bound: float | None = None
    sense: str = ""


def at_least(name: str, measured: float, bound: float, text: str) -> Result:
    """A comparison that passes from the bound upwards."""
    return Result(name, measured >= bound, text, _finite(measured), bound, AT_LEAST)


def at_most(name: str, measured: float, bound: float, text: str) -> Result:
    """A comparison that passes from the bound downwards."""
    return Result(name, measured <= bound, text, _finite(measured), bound, AT_MOST)


def information(name: str, text: str, measured: float | None = None) -> Result:
    """A measurement that has no bound."""
    return Result(name, True, text, None if measured is None else _finite(measured))


def failed(name: str, error: Exception) -> Result:
    """A step that raised an error."""
    return Result(name, False, f"{type(error).__name__}: {' '.join(str(error).split())}")


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None  # JSON has no other numbers
