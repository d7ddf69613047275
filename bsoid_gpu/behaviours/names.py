"""What users call the labels of a model: names, descriptions, colours, merged and hidden labels.

They belong to one model, by its digest; see :mod:`bsoid_gpu.behaviours.names_file`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bsoid_gpu import files
from bsoid_gpu.behaviours.colours import UNSURE_COLOUR, colour_of
from bsoid_gpu.errors import raise_all
from bsoid_gpu.settings.toml import toml_value

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
LONGEST_NAME = 100
KEYS = {"labels": list, "name": str, "description": str, "colour": str, "hidden": bool}


@dataclass(frozen=True)
class Behaviour:
    """One or more labels that are one behaviour; without a name or colour, it has those of its smallest label."""

    labels: tuple[int, ...]
    name: str = ""
    description: str = ""
    colour: str = ""
    hidden: bool = False

    @property
    def number(self) -> int:
        """The smallest of its labels, which stands for it in tables."""
        return self.labels[0]

    @property
    def shown_name(self) -> str:
        """Its name, or ``label 7``."""
        return self.name or " + ".join(
            f"label {label}" if i == 0 else str(label) for i, label in enumerate(self.labels)
        )

    @property
    def shown_colour(self) -> str:
        """Its colour, or that of its number."""
        return self.colour or colour_of(self.number)


@dataclass(frozen=True)
class Behaviours:
    """The behaviours of a model: each label is in exactly one, in the order of their numbers.

    Parameters
    ----------
    model
        Digest of the model.
    count
        Number of labels of the model.
    behaviours
        Those that differ from a label of its own; the others are added.
    version
        Number of saves so far.

    Raises
    ------
    BadInput
        Labels that the model does not have or that occur twice, or values that cannot be used; all problems are
        reported together.
    """

    model: str
    count: int
    behaviours: tuple[Behaviour, ...] = ()
    version: int = 0

    def __post_init__(self) -> None:
        raise_all(_problems(self.behaviours, self.count))
        given = [replace(one, labels=tuple(sorted(one.labels))) for one in self.behaviours]
        missing = set(range(self.count)) - {label for one in given for label in one.labels}
        every = [*given, *(Behaviour((label,)) for label in missing)]
        names = [one.shown_name for one in every]
        raise_all(
            f"two behaviours are called {name!r}: merge their labels, or give them two names"
            for name in sorted({name for name in names if names.count(name) > 1})
        )
        object.__setattr__(self, "behaviours", tuple(sorted(every, key=lambda one: one.number)))

    def of(self, label: int) -> Behaviour:
        """The behaviour of a label; that of -1 has no name."""
        if label < 0:
            return Behaviour((-1,), colour=UNSURE_COLOUR)
        return next(one for one in self.behaviours if label in one.labels)

    def numbers(self) -> list[int]:
        """Number of the behaviour of each label."""
        return [self.of(label).number for label in range(self.count)]

    def places(self) -> list[int]:
        """Place of the behaviour of each label among the behaviours."""
        place = {one.number: i for i, one in enumerate(self.behaviours)}
        return [place[number] for number in self.numbers()]

    def names(self) -> list[str]:
        """Name of the behaviour of each label, and at the end that of the label -1, which is empty."""
        return [*(self.of(label).shown_name for label in range(self.count)), ""]

    def digest(self) -> str:
        """Digest of what tables show of it: merged labels and names."""
        return files.digest_of([self.numbers(), self.names()])

    def changed(self, label: int, **values: Any) -> Behaviours:
        """With other values of the behaviour of a label."""
        _check_labels([label], self.count)
        at = self.of(label)
        return replace(self, behaviours=tuple(replace(one, **values) if one is at else one for one in self.behaviours))

    def merged(self, labels: Sequence[int], name: str = "") -> Behaviours:
        """With labels, and those already merged with them, as one behaviour.

        It has the name that is given, or else the first that one of them has; so for description and colour.
        """
        _check_labels(labels, self.count)
        parts = [one for one in self.behaviours if set(one.labels) & set(labels)]
        together = Behaviour(
            tuple(sorted(label for one in parts for label in one.labels)),
            name or _first(one.name for one in parts),
            _first(one.description for one in parts),
            _first(one.colour for one in parts),
            all(one.hidden for one in parts),
        )
        others = tuple(one for one in self.behaviours if one not in parts)
        return replace(self, behaviours=(*others, together))

    def separated(self, label: int) -> Behaviours:
        """With each label of the behaviour of a label on its own; the smallest keeps name, description and colour."""
        _check_labels([label], self.count)
        at = self.of(label)
        others = tuple(one for one in self.behaviours if one is not at)
        return replace(self, behaviours=(*others, replace(at, labels=at.labels[:1])))

    def to_toml(self) -> str:
        """Content of ``behaviours.toml``, without the labels of which nothing is said."""
        lines = [
            "# Names of the labels of one model. `labels = [4, 7]` merges labels 4 and 7.",
            f"model = {toml_value(self.model)}",
            f"version = {self.version}",
        ]
        for one in self.behaviours:
            if one != Behaviour(one.labels[:1]):
                values = ((key, getattr(one, key)) for key in KEYS)
                lines += ["", "[[behaviours]]", *(f"{key} = {toml_value(value)}" for key, value in values)]
        return "\n".join(lines) + "\n"


def from_tables(tables: dict[str, Any], model: str, count: int) -> Behaviours:
    """Behaviours from the tables of a file, or from the page; unknown keys and wrong types are refused."""
    given, version = tables.get("behaviours", []), tables.get("version", 0)
    problems = [f"unknown key {key!r}" for key in tables.keys() - {"model", "version", "behaviours"}]
    if type(version) is not int or version < 0:
        problems.append(f"version = {version!r}; expected a whole number from 0")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise_all([*problems, "behaviours are no list of tables; expected [[behaviours]]"])
    for one in given:
        problems += [f"unknown key {key!r} in [[behaviours]]; expected {', '.join(KEYS)}" for key in one.keys() - KEYS]
        problems += [
            f"{key} = {one[key]!r}; expected a {'list' if kind is list else 'text' if kind is str else 'true or false'}"
            for key, kind in KEYS.items()
            if key in one and type(one[key]) is not kind
        ]
        if "labels" not in one:
            problems.append("a behaviour without labels; expected labels = [0]")
    raise_all(problems)
    return Behaviours(
        model, count, tuple(Behaviour(**{**one, "labels": tuple(one["labels"])}) for one in given), version
    )


def _first(values: Iterable[str]) -> str:
    return next(filter(None, values), "")


def _check_labels(labels: Iterable[int], count: int) -> None:
    raise_all(
        f"there is no label {label}; the model has 0 to {count - 1}" for label in labels if not 0 <= label < count
    )


def _problems(behaviours: Sequence[Behaviour], count: int) -> list[str]:
    """A sentence for each value that cannot be used."""
    problems = []
    listed: list[int] = []
    for one in behaviours:
        wrong = [label for label in one.labels if type(label) is not int or not 0 <= label < count]
        problems += [f"label {label!r} is none of this model; expected 0 to {count - 1}" for label in wrong]
        if not one.labels:
            problems.append("a behaviour without labels; expected labels = [0]")
        if one.colour and not COLOUR.fullmatch(one.colour):
            problems.append(f"the colour is {one.colour!r}; expected one like '#0072b2'")
        if len(one.name) > LONGEST_NAME or any(ord(letter) < 32 for letter in one.name):
            problems.append(f"the name {one.name[:30]!r} is too long or has line breaks; expected up to {LONGEST_NAME}")
        listed += one.labels
    problems += [f"label {label} is in two behaviours" for label in sorted({x for x in listed if listed.count(x) > 1})]
    return problems
