"""Anipose's table of triangulated positions."""

from pathlib import Path

import dlc
import numpy as np
import pytest
from damage import MANY, assert_read_or_refused, damaged
from hypothesis import given
from three_dimensions import anipose_csv

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import Outline, anipose, outline, read_pose
from bsoid_gpu.io.formats import recognise
from bsoid_gpu.io.reader import Request

NAMES = ("nose", "left_paw", "tail_x")  # the last one ends as a coordinate does


def walk(frames=40, seed=0):
    return np.random.default_rng(seed).normal(0, 30, size=(frames, len(NAMES), 3))


@pytest.fixture
def parsed(tmp_path, cpu):
    """Writes a file and reads it; the file must be recognised."""

    def parse(data, **options):
        (tmp_path / "mouse.csv").write_bytes(data)
        assert recognise(tmp_path / "mouse.csv").name == "Anipose CSV"
        return read_pose(tmp_path / "mouse.csv", 30.0, cpu, **options)

    return parse


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_positions_scores_and_frame_numbers_are_those_of_the_file(parsed, newline):
    position, score = walk(), np.random.default_rng(1).uniform(0.1, 1, size=(40, 3))
    position[7, 1] = np.nan
    pose = parsed(anipose_csv(position, NAMES, score=score, fnum=np.arange(40) + 100, newline=newline))
    assert (pose.keypoints, pose.individuals) == (NAMES, ("individual",))
    assert np.array_equal(pose.position[:, 0], position, equal_nan=True)
    score[7, 1] = 0  # of a missing position
    assert np.array_equal(pose.confidence[:, 0], score)
    assert pose.frame_numbers.tolist() == list(range(100, 140))
    assert any("begin at number 100" in note for note in pose.notes)
    assert any("unit of the calibration" in note for note in pose.notes)


def test_a_file_by_hand(parsed):
    text = b"a_x,a_y,a_z,a_error,a_ncams,a_score,b_x,b_y,b_z,b_error,b_ncams,b_score,fnum\n"
    pose = parsed(text + b"1,2,3,0.5,2,0.9,4,5,6,0.5,3,0.8,0\n1.5,2,3,0.5,2,0.7,,,,,,,1\n")
    assert pose.position[0, 0].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert pose.confidence[:, 0].tolist() == [[0.9, 0.8], [0.7, 0.0]]
    assert np.isnan(pose.position[1, 0, 1]).all()


def test_positions_that_fewer_than_two_cameras_saw_are_missing(parsed):
    # Anipose interpolates them, and leaves their score empty
    score = np.full((40, 3), 0.9)
    score[10:13, 0] = np.nan
    score[:, 2] = np.nan
    pose = parsed(anipose_csv(walk(), NAMES, score=score))
    missing = np.isnan(pose.position[:, 0]).any(axis=-1)
    assert np.array_equal(missing, np.isnan(score))
    assert any("43 positions have no score" in note for note in pose.notes)


def test_scores_that_are_all_empty_say_nothing(parsed):
    pose = parsed(anipose_csv(walk(), NAMES, score=np.full((40, 3), np.nan)))
    assert not np.isnan(pose.position).any()
    assert (pose.confidence == 1).all()
    assert sum("likelihood column is empty" in note for note in pose.notes) == 3


def test_without_scores_the_error_is_no_likelihood(parsed):
    pose = parsed(anipose_csv(walk(), NAMES))
    assert (pose.confidence == 1).all()
    assert any("the error of the reprojection" in note for note in pose.notes)
    pose = parsed(anipose_csv(walk(), NAMES, score=np.full((40, 3), 0.5), drop=("nose_score",)))
    assert (pose.confidence == 1).all()
    assert any("only 2 of 3 keypoints have a score" in note for note in pose.notes)


def test_columns_in_any_order_and_unknown_ones(parsed):
    position = walk(5)
    lines = [line.split(",") for line in anipose_csv(position, NAMES, extra=("speed",)).decode().split()]
    order = np.random.default_rng(2).permutation(len(lines[0]))
    pose = parsed("\n".join(",".join(line[i] for i in order) for line in lines).encode(), keypoints=NAMES)
    assert np.array_equal(pose.position[:, 0], position)
    (note,) = [note for note in pose.notes if "left out" in note]
    assert note == "the columns 'speed' are left out"


