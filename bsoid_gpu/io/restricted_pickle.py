"""Plain values from a pickle: nothing that it names is imported, and nothing is called.

A pickle is a program for a small stack machine, some of whose instructions import and call whatever the pickle names.
This machine has only the instructions that build plain values. No container is used twice, so that a value is a tree
that is no larger than its pickle, and memory and time are proportional to the bytes.
"""

from __future__ import annotations

import pickletools
from typing import Any

Plain = None | bool | int | float | str | bytes | list[Any] | tuple[Any, ...] | dict[Any, Any]

CONSTANTS: dict[str, Plain] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
SCALARS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
CONTAINERS: dict[str, type] = {"LIST": list, "TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
DICTS = {"DICT", "EMPTY_DICT"}
SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
STORE = {"PUT", "BINPUT", "LONG_BINPUT"}
RECALL = {"GET", "BINGET", "LONG_BINGET"}
NO_EFFECT = {"PROTO", "FRAME", "STOP"}
MARK = object()


class PythonObject(Exception):
    """The pickle holds something else than plain values; opening it with :mod:`pickle` could run any command."""


def loads(data: bytes) -> Plain:
    """The value of a pickle of any protocol: None, numbers, texts, bytes, and lists, tuples and dicts of them.

    Raises
    ------
    PythonObject
        An instruction that would import, call or look up something.
    ValueError
        It is damaged, or it uses a container twice.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(data):
            machine.run(opcode.name, argument)
        (value,) = machine.stack
    except (LookupError, TypeError, OverflowError) as error:
        msg = f"a damaged pickle: {error}"
        raise ValueError(msg) from error
    if value is MARK:
        msg = "a damaged pickle: no value"
        raise ValueError(msg)
    return value


class _Machine:
    """The stack of values, and the memo of those that are used again."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, name: str, argument: Any) -> None:
        """Run one instruction, whose names are those of :mod:`pickletools`."""
        if name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in SCALARS:
            self.stack.append(argument)
        elif name == "MARK":
            self.stack.append(MARK)
        elif name in CONTAINERS:
            self.stack.append(CONTAINERS[name](() if name.startswith("EMPTY") else self.since_mark()))
        elif name in SHORT_TUPLES:
            self.stack.append(tuple(self.last(SHORT_TUPLES[name])))
        elif name in DICTS:
            self.stack.append(_pairs([] if name.startswith("EMPTY") else self.since_mark()))
        elif name in ("APPEND", "APPENDS"):
            values = self.last(1) if name == "APPEND" else self.since_mark()
            self.target(list).extend(values)
        elif name in ("SETITEM", "SETITEMS"):
            values = self.last(2) if name == "SETITEM" else self.since_mark()
            self.target(dict).update(_pairs(values))
        elif name in STORE or name == "MEMOIZE":
            self.memo[len(self.memo) if name == "MEMOIZE" else argument] = self.stack[-1]
        elif name in RECALL:
            self.stack.append(self.recall(argument))
        elif name not in NO_EFFECT:
            raise PythonObject(name if argument is None else str(argument)[:60])

    def last(self, number: int) -> list[Any]:
        """Take that many values from the stack."""
        values = self.stack[-number:]
        if len(values) < number or any(value is MARK for value in values):
            msg = "too few values"
            raise IndexError(msg)
        del self.stack[-number:]
        return values

    def since_mark(self) -> list[Any]:
        """Take the values since the last mark, and the mark."""
        start = len(self.stack) - 1
        while self.stack[start] is not MARK:
            start -= 1
            if start < 0:
                msg = "no mark"
                raise IndexError(msg)
        values = self.stack[start + 1 :]
        del self.stack[start:]
        return values

    def target(self, kind: type) -> Any:
        """The container on top of the stack."""
        if type(self.stack[-1]) is not kind:
            msg = f"expected a {kind.__name__}"
            raise TypeError(msg)
        return self.stack[-1]

    def recall(self, number: int) -> Any:
        """A scalar of the memo."""
        value = self.memo[number]
        if value is MARK or isinstance(value, list | tuple | dict):
            msg = "a container is used twice"
            raise ValueError(msg)
        return value


def _pairs(values: list[Any]) -> dict[Any, Any]:
    return dict(zip(values[::2], values[1::2], strict=True))
