"""Rows, columns and frame numbers of DeepLabCut CSV files as trackers, spreadsheets and scripts write them."""

import contextlib
from pathlib import Path

import dlc
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import outline, parse_pose, read_pose

WITH_FIXTURES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = dlc.wander(40)
LINES = dlc.csv_text(VALUES).splitlines()
HEADER, ROWS = LINES[:3], LINES[3:]
CELLS = 13


def parse(lines, backend, keypoints=(), newline="\n"):
    text = lines if isinstance(lines, str) else newline.join(lines) + newline
    return parse_pose(text.encode(), Path("m.csv"), 30.0, backend, keypoints)


def refuse(lines, cpu, *parts, keypoints=()):
    with pytest.raises(BadInput) as caught:
        parse(lines, cpu, keypoints)
    for part in ("'m.csv'", *parts):
        assert part in str(caught.value)


def numbered(number, row):
    return ",".join([str(number), *row.split(",")[1:]])


@st.composite
def tables(draw):
    """Rows of numbered frames in any order, among what is no frame: the lines, and the numbers of the rows."""
    rows = draw(st.integers(3, 12))
    gap_at, gap = draw(st.integers(0, rows - 1)), draw(st.integers(0, 50))
    numbers = draw(st.sampled_from([0, 1, 100, 10**9])) + np.arange(rows) + np.where(np.arange(rows) > gap_at, gap, 0)
    if draw(st.booleans()):
        numbers = np.asarray(draw(st.permutations(numbers.tolist())))
    style = draw(st.sampled_from(["{}", "{}.0", '"{}"', " {}"]))
    lines = [numbered(style.format(number), row) for number, row in zip(numbers, ROWS, strict=False)]
    nothing = st.sampled_from(
        [",", "," * 5, "," * (CELLS - 1), ",nan" * (CELLS - 1), "," * 20, '""' + "," * (CELLS - 1)]
    )
    header = [line + "," * draw(st.integers(0, 3)) for line in HEADER]
    if surplus := draw(st.integers(0, 2)):
        ragged = draw(st.booleans())
        lines = [line + "," * (draw(st.integers(0, surplus)) if ragged else surplus) for line in lines]
    blank = draw(st.lists(st.tuples(st.integers(0, rows), nothing), max_size=3))
    for place, line in blank:
        lines.insert(place, line)
    if draw(st.booleans()):
        lines.insert(draw(st.integers(0, len(lines))), "")
    if draw(st.booleans()):
        lines.insert(0, draw(st.sampled_from(["frame", "", "index name"])) + "," * (CELLS - 1))
        blank += [(0, "")] if not lines[0][0].isalpha() else []
    return header + lines, numbers, len(blank)


@WITH_FIXTURES
@given(tables(), st.sampled_from(["\n", "\r\n"]))
def test_frames_keep_their_numbers_and_what_is_no_frame_is_left_out(cpu, table, newline):
    lines, numbers, blank = table
    pose = parse(lines, cpu, newline=newline)
    order = np.argsort(numbers)
    assert pose.frame_numbers.tolist() == numbers[order].tolist()
    assert np.array_equal(pose.position[:, 0], VALUES[order, :, :2])
    assert np.array_equal(pose.confidence[:, 0], VALUES[order, :, 2])
    said = [note for note in pose.notes if note.startswith("rows without a frame number and without positions")]
    assert said == ([f"{said[0].partition(':')[0]}: {blank}"] if blank else [])


@WITH_FIXTURES
@given(tables())
def test_a_table_is_the_same_on_any_array_library(arrays, cpu, table):
    on_host, on_device = (parse(table[0], backend, ("right paw", "snout")) for backend in (cpu, arrays))
    assert np.array_equal(arrays.to_host(on_device.position), on_host.position, equal_nan=True)
    assert np.array_equal(on_device.frame_numbers, on_host.frame_numbers)
    assert on_device.notes == on_host.notes


