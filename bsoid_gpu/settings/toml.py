"""Settings as a TOML file, and as plain dicts."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.estimators import registry
from bsoid_gpu.fields import converted, kind_of
from bsoid_gpu.log import logger
from bsoid_gpu.settings.schema import ROLES, Settings, problems_in

RENAMED = {  # settings of version 0.1: old and new section and name
    ("embedding", "start"): ("embedding", "initialisation"),
    ("classifier", "held_out"): ("validation", "held_out"),
    ("classifier", "folds"): ("validation", "folds"),
    ("classifier", "block_s"): ("validation", "block_s"),
}


def from_mapping(tables: Mapping[str, Any], base: Settings | None = None) -> Settings:
    """Settings from the tables of a TOML file; settings that are left out are those of ``base``, or the defaults.

    Former names of renamed settings are accepted with a warning.

    Raises
    ------
    BadInput
        Unknown names, with the nearest known name, or values of the wrong type or range; all reported together.
    """
    current, warnings = with_new_names(tables)
    for warning in warnings:
        logger.warning(warning)
    problems: list[str] = []
    settings = _fill(base or Settings(), current, "", problems)
    problems += problems_in(settings)
    raise_all(problems, heading="settings that cannot be used:")
    return settings


def with_new_names(tables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Tables with the current names of the settings, and a sentence for each renamed setting."""
    current = {name: dict(value) if isinstance(value, Mapping) else value for name, value in tables.items()}
    sentences = []
    for (section, name), (new_section, new_name) in RENAMED.items():
        old = current.get(section)
        if not isinstance(old, dict) or name not in old:
            continue
        new = current.setdefault(new_section, {})
        if isinstance(new, dict):
            new.setdefault(new_name, old[name])
            del old[name]
            sentences.append(f"the setting [{section}] {name} is now called [{new_section}] {new_name}: rename it")
    return current, sentences


def _fill(defaults: Any, values: Mapping[str, Any], where: str, problems: list[str]) -> Any:
    items = {item.name: item for item in fields(defaults)}
    known = {name: getattr(defaults, name) for name in items}
    changed: dict[str, Any] = {}
    for name, value in values.items():
        label = f"{where}{name}"
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(known)}"
            problems.append(f"unknown setting {label!r}{hint}")
        elif is_dataclass(known[name]):
            if isinstance(value, Mapping):
                changed[name] = _section(name, known[name], value, problems)
            else:
                problems.append(f"{label} = {value!r}; expected a table [{name}]")
        else:
            usable = converted(value, items[name])
            if usable is None:
                problems.append(f"{label} = {value!r}; expected {kind_of(items[name])}")
            else:
                changed[name] = usable
    return replace(defaults, **changed)


def _section(name: str, default: Any, table: Mapping[str, Any], problems: list[str]) -> Any:
    """A section; in those with an estimator, the key ``method`` chooses the dataclass."""
    values = dict(table)
    if name in ROLES and "method" in values:
        method = values.pop("method")
        try:
            kind = registry.get(ROLES[name], method).settings
        except BadInput as error:
            problems.append(f"[{name}] method = {method!r}: {error}")
            return default
        default = default if isinstance(default, kind) else kind()
    return _fill(default, values, f"[{name}] ", problems)


def load(path: str | os.PathLike[str], base: Settings | None = None) -> Settings:
    """Read settings from a TOML file; settings that it leaves out are those of ``base``, or the defaults.

    Raises
    ------
    BadInput
        The file cannot be read, is not TOML, or has settings that cannot be used.
    """
    tables = read_toml(Path(path), "the settings", "print a valid one with `bsoid-gpu config`")
    return from_mapping(tables, base)


def read_toml(path: Path, what: str, remedy: str) -> dict[str, Any]:
    """Tables of a TOML file; ``what`` it holds and the ``remedy`` are for the message if it cannot be read.

    Raises
    ------
    BadInput
        The file cannot be read, or is not TOML.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"cannot read {what} {str(path)!r}: {error.strerror}"
        raise BadInput(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{str(path)!r} is not a TOML file: {error}; {remedy}"
        raise BadInput(msg) from error


def as_dict(settings: Any) -> dict[str, Any]:
    """Settings or one section of them as dicts and lists, for a TOML or JSON file."""
    method = {"method": settings.method} if hasattr(settings, "method") else {}
    return method | {item.name: _plain(getattr(settings, item.name)) for item in fields(settings)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return as_dict(value)
    return list(value) if isinstance(value, tuple) else value


def to_toml(settings: Settings) -> str:
    """All settings with their explanations, as a TOML file."""
    lines = _lines(settings)
    for item in fields(settings):
        section = getattr(settings, item.name)
        if is_dataclass(section):
            lines += ["", f"[{item.name}]", *_method(item.name, section), *_lines(section)]
    return "\n".join(lines) + "\n"


def _method(name: str, section: Any) -> list[str]:
    """Comment and value of the key that chooses the estimator."""
    if name not in ROLES:
        return []
    known = ", ".join(repr(method) for method in registry.names(ROLES[name]))
    return [f"# The {ROLES[name]}: {known}; each has its own settings.", f"method = {toml_value(section.method)}"]


def _lines(section: Any) -> list[str]:
    """Comment and value of each setting; texts, numbers and lists are the same in JSON and TOML."""
    return [
        line
        for item in fields(section)
        if not is_dataclass(value := getattr(section, item.name))
        for line in (f"# {item.metadata['doc']}", f"{item.name} = {toml_value(_plain(value))}")
    ]


def toml_value(value: Any) -> str:
    """A text, a number or a list as TOML, which is then the same as JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML forbids a raw DEL
