"""Files that cannot be used: one clear message, which names the file and the place in it."""

import warnings
from pathlib import Path

import dlc
import numpy as np
import pandas as pd
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import parse_pose, read_pose


def refuse(data, cpu, *parts, name="m.csv", keypoints=()):
    data = data if isinstance(data, bytes) else data.encode()
    with pytest.raises(BadInput) as caught:
        parse_pose(data, Path(name), 30.0, cpu, keypoints)
    for part in (name, *parts):
        assert part in str(caught.value)


@pytest.fixture
def lines():
    return dlc.csv_text(dlc.wander(20)).split("\n")[:-1]


def replaced(lines, line, place, cell):
    cells = lines[line].split(",")
    cells[place] = cell
    return "\n".join([*lines[:line], ",".join(cells), *lines[line + 1 :]])


def test_empty_files(cpu, lines):
    refuse("", cpu, "is empty")
    refuse(b"", cpu, "is empty", name="m.h5")
    for end in ("", "\n", "\n\n\r\n"):
        refuse("\n".join(lines[:3]) + end, cpu, "no frames")


@pytest.mark.parametrize("missing", ["bodyparts", "coords"])
def test_two_header_rows(cpu, lines, missing):
    rest = [line for line in lines if not line.startswith(missing)]
    refuse(
        "\n".join(rest), cpu, "begin with", *(f"{row!r}" for row in {"scorer", "bodyparts", "coords", "0"} - {missing})
    )


@pytest.mark.parametrize(
    "data",
    [
        "frame,freezing\n0,1\n",
        "scorer;a;a\nbodyparts;b;b\ncoords;x;y\n0;1;2\n",
        "\n\n",
        "x" * 300_000,  # longer than a cell may be
        "scorer," + "x" * 300_000,
        b"scorer\0\0,a\nbodyparts\n",
        "scorer,é\nbodyparts,é\n".encode("latin-1"),
        bytes(range(256)) * 100,
    ],
)
def test_a_file_that_is_not_a_pose_file(cpu, data):
    refuse(data, cpu, "expected the header rows 'scorer', 'bodyparts', 'coords'")


def test_header_rows_of_unequal_length(cpu, lines):
    refuse("\n".join([lines[0] + ",DLC", *lines[1:]]), cpu, "13, 12, 12")


def test_unknown_and_missing_coordinates(cpu, lines):
    text = "\n".join(lines)
    refuse(text.replace("y,likelihood", "z,likelihood"), cpu, "'x', 'z', 'likelihood'", "expected x, y")


def test_a_keypoint_twice_and_one_without_a_coordinate(cpu, lines):
    refuse("\n".join(lines).replace("left paw", "snout"), cpu, "'snout'", "named twice")
    refuse("\n".join(line.rsplit(",", 1)[0] for line in lines), cpu, "'tail/base'", "the columns x, y;")


def test_keypoints_that_are_missing_or_requested_twice(cpu, lines):
    text = "\n".join(lines)
    refuse(text, cpu, "'Left Paw'", "did you mean 'left paw'", "'tail/base'", keypoints=("snout", "Left Paw"))
    refuse(text, cpu, "'paw'", "'ear'", keypoints=("paw", "ear"))  # both are reported
    refuse(text, cpu, "'snout' is requested 2 times", keypoints=("snout", "snout"))


def test_animals_with_different_keypoints(cpu):
    coords = ["x", "y", "likelihood"]
    header = [
        ["scorer", *["net"] * 12],
        ["individuals", *["a"] * 6, *["b"] * 6],
        ["bodyparts", *["nose"] * 3, *["tail"] * 3, *["ear"] * 3, *["nose"] * 3],
        ["coords", *coords * 4],
    ]
    row = ",".join(map(str, range(13)))
    refuse("\n".join([*map(",".join, header), row]), cpu, "'b'", "'ear'", "'tail'", "expected the same")
    header[2][7:10] = ["tail"] * 3  # the same ones in another order are no problem
    pose = parse_pose("\n".join([*map(",".join, header), row]).encode(), Path("m.csv"), 30.0, cpu)
    assert pose.keypoints == ("nose", "tail")
    assert pose.position[0, 1].tolist() == [[10, 11], [7, 8]]


