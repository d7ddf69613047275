"""Settings as a TOML file, and as plain dicts."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from bsoid_gpu.config import Settings, check
from bsoid_gpu.errors import BadInput, raise_all


def from_mapping(given: Mapping[str, Any]) -> Settings:
    """Build settings from the tables of a TOML file; what is left out keeps its default.

    Raises
    ------
    BadInput
        Unknown names, with the nearest known one, or values of another type or range; all at once.
    """
    problems: list[str] = []
    settings = _fill(Settings(), given, "", problems)
    raise_all(problems, heading="settings that cannot be used:")
    return check(settings)


def _fill(defaults: Any, given: Mapping[str, Any], where: str, problems: list[str]) -> Any:
    known = {f.name: getattr(defaults, f.name) for f in fields(defaults)}
    changed: dict[str, Any] = {}
    for name, value in given.items():
        label = f"{where}{name}"
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            problems.append(f"unknown setting {label!r}{hint}")
        elif is_dataclass(known[name]):
            if isinstance(value, Mapping):
                changed[name] = _fill(known[name], value, f"[{name}] ", problems)
            else:
                problems.append(f"{label} = {value!r}; expected a table [{name}]")
        else:
            converted = _converted(value, known[name], name)
            if converted is None:
                problems.append(f"{label} = {value!r}; expected {_kind(known[name], name)}")
            else:
                changed[name] = converted
    return replace(defaults, **changed)


def _converted(value: Any, default: Any, name: str) -> Any:
    """Value as the type of the default, or None where it is of another kind."""
    if isinstance(default, tuple):
        kind = int if name == "hidden" else str
        fits = isinstance(value, list | tuple) and all(type(item) is kind for item in value)
        return tuple(value) if fits else None
    if isinstance(default, float) and type(value) in (int, float):
        return float(value)
    return value if type(value) is type(default) else None


def _kind(default: Any, name: str) -> str:
    if isinstance(default, tuple):
        return "a list of whole numbers" if name == "hidden" else "a list of texts"
    return {int: "a whole number", float: "a number", str: "a text"}[type(default)]


def load(path: str | os.PathLike[str]) -> Settings:
    """Read settings from a TOML file.

    Raises
    ------
    BadInput
        The file cannot be read, is not TOML, or has settings that cannot be used.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"cannot read the settings {str(path)!r}: {error.strerror}"
        raise BadInput(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{str(path)!r} is not a TOML file: {error}; `bsoid-gpu config` prints one to start from"
        raise BadInput(msg) from error
    return from_mapping(given)


def as_dict(settings: Any) -> dict[str, Any]:
    """Settings, or one section of them, as plain dicts and lists, as they stand in a TOML or a JSON file."""
    plain = asdict(settings)
    return {k: _plain(v) for k, v in plain.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return list(value) if isinstance(value, tuple) else value


def to_toml(settings: Settings) -> str:
    """Write every setting with the sentence that explains it, as a TOML file."""
    lines = _lines(settings)
    for f in fields(settings):
        section = getattr(settings, f.name)
        if is_dataclass(section):
            lines += ["", f"[{f.name}]", *_lines(section)]
    return "\n".join(lines) + "\n"


def _lines(section: Any) -> list[str]:
    """Comment and value of each setting; JSON writes texts, numbers and lists of them as TOML does."""
    return [
        line
        for f in fields(section)
        if not is_dataclass(value := getattr(section, f.name))
        for line in (f"# {f.metadata['doc']}", f"{f.name} = {_toml(_plain(value))}")
    ]


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML takes no raw DEL
