"""Columns of DeepLabCut CSV files: which are read, which are left out by name, and which cannot be used."""

from pathlib import Path

import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import outline, parse_pose


def parse(lines, backend):
    return parse_pose("\n".join(lines).encode(), Path("m.csv"), 30.0, backend)


def refuse(lines, cpu, *parts):
    with pytest.raises(BadInput) as caught:
        parse(lines, cpu)
    for part in ("'m.csv'", *parts):
        assert part in str(caught.value)


def header_of(columns):
    """Header rows for (scorer, body part, coordinate), and a first frame of the numbers 1, 2, ..."""
    names = zip(("scorer", "bodyparts", "coords"), zip(*columns, strict=True), strict=True)
    return [*(",".join([name, *row]) for name, row in names), ",".join(map(str, range(len(columns) + 1)))]


NOSE, TAIL = ([("net", name, coord) for coord in ("x", "y", "likelihood")] for name in ("nose", "tail"))


def test_coordinates_that_are_not_used_are_named(cpu):
    smoothed = [
        ("eks", "nose", coord) for coord in ("x", "x_ens_median", "y", "likelihood", "x_posterior_var", "zscore")
    ]
    pose = parse(header_of(smoothed), cpu)
    assert pose.position.ravel().tolist() == [1, 3]
    assert pose.confidence.ravel().tolist() == [4]
    assert pose.notes == ("coordinates that are not used are left out: 'x_ens_median', 'x_posterior_var', 'zscore'",)


def test_a_confidence_of_another_name_is_asked_for(cpu):
    pose = parse(header_of([("net", "nose", coord) for coord in ("x", "y", "certainty")]), cpu)
    assert "'certainty'" in pose.notes[0]
    assert "name it 'likelihood'" in pose.notes[0]
    assert "no likelihoods" in pose.notes[1]


@pytest.mark.parametrize(
    "times",
    [
        [("frame_time", "", ""), ("pose_time", "", "")],
        [("net", "frame_time", ""), ("net", "pose_time", "")],
        [("net", "frame_time", "frame_time"), ("net", "pose_time", "pose_time")],
        [("net", "frame_time", "likelihood"), ("net", "pose_time", "s")],
    ],
)
@pytest.mark.parametrize("at", [0, 3, 6])
def test_columns_without_positions_are_named(tmp_path, cpu, times, at):
    columns = NOSE + TAIL
    lines = header_of(columns[:at] + times + columns[at:])
    expected = np.asarray([1.0, 2, 4, 5]) + 2 * (np.arange(4) // 2 * 3 >= at)
    for rows in (lines, lines[1:] if times[0][1] else lines):  # DLC-live has no row of scorers
        pose = parse(rows, cpu)
        assert pose.keypoints == ("nose", "tail")
        assert pose.position.ravel().tolist() == expected.tolist()
        assert pose.notes == ("columns without positions are left out: 'frame_time', 'pose_time'",)
    (tmp_path / "m.csv").write_text("\n".join(lines))
    assert outline(tmp_path / "m.csv").keypoints == ("nose", "tail")


@pytest.mark.parametrize(
    ("column", "at", "which"),
    [
        (("net", "", ""), 3, "5"),
        (("", "", ""), 3, "5"),
        (("net.7", "", ""), 3, "5"),  # as pandas numbers repeated names
        (("net", "", "x"), 0, "2"),
        (("net", "", "x"), 6, "8"),
        (("net", "nose", ""), 3, "5"),
    ],
)
def test_columns_without_a_name(cpu, column, at, which):
    columns = NOSE + TAIL
    refuse(header_of([*columns[:at], column, *columns[at:]]), cpu, f"the columns {which} lack a name")


def test_body_parts_in_merged_cells(cpu):
    lines = header_of([("net", "nose", "x"), ("", "", "y"), ("", "", "likelihood")])
    refuse(lines, cpu, "the columns 3, 4 lack a name")


def test_an_individual_without_a_name(cpu):
    lines = header_of(NOSE + TAIL)
    lines.insert(1, "individuals,a,a,a,a,,a")
    refuse(lines, cpu, "the columns 6 lack a name")


def test_a_header_without_columns(cpu):
    refuse(["scorer", "bodyparts", "coords", "0"], cpu, "all columns lack a name")


def test_a_skeleton_is_named(cpu):
    refuse(header_of([("net", "a_b", name) for name in ("length", "orientation", "likelihood")]), cpu, "skeleton")