def test_text_in_a_number_is_reported_with_its_place(cpu, lines):
    refuse(replaced(lines, 9, 5, "abc"), cpu, "line 10, left paw y: 'abc'")
    refuse(replaced(lines, 9, 5, "1;5"), cpu, "line 10, left paw y: '1;5'")
    refuse(replaced(lines, 9, 5, "9" * 200_000 + "?"), cpu, "line 10", "field larger")
    broken = "\n".join([*lines[:3], *(line.replace(".", "'") for line in lines[3:])])
    refuse(broken, cpu, "line 4, snout x", "there are more")


def test_text_in_the_numbers_of_a_keypoint_that_is_not_used(cpu, lines):
    pose = parse_pose(replaced(lines, 9, 5, "abc").encode(), Path("m.csv"), 30.0, cpu, ("snout", "tail/base"))
    assert pose.frames == 20


@pytest.mark.parametrize("rows", [slice(3, 4), slice(10, 11), slice(-1, None), slice(3, None)])
@pytest.mark.parametrize("change", [lambda line: line.rsplit(",", 1)[0], lambda line: line + ",1"])
def test_rows_that_are_too_short_or_too_long(cpu, lines, rows, change):
    first = rows.indices(len(lines))[0] + 1
    lines[rows] = map(change, lines[rows])
    refuse("\n".join(lines), cpu, f"line {first} has {len(lines[first - 1].split(','))} cells; expected 13")


@pytest.fixture
def table():
    columns = pd.MultiIndex.from_product(
        [["net"], ["a", "b"], ["x", "y", "likelihood"]], names=["scorer", "bodyparts", "coords"]
    )
    return pd.DataFrame(dlc.wander(20, 2).reshape(20, 6), columns=columns)


def test_hdf5_files_with_more_or_less_than_one_pose(tmp_path, cpu, table):
    pd.DataFrame({"speed": [1.0]}).to_hdf(tmp_path / "m.h5", key="other")
    refuse((tmp_path / "m.h5").read_bytes(), cpu, "found none", name="m.h5")
    table.to_hdf(tmp_path / "m.h5", key="one")
    assert read_pose(tmp_path / "m.h5", 30, cpu).frames == 20
    table.to_hdf(tmp_path / "m.h5", key="two")
    refuse((tmp_path / "m.h5").read_bytes(), cpu, "'/one', '/two'", name="m.h5")


def test_hdf5_tables_without_frames_or_with_text(tmp_path, cpu, table):
    table.iloc[:0].to_hdf(tmp_path / "none.h5", key="df")
    refuse((tmp_path / "none.h5").read_bytes(), cpu, "no frames", name="none.h5")
    table = table.astype(object)
    table.iloc[3, 1] = "abc"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, on columns of mixed types
        table.to_hdf(tmp_path / "text.h5", key="df")
    refuse((tmp_path / "text.h5").read_bytes(), cpu, "'abc'", name="text.h5")


def test_hdf5_files_cut_short(tmp_path, cpu, table):
    table.to_hdf(tmp_path / "m.h5", key="df", format="table")
    content = (tmp_path / "m.h5").read_bytes()
    for length in np.linspace(1, len(content) - 1, 12, dtype=int):
        refuse(content[:length], cpu, "damaged", name="m.h5")


@pytest.mark.parametrize("data", [b"scorer,a", b"\x89HDF\r\n\x1a\n" + bytes(200)])
def test_a_file_that_is_not_hdf5(cpu, data):
    refuse(data, cpu, "not a DeepLabCut HDF5 file", name="m.h5")


@pytest.mark.parametrize("name", ["predictions.analysis.h5", "testDLC_sleap.analysis.h5"])
def test_hdf5_files_of_sleap(recordings, cpu, name):
    refuse((recordings / "formats/sleap" / name).read_bytes(), cpu, "not a DeepLabCut HDF5 file", name=name)
