"""Fields of the settings: default, explanation and range of each, and whether a value fits."""

from __future__ import annotations

import math
from dataclasses import MISSING, Field, field, fields, is_dataclass
from typing import Any

INF = math.inf


def setting(default: Any, doc: str, *, bounds: tuple[float, float] = (-INF, INF), choices: tuple[str, ...] = ()) -> Any:
    """A field with its default, its range, and the sentence that ``bsoid-gpu config`` prints above it."""
    return field(default=default, metadata={"doc": doc, "bounds": bounds, "choices": choices})


def default_of(item: Field[Any]) -> Any:
    """Default value of a field."""
    if item.default_factory is not MISSING:
        return item.default_factory()
    return item.default


def converted(value: Any, default: Any) -> Any:
    """Value in the type of the default, None if it has another type; an empty default is a tuple of texts."""
    if isinstance(default, tuple):
        kind = type(default[0]) if default else str
        fits = isinstance(value, list | tuple) and all(type(item) is kind for item in value)
        return tuple(value) if fits else None
    if isinstance(default, float) and type(value) in (int, float):
        return float(value)
    return value if type(value) is type(default) else None


def kind_of(default: Any) -> str:
    """What :func:`converted` accepts, in words."""
    if isinstance(default, tuple):
        return "a list of whole numbers" if default else "a list of texts"
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[type(default)]


def problems_of(section: Any, where: str) -> list[str]:
    """A sentence for each value of a section with the wrong type, not finite, or out of range.

    Parameters
    ----------
    section
        A dataclass whose fields are :func:`setting`.
    where
        Prefix of the names, for example ``"[input] "``.
    """
    problems = []
    for item in fields(section):
        value, default = getattr(section, item.name), default_of(item)
        if is_dataclass(default):
            continue
        low, high = item.metadata["bounds"]
        choices = item.metadata["choices"]
        if converted(value, default) is None:
            problems.append(f"{where}{item.name} = {value!r}; expected {kind_of(default)}")
        elif choices and value not in choices:
            problems.append(f"{where}{item.name} = {value!r}; expected one of {', '.join(map(repr, choices))}")
        elif isinstance(value, int | float) and not (low <= value <= high and math.isfinite(value)):
            problems.append(f"{where}{item.name} = {value!r}; expected {_range(low, high)}")
    return problems


def _range(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "a finite number"
    return f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
