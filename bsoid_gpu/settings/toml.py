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

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.settings.schema import Settings, check, converted, kind_of


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
            usable = converted(value, known[name])
            if usable is None:
                problems.append(f"{label} = {value!r}; expected {kind_of(known[name])}")
            else:
                changed[name] = usable
    return replace(defaults, **changed)


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
