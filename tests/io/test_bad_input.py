"""Files that cannot be used: one clear message, which names the file and the place in it."""

from pathlib import Path

import dlc
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import parse_pose


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


@pytest.mark.parametrize("missing", ["scorer", "bodyparts", "coords"])
def test_two_header_rows(cpu, lines, missing):
    rest = [line for line in lines if not line.startswith(missing)]
    refuse("\n".join(rest), cpu, "begin with", *(f"{row!r}" for row in ("scorer", "bodyparts", "coords", "0")))


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
    refuse(text.replace("likelihood", "certainty"), cpu, "'certainty'", "expected x, y")
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
