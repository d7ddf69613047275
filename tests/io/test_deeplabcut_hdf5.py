"""DeepLabCut HDF5 files: the tables that pandas reads from them."""

import contextlib
from pathlib import Path

import dlc
import h5py
import numpy as np
import pandas as pd
import pytest
from dlc_hdf5 import FORMATS, frame, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import find_sessions, formats, hdf5, outline, pandas_hdf5, parse_pose, read_pose
from bsoid_gpu.io.deeplabcut_hdf5 import sniff_hdf5


def refuse(path, cpu, *parts):
    with pytest.raises(BadInput) as caught:
        read_pose(path, 30, cpu)
    for part in (path.name, *parts):
        assert part in str(caught.value)


def as_pandas_reads_it(path):
    """Assert that each table is what pandas makes of it, and return how many there are."""
    with hdf5.opened(path.read_bytes(), path, "HDF5") as file:
        read = pandas_hdf5.tables(file, ())
        for table in read:
            expected = pd.read_hdf(path, table.key)
            index, numbers = table.read(range(len(table.columns)))
            assert table.levels == tuple(map(str, expected.columns.names))
            assert table.columns == [tuple(map(str, names)) for names in expected.columns]
            assert table.rows == len(expected)
            assert [str(name) for name in index] == [
                "/".join(name) if isinstance(name, tuple) else str(name) for name in expected.index
            ]
            np.testing.assert_array_equal(numbers, expected.to_numpy(dtype=float))
    return len(read)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("key", ["df_with_missing", "any key", "a/b"])
def test_either_format_under_any_key(tmp_path, cpu, arrays, format_, key):
    values = dlc.wander(40)
    path = write(tmp_path / "m.h5", frame(values), key, format=format_)
    pose = read_pose(path, 30, cpu, ("tail/base", "snout"))
    assert pose.keypoints == ("tail/base", "snout")
    assert np.array_equal(pose.position[:, 0], values[:, [3, 0], :2])
    assert np.array_equal(pose.confidence[:, 0], values[:, [3, 0], 2])
    assert pose.notes == ()
    elsewhere = read_pose(path, 30, arrays)
    assert np.array_equal(arrays.to_host(elsewhere.position)[:, 0], values[..., :2])


@pytest.mark.parametrize("format_", FORMATS)
def test_individuals_and_their_order(tmp_path, cpu, format_):
    values = dlc.wander(20, 4)
    path = write(tmp_path / "m.h5", frame(values, ("nose", "tail"), ("b", "a")), format=format_)
    pose = read_pose(path, 30, cpu, individuals=("a", "b"))
    assert pose.individuals == ("a", "b")
    assert np.array_equal(pose.position.reshape(20, 4, 2), values[:, [2, 3, 0, 1], :2])
    assert read_pose(path, 30, cpu).individuals == ("b", "a")
    assert outline(path)[:3] == (20, ("nose", "tail"), 2)