def test_a_row_with_a_number_alone_is_a_frame_without_positions(cpu):
    pose = parse([*HEADER, *ROWS[:5], "5" + "," * (CELLS - 1), numbered(6, ROWS[6])], cpu)
    assert pose.frame_numbers.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert np.isnan(pose.position[5]).all()
    assert pose.notes == ()


def test_an_empty_first_column_counts_the_frames(cpu):
    inside = "," * (CELLS - 1)
    pose = parse([*HEADER, *(numbered("", row) for row in ROWS[:3]), inside, numbered("", ROWS[4]), inside, ","], cpu)
    assert pose.frame_numbers.tolist() == [0, 1, 2, 3, 4]
    assert np.isnan(pose.position[3]).all()
    assert np.array_equal(pose.position[4, 0], VALUES[4, :, :2])
    assert [note.partition(":")[2] for note in pose.notes] == [" the frames are counted from 0", " 2"]


def test_tables_of_empty_rows_have_no_frames(cpu):
    refuse([*HEADER, "," * (CELLS - 1), "," * (CELLS - 1)], cpu, "no frames")
    refuse([*HEADER, "frame" + "," * (CELLS - 1)], cpu, "no frames")


def with_row(row, at=20):
    return [*HEADER, *ROWS[:at], row, *ROWS[at + 1 :]]


def every(change):
    return [*HEADER, *(change(i, row) for i, row in enumerate(ROWS))]


IMAGE = "labeled-data/clip/img0007.png"
REFUSED = {
    "a row without its number": (with_row(numbered("", ROWS[20])), ["line 24 has positions but no frame number"]),
    "no number in the first row": (with_row(numbered("", ROWS[0]), 0), ["line 4 has positions"]),
    "two files": ([*LINES, *LINES], ["line 44 begins with 'scorer'", "are two files joined?"]),
    "two files, without the first row": ([*LINES, *LINES[1:]], ["line 44 begins with 'bodyparts'", "joined"]),
    "two recordings": ([*LINES, *ROWS], ["40 frame numbers are repeated", "joined"]),
    "a frame twice": (with_row(ROWS[19]), ["1 frame numbers are repeated, the first is 19"]),
    "every second frame": (every(lambda i, row: numbered(2 * i, row)), ["rise by 2", "--fps (15 if 30"]),
    "times in seconds": (every(lambda i, row: numbered(i / 30, row)), ["row 2 has 0.0333", "times in seconds"]),
    "times in milliseconds": (every(lambda i, row: numbered(round(i / 0.03), row)), ["in milliseconds"]),
    "negative numbers": (every(lambda i, row: numbered(i - 1, row)), ["row 1 has -1"]),
    "images": (every(lambda i, row: numbered(IMAGE, row)), ["line 4", "img0007.png', the name of an image"]),
    "an image": (with_row(numbered("img0007.JPG", ROWS[20])), ["line 24", "the name of an image"]),
    "images in three columns": (
        [
            *(line.replace(",", ",,,", 1) for line in HEADER),
            *(row.replace(",", ",clip,img1.png,", 1).replace("0", "labeled-data", 1) for row in ROWS[:1]),
        ],
        ["line 4", "the name of an image", "tracked video"],
    ),
    "text": (with_row(numbered("twenty", ROWS[20])), ["line 24: 'twenty' is not a frame number"]),
    "decimal commas in quotes": (
        every(lambda i, row: ",".join(f'"{cell.replace(".", ",")}"' for cell in row.split(","))),
        ["line 4", "',' as the decimal sign", "'.'"],
    ),
    "decimal commas without quotes": (
        every(lambda i, row: row.replace(".", ",")),
        ["line 4 has 25 cells; expected 13", "decimal sign"],
    ),
    "a remark": (with_row(ROWS[20] + ",,mouse left"), ["line 24 has 15 cells; expected 13"]),
    "a remark below empty columns": (
        [*(line + "," for line in LINES[:23]), LINES[23] + ",left", *(line + "," for line in LINES[24:])],
        ["line 24 has 14 cells; expected 13"],
    ),
    "a cell over two lines": (with_row('20,"1\n2"' + ",1" * 11, 20), ["line 25, snout x"]),
}


