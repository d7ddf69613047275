"""Fields of the settings: default, explanation and range of each, and whether a value fits."""

from __future__ import annotations

import math
from dataclasses import MISSING, Field, field, fields, is_dataclass
from typing import Any

INF = math.inf


def setting(
    default: Any,
    doc: str,
    *,
    bounds: tuple[float, float] = (-INF, INF),
    choices: tuple[str, ...] = (),
    items: type | None = None,
) -> Any:
    """A field with its default, its range, and the sentence that ``bsoid-gpu config`` prints above it.

    ``items`` is the type of the items of a tuple: by default that of the first item, or text if it is empty. The range
    of a tuple is that of its items.
    """
    if items is None:
        items = type(default[0]) if isinstance(default, tuple) and default else str
    return field(default=default, metadata={"doc": doc, "bounds": bounds, "choices": choices, "items": items})


def default_of(item: Field[Any]) -> Any:
    """Default value of a field."""
    if item.default_factory is not MISSING:
        return item.default_factory()
    return item.default


def converted(value: Any, item: Field[Any]) -> Any:
    """Value in the type of a field, None if it has another type."""
    default = default_of(item)
    if not isinstance(default, tuple):
        return _converted(value, type(default))
    values = [_converted(one, item.metadata["items"]) for one in value] if isinstance(value, list | tuple) else [None]
    return None if None in values else tuple(values)


def _converted(value: Any, kind: type) -> Any:
    if kind is float and type(value) in (int, float):
        return float(value)
    return value if type(value) is kind else None


def kind_of(item: Field[Any]) -> str:
    """What :func:`converted` accepts, in words."""
    default = default_of(item)
    if isinstance(default, tuple):
        return f"a list of { ({int: 'whole numbers', float: 'numbers', str: 'texts'}[item.metadata['items']]) }"
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
        if converted(value, item) is None:
            problems.append(f"{where}{item.name} = {value!r}; expected {kind_of(item)}")
        elif choices and value not in choices:
            problems.append(f"{where}{item.name} = {value!r}; expected one of {', '.join(map(repr, choices))}")
        elif not all(low <= number <= high and math.isfinite(number) for number in _numbers(value)):
            of_items = "numbers of " if isinstance(value, list | tuple) else ""
            problems.append(f"{where}{item.name} = {value!r}; expected {of_items}{_range(low, high)}")
    return problems


def _numbers(value: Any) -> list[float]:
    """The numbers of a value: of a list its items, none of a text."""
    return [number for number in (value if isinstance(value, list | tuple) else [value]) if not isinstance(number, str)]


def _range(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "a finite number"
    return f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