names_of_people = st.lists(st.text("abc ,./-_é日", min_size=1, max_size=8), min_size=1, max_size=4, unique=True)
indices = st.sampled_from(["from 0", "from 100", "floats", "images", "folders and images", "named"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    names=names_of_people | st.just([1, 2]) | st.just([np.nan, "b"]),
    frames=st.integers(0, 20),
    seed=st.integers(0, 2**32 - 1),
    types=st.lists(st.sampled_from(["f8", "f4", "i8", "i2", "?"]), min_size=1, max_size=4),
    index=indices,
    format_=st.sampled_from(FORMATS),
    zlib=st.booleans(),
)
def test_every_number_and_name_is_what_pandas_reads(tmp_path, names, frames, seed, types, index, format_, zlib):
    values = np.random.default_rng(seed).normal(300, 100, (frames, len(names), 3))
    table = frame(values, names)
    table = table.astype({name: types[number % len(types)] for number, name in enumerate(table.columns)})
    images = [f"img{number:03d}.png" for number in range(frames)]
    if index == "folders and images" and frames and format_ == "fixed":
        table.index = pd.MultiIndex.from_product([["labeled-data"], ["mouse"], images])
    elif index == "images" and frames:
        table.index = images
    elif index == "floats":
        table.index = np.arange(frames) + 0.5
    elif index == "from 100":
        table.index = np.arange(100, 100 + frames)
    elif index == "named":
        table.index.name = "frame."
    written = write(tmp_path / "m.h5", table, "k", mode="w", format=format_, **({"complib": "zlib"} if zlib else {}))
    # pandas writes nothing in the format `table` where there are no rows
    assert as_pandas_reads_it(written) == (0 if format_ == "table" and frames == 0 else 1)


def test_real_files_are_what_pandas_reads(recordings):
    files = [path for path in recordings.rglob("*.h5") if sniff_hdf5(path)]
    assert len(files) >= 4
    for path in files:
        assert as_pandas_reads_it(path) == 1


def test_hand_checked_numbers_of_a_real_file(recordings, cpu):
    pose = read_pose(recordings / "formats/madlc/testDLC_h5_table_madlc.h5", 30, cpu)
    assert pose.individuals == ("mouse_black_tail", "mouse_white_tail")
    assert pose.position.shape == (100, 2, 14, 2)


def test_an_older_format_without_transposed_blocks(tmp_path, cpu):
    values = dlc.wander(20)
    path = write(tmp_path / "m.h5", frame(values), format="fixed")
    with h5py.File(path, "a") as file:
        block = file["df_with_missing/block0_values"]
        numbers, attributes = block[()], dict(block.attrs)
        del file["df_with_missing/block0_values"], attributes["transposed"]
        block = file.create_dataset("df_with_missing/block0_values", data=numbers.T)
        block.attrs.update({name: np.bytes_(value) for name, value in attributes.items() if isinstance(value, bytes)})
    assert as_pandas_reads_it(path) == 1
    assert np.array_equal(read_pose(path, 30, cpu).position[:, 0], values[..., :2])


def python_2(value):
    """A pickle as Python 2 wrote it: names are bytes."""
    if isinstance(value, str):
        return f"S{value!r}\n".encode()
    if isinstance(value, int):
        return f"I{value}\n".encode()
    if isinstance(value, list):
        return b"(l" + b"".join(python_2(item) + b"a" for item in value)
    if isinstance(value, tuple):
        return b"(" + b"".join(map(python_2, value)) + b"t"
    return b"(d" + b"".join(python_2(key) + python_2(item) + b"s" for key, item in value.items())


def test_names_that_python_2_wrote(tmp_path, cpu):
    values = dlc.wander(20)
    path = write(tmp_path / "m.h5", frame(values), format="table")
    names = list(frame(values).columns)
    info = {1: {"names": ["scorer", "bodyparts", "coords"], "type": "MultiIndex"}, "index": {}}
    with h5py.File(path, "a") as file:
        group = file["df_with_missing"]
        group.attrs["info"] = np.bytes_(python_2(info) + b".")
        group.attrs["non_index_axes"] = np.bytes_(python_2([(1, names)]) + b".")
        group["table"].attrs["values_block_0_kind"] = np.bytes_(python_2(names) + b".")
    assert as_pandas_reads_it(path) == 1
    assert read_pose(path, 30, cpu).keypoints == dlc.NAMES


def test_frame_numbers_are_those_of_the_index(tmp_path, cpu):
    table = frame(dlc.wander(20)).set_axis(np.arange(100, 120))
    for format_ in FORMATS:
        pose = read_pose(write(tmp_path / f"{format_}.h5", table, format=format_), 30, cpu)
        assert pose.frame_numbers.tolist() == list(range(100, 120))
        assert "begin at number 100" in pose.notes[0]
    shuffled = table.iloc[::-1]
    pose = read_pose(write(tmp_path / "m.h5", shuffled, format="table"), 30, cpu)
    assert np.array_equal(pose.position[:, 0, :, 0], table.to_numpy()[:, ::3])


@pytest.mark.parametrize("format_", FORMATS)
def test_rows_that_are_no_frames(tmp_path, cpu, format_):
    table = frame(dlc.wander(4))
    images = table.set_axis([f"labeled-data/mouse/img{number}.png" for number in range(4)])
    refuse(write(tmp_path / "images.h5", images, format=format_), cpu, "labeled-data/mouse/img0.png", "labelling")
    times = table.set_axis(np.arange(4) / 30)
    refuse(write(tmp_path / "times.h5", times, format=format_), cpu, "row 2 has 0.033")
    days = table.set_axis(pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-04", "2020-01-05"]))
    refuse(write(tmp_path / "days.h5", days, format=format_), cpu, "datetime64", "number of the frame")


def test_images_named_by_folder_and_file(tmp_path, cpu):
    index = pd.MultiIndex.from_product([["labeled-data"], ["mouse"], ["img1.png", "img2.png"]])
    path = write(tmp_path / "m.h5", frame(dlc.wander(2)).set_axis(index), format="fixed")
    refuse(path, cpu, "'labeled-data/mouse/img1.png' is not a frame number")


@pytest.mark.parametrize("format_", FORMATS)
def test_columns_that_belong_to_no_keypoint_are_left_out_with_a_note(tmp_path, cpu, format_):
    values = dlc.wander(20)
    table = frame(values).droplevel("scorer", axis=1)
    table.insert(3, ("frame_time", ""), np.arange(20) / 30)
    table["pose_time", ""] = np.arange(20) / 30
    pose = read_pose(write(tmp_path / "m.h5", table, format=format_), 30, cpu)
    assert pose.keypoints == dlc.NAMES
    assert np.array_equal(pose.position[:, 0], values[..., :2])
    assert pose.notes == ("the columns 'frame_time', 'pose_time' have no x and y and are left out",)


def test_text_that_belongs_to_no_keypoint_is_not_read(tmp_path, cpu):
    table = frame(dlc.wander(20))
    table["net", "comment", "text"] = "abc"
    for format_ in FORMATS:
        assert read_pose(write(tmp_path / f"{format_}.h5", table, format=format_), 30, cpu).frames == 20


def test_text_and_categories_among_the_numbers(tmp_path, cpu):
    table = frame(dlc.wander(20))
    text = table.astype({("net", "snout", "x"): str})
    refuse(write(tmp_path / "text.h5", text, format="table"), cpu, "not all numbers", str(table.iloc[0, 0])[:6])
    categories = table.astype({("net", "snout", "x"): "category"})
    refuse(write(tmp_path / "category.h5", categories, format="table"), cpu, "not all numbers", "category")
    refuse(write(tmp_path / "object.h5", table.astype(object), format="fixed"), cpu, "a Python object", "to_csv")


def test_a_table_without_frames(tmp_path, cpu):
    refuse(write(tmp_path / "m.h5", frame(dlc.wander(2)).iloc[:0]), cpu, "no frames")


def test_more_or_less_than_one_table_with_positions(tmp_path, cpu):
    path = write(tmp_path / "m.h5", pd.DataFrame({"speed": [1.0]}), "other")
    refuse(path, cpu, "expected one table with body parts", "found none")
    table = frame(dlc.wander(20))
    write(path, table, "one")
    assert read_pose(path, 30, cpu).frames == 20
    write(path, frame(dlc.wander(20, 4), coords=("length", "orientation", "likelihood")), "bones")
    assert read_pose(path, 30, cpu).frames == 20
    write(path, table, "two", format="table")
    refuse(path, cpu, "'/one', '/two'")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("complib", ["blosc", "bzip2"])
def test_compression_that_h5py_does_not_have(tmp_path, cpu, format_, complib):
    path = write(tmp_path / "m.h5", frame(dlc.wander(20)), format=format_, complevel=5, complib=complib)
    refuse(path, cpu, f"compressed with '{complib}'", "CSV")
    assert sniff_hdf5(path)  # it is not left out of a folder


def test_which_files_are_recognised(tmp_path, recordings):
    skeleton = frame(dlc.wander(20, 2), ("a_b", "b_c"), coords=("length", "orientation", "likelihood"))
    for name, table in (("skeleton", skeleton), ("speed", pd.DataFrame({"speed": [1.0]}))):
        for format_ in FORMATS:
            assert not sniff_hdf5(write(tmp_path / f"{name}_{format_}.h5", table, format=format_))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["tracks"] = np.zeros((1, 2, 3, 4))
    (tmp_path / "text.h5").write_text("scorer,a\n")
    others = [*tmp_path.iterdir(), tmp_path / "gone.h5", tmp_path, *(recordings / "formats/sleap").glob("*.h5")]
    assert len(others) >= 9
    assert not any(map(sniff_hdf5, others))


def test_a_folder_leaves_no_damaged_file_out(tmp_path):
    write(tmp_path / "good.h5", frame(dlc.wander(20)))
    content = (tmp_path / "good.h5").read_bytes()
    (tmp_path / "empty.h5").touch()
    (tmp_path / "short.hdf5").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.h5").write_text("scorer,a\n")
    (tmp_path / "gone.h5").symlink_to(tmp_path / "nowhere")
    (tmp_path / "empty.csv").touch()
    write(tmp_path / "bones.h5", frame(dlc.wander(20, 4), coords=("length", "orientation", "likelihood")))
    (tmp_path / "notes.csv").write_text("mouse,day\n")
    expected = {"good.h5", "empty.csv", "short.hdf5", "text.h5", "gone.h5"}  # a CSV file goes before its twin
    assert {path.name for path in tmp_path.iterdir() if formats.recognise(path)} == {*expected, "empty.h5"}
    assert {path.name for path in find_sessions([tmp_path])} == expected


@pytest.mark.parametrize("data", [b"scorer,a", b"\x89HDF\r\n\x1a\n" + bytes(200)])
def test_a_file_that_is_not_hdf5(cpu, data):
    with pytest.raises(BadInput, match="not a DeepLabCut HDF5 file"):
        parse_pose(data, Path("m.h5"), 30, cpu)


@pytest.mark.parametrize("format_", FORMATS)
def test_files_cut_short(tmp_path, cpu, format_):
    content = write(tmp_path / "m.h5", frame(dlc.wander(20)), format=format_).read_bytes()
    for length in np.linspace(1, len(content) - 1, 12, dtype=int):
        (tmp_path / "m.h5").write_bytes(content[:length])
        refuse(tmp_path / "m.h5", cpu, "damaged")


@pytest.mark.parametrize("format_", FORMATS)
def test_changed_bytes_give_a_pose_or_a_message(tmp_path, cpu, format_):
    content = write(tmp_path / "m.h5", frame(dlc.wander(20)), format=format_).read_bytes()
    rng = np.random.default_rng(0)
    beginning = min(len(content), 30_000)  # the names, and how the numbers are laid out
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, beginning, rng.integers(1, 20)):
            damaged[place] = rng.integers(0, 256)
        (tmp_path / "m.h5").write_bytes(damaged)
        assert sniff_hdf5(tmp_path / "m.h5") in (True, False)
        with contextlib.suppress(BadInput):
            read_pose(tmp_path / "m.h5", 30, cpu)