@pytest.mark.parametrize(("lines", "parts"), REFUSED.values(), ids=REFUSED)
def test_rows_that_cannot_be_used(cpu, lines, parts):
    refuse(lines, cpu, *parts)


def test_positions_of_other_keypoints_make_a_row_a_frame(cpu):
    cells = numbered("", ROWS[20]).split(",")
    cells[1:4] = ["", "", ""]
    refuse(with_row(",".join(cells)), cpu, "line 24", keypoints=("snout",))


@pytest.mark.parametrize("where", ["header", "body", "both", "last row"])
def test_empty_columns_at_the_end(cpu, where):
    lines = [
        line
        + ",," * (where in ("both", "header" if i < 3 else "body") or (where == "last row" and i == len(LINES) - 1))
        for i, line in enumerate(LINES)
    ]
    pose = parse(lines, cpu)
    assert np.array_equal(pose.position[:, 0], VALUES[..., :2])
    (note,) = pose.notes
    assert note.endswith(": 1" if where == "last row" else ": 2")


def test_the_outline_refuses_images(tmp_path):
    (tmp_path / "m.csv").write_text("\n".join(REFUSED["images"][0]))
    with pytest.raises(BadInput, match="the name of an image"):
        outline(tmp_path / "m.csv")


TEXT = dlc.csv_text(VALUES[:6]).encode()


@settings(WITH_FIXTURES, max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(TEXT)),
            st.integers(0, 40),
            st.binary(max_size=3) | st.sampled_from([b",", b'"', b"\n", b";"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_damage_is_refused_or_gives_a_pose(cpu, changes):
    data = TEXT
    for start, length, piece in changes:
        data = data[:start] + piece + data[start + length :]
    with contextlib.suppress(BadInput):
        pose = parse_pose(data, Path("m.csv"), 30.0, cpu)
        assert pose.frames == len(pose.frame_numbers) > 0


@pytest.fixture
def cases(recordings):
    folder = recordings.parent / "cases"
    if not folder.is_dir():
        pytest.skip(f"no cases at {folder}")
    return folder


@pytest.mark.parametrize("name", ["index_name", "blank_tail", "trailing_commas"])
def test_extra_rows_and_columns_of_a_recording(cases, cpu, name):
    pose, plain = (read_pose(cases / f"10_extra_rows/{stem}.csv", 30, cpu) for stem in (name, "index_name"))
    assert pose.frame_numbers.tolist() == list(range(600))
    assert np.array_equal(pose.position, plain.position)
    assert len(pose.notes) == (name != "index_name")


def test_a_smoothed_recording(cases, cpu):
    pose, plain = (
        read_pose(cases / name, 30, cpu)
        for name in ("12_extra_coordinates/smoothed.csv", "10_extra_rows/index_name.csv")
    )
    assert np.array_equal(pose.position, plain.position)
    assert np.array_equal(pose.confidence, plain.confidence)
    assert "'x_ens_median'" in pose.notes[0]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("day1.csv.gz", "compressed by gzip: unpack"),
        ("semicolon.csv", "separated by ';' and ',' as the decimal sign: save"),
        ("tab.csv", "separated by tabs: save"),
        ("utf16.csv", "UTF-16: save it in UTF-8"),
    ],
)
def test_a_recording_in_another_form_is_refused(cases, cpu, name, part):
    with pytest.raises(BadInput) as caught:
        read_pose(cases / "15_wrong_separator_and_gz" / name, 30, cpu)
    assert part in str(caught.value)


@pytest.mark.parametrize("number", ["1e300", "-1e10"])
def test_positions_that_no_camera_has_are_refused(cpu, number):
    lines = dlc.csv_text(dlc.wander(30)).split("\n")
    cells = lines[10].split(",")
    cells[5] = number
    lines[10] = ",".join(cells)
    refuse(lines, cpu, "left paw: 1 positions are beyond 1e+09", "correct these numbers")
    cells[6] = "-1"  # a missing position may have any number
    lines[10] = ",".join(cells)
    assert np.isnan(parse(lines, cpu).position[7, 0, 1]).all()
