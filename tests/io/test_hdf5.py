"""HDF5 files with damage on which libhdf5 or h5py would crash or never end."""

import io
from pathlib import Path

import h5py
import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.hdf5 import HEAP, attribute, opened, stored, texts


def written(fill):
    file = io.BytesIO()
    with h5py.File(file, "w") as content:
        fill(content)
    return bytearray(file.getvalue())


def read(data, use):
    with opened(bytes(data), Path("a.h5"), "a file of the test") as content:
        return use(content)


def test_strings_of_every_kind():
    def fill(content):
        content["fixed"] = np.array([b"nose", "é".encode()])
        content["variable"] = ["nose", "é"]
        content["none"] = np.zeros(0)
        content.attrs["text"], content.attrs["bytes"], content.attrs["number"] = "é", np.bytes_("é".encode()), 1.5

    data = written(fill)
    assert read(data, lambda content: texts(content["fixed"])) == ("nose", "é")
    assert read(data, lambda content: texts(content["variable"])) == ("nose", "é")
    assert read(data, lambda content: texts(content["none"])) == ()
    assert read(data, lambda content: [attribute(content, name) for name in ("text", "bytes", "number")]) == [
        "é",
        "é",
        1.5,
    ]


def test_a_heap_of_strings_that_would_be_read_without_end(tmp_path):
    data = written(lambda content: content.create_dataset("names", data=["nose", "tail"]))
    assert read(data, lambda content: texts(content["names"])) == ("nose", "tail")
    free = data.index(HEAP) + 16 + 2 * (16 + 8)  # after the header of the heap and two strings
    size = int.from_bytes(data[free + 8 : free + 16], "little")
    assert free + size == data.index(HEAP) + 4096
    data[free + 8 : free + 16] = (size - 64).to_bytes(8, "little")  # an object of size 0 follows
    with pytest.raises(BadInput, match=r"'a.h5' is not a file of the test, or it is damaged: the heap of strings"):
        read(data, lambda content: texts(content["names"]))
    (tmp_path / "a.h5").write_bytes(data)
    with (
        (tmp_path / "a.h5").open("rb") as file,
        pytest.raises(BadInput, match="the heap of strings"),
        opened(file, tmp_path / "a.h5", "a file of the test") as content,
    ):
        texts(content["names"])


def test_types_that_are_neither_numbers_nor_strings():
    def fill(content):
        content.create_dataset("lists", 2, h5py.vlen_dtype(np.int64))
        content.create_dataset("links", 2, h5py.ref_dtype)
        content.attrs["link"] = content.ref

    data = written(fill)
    for name in ("lists", "links"):
        with pytest.raises(BadInput, match="neither numbers nor strings"):
            read(data, lambda content, name=name: stored(content, name))
    with pytest.raises(BadInput, match="neither numbers nor strings"):
        read(data, lambda content: attribute(content, "link"))
    with pytest.raises(BadInput, match="neither numbers nor strings"):
        read(data, lambda content: texts(content["links"]))


def test_fields_that_overlap():
    """h5py reads a number of 8 bytes with an unusual exponent into 16, in a row that leaves 8."""
    unusual = h5py.h5t.IEEE_F64LE.copy()
    unusual.set_ebias(255)
    row = h5py.h5t.create(h5py.h5t.COMPOUND, 24)
    for place, (name, kind) in enumerate({b"x": unusual, b"y": h5py.h5t.IEEE_F64LE}.items()):
        row.insert(name, 8 * place, kind)
    data = written(lambda content: h5py.h5d.create(content.id, b"points", row, h5py.h5s.create_simple((4,))))
    with pytest.raises(BadInput, match="neither numbers nor strings"):
        read(data, lambda content: stored(content, "points"))
