"""Plain values are read from pickles of every protocol; nothing else is, and nothing is ever called."""

import contextlib
import math
import os
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.io.restricted_pickle import PythonObject, loads

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


class Command:
    """Runs a command where it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


class Persistent(pickle.Pickler):
    def persistent_id(self, obj):
        return "any" if isinstance(obj, int) else None


@given(VALUES, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_values_come_back(value, protocol):
    assert repr(loads(pickle.dumps(value, protocol))) == repr(value)  # NaN too


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_bytes_come_back(protocol):
    assert loads(pickle.dumps([b"a\0", b"x" * 300], protocol)) == [b"a\0", b"x" * 300]


def test_texts_and_numbers_as_python_2_wrote_them():
    written = (
        b"(lp1\n(S'net'\np2\nS'tail\\'s'\np3\nVd\\u00e9j\xe0\np4\ng2\nI1\nI01\nL7L\nF0.5\nN(dp5\nS'a'\n(lp6\nstp7\na."
    )
    assert loads(written) == [("net", "tail's", "déjà", "net", 1, True, 7, 0.5, None, {"a": []})]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("wrap", [lambda bad: bad, lambda bad: [("net", bad)], lambda bad: {1: bad}])
def test_nothing_is_called(tmp_path, protocol, wrap):
    marker = tmp_path / "marker"
    written = pickle.dumps(wrap(Command(f"touch {marker}")), protocol)
    with pytest.raises(PythonObject):
        loads(written)
    assert not marker.exists()
    pickle.loads(written)
    assert marker.exists()  # the pickle is what it should be


@pytest.mark.parametrize(
    "written",
    [
        b"(S'touch x'\niposix\nsystem\n.",
        b"(cposix\nsystem\nS'touch x'\no.",
        b"cos\nsystem\n.",
        b"Pany\n.",
        b"\x80\x02K\x01Q.",
        b"\x80\x02\x82\x01.",  # of the registry of extensions
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x02]}b.",
        b"]2.",  # the same list again
        pickle.dumps(np.int64(1), 0),
        pickle.dumps(np.array(["a", 1], dtype=object)),
        pickle.dumps(math.sin, 4),
        pickle.dumps({1, 2}, 4),
        pickle.dumps(bytearray(b"a"), 5),
        pickle.dumps(1j),
    ],
)
def test_instructions_that_build_no_plain_value_are_refused(written):
    with pytest.raises(PythonObject):
        loads(written)


def test_persistent_ids_are_refused(tmp_path):
    with (tmp_path / "p").open("wb") as file:
        Persistent(file).dump(["a", 1])
    with pytest.raises(PythonObject):
        loads((tmp_path / "p").read_bytes())


def test_small_pickles_of_large_values_are_refused():
    doubled = []
    for _ in range(60):
        doubled = [doubled, doubled]
    itself = []
    itself.append(itself)
    huge = sys.maxsize.to_bytes(8, "little")
    for written in (pickle.dumps(doubled), pickle.dumps(itself), b"\x8e" + huge + b"x.", b"\x8d" + huge + b"x."):
        with pytest.raises(ValueError, match=r"twice|expected|bytes"):
            loads(written)
    assert loads(b"Vx\nr\xff\xff\xff\xff.") == "x"  # a place in the memo costs nothing


@given(st.binary(max_size=60) | st.tuples(VALUES, st.integers(0, 5)).map(lambda both: pickle.dumps(*both)), st.data())
def test_damaged_pickles_give_a_value_or_an_error(written, data):
    damaged = bytearray(written)
    for _ in range(data.draw(st.integers(0, 3))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError, PythonObject):
        loads(bytes(damaged))


@pytest.mark.parametrize("written", [b"", b".", b"(.", b"I1\n", b"I1\nI2\n.", b"t.", b"I1\na.", b"(I1\nd.", b"g9\n."])
def test_damage(written):
    with pytest.raises(ValueError):  # noqa: PT011 - the words are those of pickletools
        loads(written)