def test_keypoints_and_individuals_are_chosen_by_name(parsed):
    position = walk()
    pose = parsed(anipose_csv(position, NAMES), keypoints=("tail_x", "nose"))
    assert np.array_equal(pose.position[:, 0], position[:, [2, 0]])
    with pytest.raises(BadInput, match="no keypoint is named 'tail'"):
        parsed(anipose_csv(position, NAMES), keypoints=("tail",))
    with pytest.raises(BadInput, match="no individual is named 'mouse1'"):
        parsed(anipose_csv(position, NAMES), individuals=("mouse1",))


def test_frames_in_another_order_are_sorted_and_gaps_are_noted(parsed):
    position = walk(6)
    pose = parsed(anipose_csv(position, NAMES, fnum=np.array([0, 1, 5, 4, 6, 7])))
    assert np.array_equal(pose.position[:, 0], position[[0, 1, 3, 2, 4, 5]])
    assert pose.frame_numbers.tolist() == [0, 1, 4, 5, 6, 7]
    assert any("2 frames are left out" in note for note in pose.notes)


def test_the_outline(tmp_path):
    path = tmp_path / "mouse.csv"
    for data in (anipose_csv(walk(), NAMES), anipose_csv(walk(), NAMES).rstrip(b"\n")):
        path.write_bytes(data)
        assert outline(path) == Outline(40, NAMES, 1, len(data))


def test_each_format_recognises_its_own_files_only(tmp_path):
    (tmp_path / "three.csv").write_bytes(b"\xef\xbb\xbf" + anipose_csv(walk(), NAMES))
    dlc.write(tmp_path / "two.csv")
    (tmp_path / "angles.csv").write_text("knee,elbow,fnum\n1,2,0\n")  # Anipose's table of angles
    (tmp_path / "labels.csv").write_text("frame,time_s,label,confidence\n0,0,1,1\n")
    (tmp_path / "body.csv").write_text("nose_x,nose_y,nose_z\n1,2,3\n")  # no frame numbers
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    names = {path.name: reader and reader.name for path in tmp_path.iterdir() for reader in [recognise(path)]}
    assert names["three.csv"] == "Anipose CSV"
    assert [name for name, reader in names.items() if reader == "Anipose CSV"] == ["three.csv"]
    assert names["two.csv"] == "DeepLabCut CSV"


GOOD = anipose_csv(walk(20), NAMES)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: d.replace(b"nose_y,", b""), "'nose' has only x, z; expected x, y and z"),
        (lambda d: d.replace(b"nose_y", b"nose_x"), "the column 'nose_x' is there twice"),
        (lambda d: d.splitlines()[0] + b"\n", "has a header but no frames"),
        (lambda d: d + b"1,2\n", "not all cells are numbers"),
        (lambda d: d.replace(b",1.5,", b",a,").replace(b",19\n", b",x\n"), "not all cells are numbers"),
        (lambda d: d.replace(b",19\n", b",\n"), "has nan as its frame number"),
        (lambda d: d.replace(b",19\n", b",18\n"), "frame numbers are repeated"),
        (lambda d: d.replace(b",19\n", b",18.5\n"), "expected whole numbers"),
        (lambda d: d.replace(b"\n", b",0\n", 2).replace(b",fnum,0", b",fnum"), "the header names 28 columns"),
    ],
)
def test_damaged_files_are_refused(parsed, damage, message):
    with pytest.raises(BadInput, match="mouse") as caught:
        parsed(damage(GOOD))
    assert message in str(caught.value)


def test_another_header_is_refused_with_the_expected_one(cpu):
    for data in (GOOD.replace(b"fnum", b"frame"), b"\xff\xfe\x00", b"a;b\n1;2\n", b'"' + b"x" * 200_000, b"\n"):
        with pytest.raises(BadInput, match=r"NAME_x, NAME_y and NAME_z"):
            anipose.parse(data, Path("mouse.csv"), Request(30.0, cpu))


@MANY
@given(damaged(GOOD))
def test_damaged_bytes_are_refused_or_read(cpu, content):
    assert_read_or_refused(lambda: anipose.parse(content, Path("mouse.csv"), Request(30.0, cpu)))
