"""Groups, datasets, texts and numbers of HDF5 files."""

import io
import struct
from pathlib import Path

import h5py
import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import hdf5, hdf5_heaps

PATH = Path("m.h5")


@pytest.fixture
def file():
    with h5py.File(io.BytesIO(), "w") as file:
        file["group/values"] = np.arange(6.0)
        file["group/again"] = h5py.SoftLink("/group/values")
        file["group/relative"] = h5py.SoftLink("values")
        file["group/elsewhere"] = h5py.ExternalLink("other.h5", "/values")
        file["through"] = h5py.SoftLink("/group/elsewhere")
        file["gone"] = h5py.SoftLink("/nowhere")
        file["circle"] = h5py.SoftLink("/circle")
        yield file


def test_items_by_their_path(file):
    group = hdf5.item(file, "group")
    for name in ("values", "again", "relative", "/group/values"):
        assert hdf5.item(group, name) == file["group/values"]
        assert hdf5.dataset(group, name).shape == (6,)
    for name in ("gone", "nowhere", "group/values/x", "group/nowhere/x"):
        assert hdf5.item(file, name) is None
        assert hdf5.optional(file, name) is None
        with pytest.raises(KeyError, match="has no dataset"):
            hdf5.dataset(file, name)
    with pytest.raises(KeyError, match="no dataset 'group'"):
        hdf5.dataset(file, "group")
    with pytest.raises(hdf5.DAMAGED):
        hdf5.item(file, "circle")


@pytest.mark.parametrize("name", ["group/elsewhere", "through", "group/elsewhere/x"])
def test_no_link_leads_to_another_file(file, name):
    for read in (hdf5.item, hdf5.dataset, hdf5.optional):
        with pytest.raises(ValueError, match="is in another file"):
            read(file, name)


def test_values_that_are_not_in_the_file_are_refused(file, tmp_path):
    (tmp_path / "raw").write_bytes(bytes(80))
    file.create_dataset("raw", (10,), "f8", external=[(str(tmp_path / "raw"), 0, 80)])
    layout = h5py.VirtualLayout((6,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "values", (6,))
    file.create_virtual_dataset("virtual", layout)
    file.create_dataset("unwritten", (10**9,), "f8", chunks=(1000,))
    for name, message in (("raw", "in another file"), ("virtual", "in another file"), ("unwritten", "1,000,000,000")):
        with pytest.raises(ValueError, match=message):
            hdf5.dataset(file, name)


def test_numbers_are_of_the_kinds_that_are_wanted():
    assert hdf5.numbers(np.array([1, 2], np.uint8)).dtype == np.float64
    with pytest.raises(TypeError, match="float64 stand where whole numbers"):
        hdf5.numbers(np.array([1.0]), "biu", np.int64)
    with pytest.raises(TypeError, match="where numbers are expected"):
        hdf5.numbers(np.array([b"1"]))


def test_texts(file):
    file["names"] = ["nose", "Öhr"]
    file["fixed"] = np.array([b"nose", "Öhr".encode()])
    file["characters"] = np.array([list("ab\0"), list("cde")], "S1")
    file["numbers"], file["bad"] = [1, 2], np.array([b"\xff"])
    assert hdf5.texts(file["names"]) == hdf5.texts(file["fixed"]) == ("nose", "Öhr")
    assert hdf5.texts(file["characters"]) == ("ab", "cde")
    assert hdf5.texts(file["numbers"]) == ("1", "2")
    with pytest.raises(ValueError, match="utf-8"):
        hdf5.texts(file["bad"])


def test_single_attributes(file):
    file.attrs.update({"text": "a", "bytes": np.bytes_("b"), "array": [3.0], "number": 4, "none": []})
    values = [hdf5.attribute(file, name) for name in ("text", "bytes", "array", "number", "none", "nowhere")]
    assert values == ["a", "b", 3.0, 4, None, None]


def with_text():
    """A file with a text of any length, and where the free space of its heap begins."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["name"] = "mouse"
    data = buffer.getvalue()
    return data, data.index(hdf5_heaps.SIGNATURE) + hdf5_heaps.HEADER_BYTES + hdf5_heaps.OBJECT.size + 8


def test_a_heap_that_is_read_forever_is_refused(tmp_path):
    data, free = with_text()
    number, size = hdf5_heaps.OBJECT.unpack_from(data, free)
    assert (number, size > 0) == (0, True)
    with hdf5.opened(data, PATH, "any") as content:
        assert hdf5.attribute(content, "name") == "mouse"
    damaged = bytearray(data)
    struct.pack_into("<Q", damaged, free + 8, 0)
    with pytest.raises(BadInput, match="an object of size 0"), hdf5.opened(bytes(damaged), PATH, "any"):
        pass
    path = tmp_path / "m.h5"
    for content, whole in ((data, True), (bytes(damaged), False)):
        path.write_bytes(content)
        assert hdf5.is_like(path, lambda file: "name" in file.attrs) == whole
        with path.open("rb") as file:
            assert hdf5_heaps.is_endless_file(file) != whole
        path.unlink()


def test_heaps_at_the_end_of_a_file_that_is_cut_short():
    data, free = with_text()
    start = data.index(hdf5_heaps.SIGNATURE)
    assert not any(hdf5_heaps.is_endless(data[:end]) for end in range(start, free + 20))


def written(fill):
    file = io.BytesIO()
    with h5py.File(file, "w") as content:
        fill(content)
    return bytearray(file.getvalue())


def read(data, use):
    with hdf5.opened(bytes(data), Path("a.h5"), "a file of the test") as content:
        return use(content)


def test_types_that_are_neither_numbers_nor_strings():
    def fill(content):
        content.create_dataset("lists", 2, h5py.vlen_dtype(np.int64))
        content.create_dataset("links", 2, h5py.ref_dtype)
        content.attrs["link"] = content.ref

    data = written(fill)
    for name in ("lists", "links"):
        with pytest.raises(BadInput, match="neither real numbers nor strings"):
            read(data, lambda content, name=name: hdf5.dataset(content, name))
    with pytest.raises(BadInput, match="neither real numbers nor strings"):
        read(data, lambda content: hdf5.attribute(content, "link"))
    with pytest.raises(BadInput, match="neither real numbers nor strings"):
        read(data, lambda content: hdf5.texts(content["links"]))


def test_fields_that_overlap():
    """h5py reads a number of 8 bytes with an unusual exponent into 16, in a row that leaves 8."""
    unusual = h5py.h5t.IEEE_F64LE.copy()
    unusual.set_ebias(255)
    row = h5py.h5t.create(h5py.h5t.COMPOUND, 24)
    for place, (name, kind) in enumerate({b"x": unusual, b"y": h5py.h5t.IEEE_F64LE}.items()):
        row.insert(name, 8 * place, kind)
    data = written(lambda content: h5py.h5d.create(content.id, b"points", row, h5py.h5s.create_simple((4,))))
    with pytest.raises(BadInput, match="neither real numbers nor strings"):
        read(data, lambda content: hdf5.dataset(content, "points"))
