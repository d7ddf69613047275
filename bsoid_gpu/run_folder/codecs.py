"""Convert a result dataclass to arrays by name and JSON facts, and back.

The name of an array is its path in the result, for example ``scales.mouse1.0``; facts mirror the fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bsoid_gpu.typing import Array

T = TypeVar("T")
Arrays = dict[str, NDArray[Any]]
ARRAY = {"array": True}  # the fact that replaces an array


def encode(result: Any, to_host: Callable[[Array], NDArray[Any]] = np.asarray) -> tuple[Arrays, dict[str, Any]]:
    """Arrays and facts of a result.

    Parameters
    ----------
    result
        A dataclass of arrays, tables, numbers, texts, and lists, tuples, dicts and dataclasses of them.
    to_host
        Moves an array to the host.
    """
    arrays: Arrays = {}

    def facts_of(value: Any, path: str) -> Any:
        if isinstance(value, pd.DataFrame):
            return value.to_dict("split")
        if is_dataclass(value):
            return {item.name: facts_of(getattr(value, item.name), _join(path, item.name)) for item in fields(value)}
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            arrays[path] = to_host(value)
            return ARRAY
        if isinstance(value, Mapping):
            return {name: facts_of(item, _join(path, name)) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [facts_of(item, _join(path, i)) for i, item in enumerate(value)]
        return value

    return arrays, facts_of(result, "")


def decode(kind: type[T], arrays: Mapping[str, NDArray[Any]], facts: Any, path: str = "") -> T:
    """Inverse of :func:`encode` for a result of the dataclass ``kind``; arrays are on the host.

    Raises
    ------
    KeyError
        An array or a fact that the dataclass needs is missing.
    """
    return _decode(kind, arrays, facts, path)


def _decode(kind: Any, arrays: Mapping[str, NDArray[Any]], facts: Any, path: str) -> Any:
    if facts == ARRAY:
        return arrays[path]
    if kind is pd.DataFrame:
        return pd.DataFrame(**facts)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        values = {
            item.name: _decode(hints[item.name], arrays, facts[item.name], _join(path, item.name))
            for item in fields(kind)
        }
        return kind(**values)  # type: ignore[operator]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is dict:
        return {name: _decode(arguments[1], arrays, item, _join(path, name)) for name, item in facts.items()}
    if origin is list:
        return [_decode(arguments[0], arrays, item, _join(path, i)) for i, item in enumerate(facts)]
    if origin is tuple:
        kinds = [arguments[0]] * len(facts) if arguments[-1] is Ellipsis else arguments
        items = zip(kinds, facts, strict=True)
        return tuple(_decode(item_kind, arrays, item, _join(path, i)) for i, (item_kind, item) in enumerate(items))
    return facts


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
