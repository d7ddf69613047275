"""No code that an HDF5 file holds is run, and no other file is opened by it."""

import contextlib
import os
import pickle
import re

import dlc
import h5py
import numpy as np
import pandas as pd
import pytest
import tables
from dlc_hdf5 import FORMATS, frame, write

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import outline, read_pose
from bsoid_gpu.io.deeplabcut_hdf5 import sniff_hdf5


def nodes(path):
    """Name of every group and dataset of a file."""
    names = ["/"]
    with h5py.File(path) as file:
        file.visit(names.append)
    return [name for name in names if "_i_table/" not in name]


class Command:
    """Runs a command where it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def message_of(path, cpu):
    """Why a file is refused; empty where it is read."""
    try:
        read_pose(path, 30, cpu)
        outline(path)
    except BadInput as error:
        return str(error)
    return ""


@pytest.mark.parametrize("format_", FORMATS)
def test_no_attribute_of_a_file_runs_a_command(tmp_path, cpu, format_):
    path = write(tmp_path / "good.h5", frame(dlc.wander(20, 1), ("nose",)), format=format_)
    content, marker = path.read_bytes(), tmp_path / "marker"
    command = pickle.dumps(Command(marker), 0)
    refused, crafted = set(), tmp_path / "m.h5"
    for node in nodes(path):
        with h5py.File(path) as file:
            attributes = {*file[node].attrs, "unknown"} - {"CLASS", "TITLE", "VERSION", "FLAVOR"}
        for name in attributes:
            crafted.write_bytes(content)
            with h5py.File(crafted, "a") as file:
                file[node].attrs[name] = np.bytes_(command)
            message = message_of(crafted, cpu)
            assert not marker.exists(), (node, name)
            assert sniff_hdf5(crafted)
            if message:
                assert "holds a Python object" in message, (node, name)
                refused.add(name)
    needed = {"table": {"info", "non_index_axes", "values_block_0_kind"}, "fixed": {"axis0_nlevels", "name", "nblocks"}}
    assert refused >= {"pandas_type", *needed[format_]}


def test_a_crafted_attribute_is_what_would_run_a_command(tmp_path, cpu):
    path = write(tmp_path / "m.h5", frame(dlc.wander(20)), format="table")
    with h5py.File(path, "a") as file:
        file["df_with_missing"].attrs["info"] = np.bytes_(pickle.dumps(Command(tmp_path / "marker"), 0))
    message = message_of(path, cpu)
    assert all(part in message for part in ("m.h5", "'posix system'", "could run any command", "to_csv"))
    assert not (tmp_path / "marker").exists()
    with contextlib.suppress(Exception):
        pd.read_hdf(path)
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize("name", ["axis0_level1", "axis0_label1", "block0_items_level2", "block0_values", "axis1"])
@pytest.mark.parametrize("wrap", [lambda bad: bad, lambda bad: np.array([bad], dtype=object), lambda bad: ["a", bad]])
def test_no_array_of_objects_runs_a_command(tmp_path, cpu, name, wrap):
    path = write(tmp_path / "m.h5", frame(dlc.wander(20)), format="fixed")
    marker = tmp_path / "marker"
    replace_by_objects(path, name, wrap(Command(marker)))
    assert re.search(f"holds a Python object .*{name}", message_of(path, cpu))
    assert sniff_hdf5(path)
    assert not marker.exists()
    with contextlib.suppress(Exception):
        pd.read_hdf(path)
    assert marker.exists()


def replace_by_objects(path, name, content):
    """Replace an array of a table in the fixed format by pickled objects, as PyTables stores them."""
    with tables.open_file(path, "a") as file:
        former = file.get_node(f"/df_with_missing/{name}")
        attributes = {key: former._v_attrs[key] for key in ("kind", "name", "transposed") if key in former._v_attrs}
        former.remove()
        array = file.create_vlarray("/df_with_missing", name, tables.ObjectAtom())
        array.append(content)
        for key, value in attributes.items():
            array._v_attrs[key] = value


def test_what_is_not_read_is_not_opened(tmp_path, cpu):
    path = write(tmp_path / "m.h5", frame(dlc.wander(20)), format="fixed")
    with tables.open_file(path, "a") as file:
        file.create_vlarray("/", "objects", tables.ObjectAtom()).append(Command(tmp_path / "marker"))
        file.root._v_attrs["any"] = Command(tmp_path / "marker")
    assert read_pose(path, 30, cpu).frames == 20
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("format_", FORMATS)
def test_other_files_are_not_opened(tmp_path, cpu, format_):
    path = write(tmp_path / "m.h5", frame(dlc.wander(20)), format=format_)
    write(tmp_path / "other.h5", frame(dlc.wander(20)), format=format_)
    name = "df_with_missing/" + ("table" if format_ == "table" else "block0_values")
    with h5py.File(path, "a") as file:
        del file[name]
        file[name] = h5py.ExternalLink(str(tmp_path / "other.h5"), f"/{name}")
    assert "in another file" in message_of(path, cpu)
    (tmp_path / "numbers").write_bytes(dlc.wander(20).tobytes())
    path = write(tmp_path / "raw.h5", frame(dlc.wander(20)), format="fixed")
    with h5py.File(path, "a") as file:
        del file["df_with_missing/block0_values"]
        block = file.create_dataset(
            "df_with_missing/block0_values", (20, 12), "f8", external=[(str(tmp_path / "numbers"), 0, 20 * 12 * 8)]
        )
        block.attrs["transposed"] = 1
    assert "in another file" in message_of(path, cpu)


def test_numbers_that_a_file_claims_and_does_not_hold(tmp_path, cpu):
    path = write(tmp_path / "m.h5", frame(dlc.wander(20)), format="table")
    with h5py.File(path, "a") as file:
        file["df_with_missing/table"].resize((10**13,))
    assert "claims 10,000,000,000,000 values" in message_of(path, cpu)
