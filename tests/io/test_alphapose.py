"""AlphaPose: one list with the people of all frames."""

import json
import re

import human
import numpy as np
import pytest
from damage import MANY, assert_read_or_refused, damaged
from hypothesis import given

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import alphapose, formats, outline, parse_pose, read_pose
from bsoid_gpu.io.human_keypoints import ALPHAPOSE


def entry(number, values, **more):
    return {
        "image_id": f"{number}.jpg",
        "category_id": 1,
        "keypoints": np.ravel(values).tolist(),
        "score": 2.9,
        "box": [1.0, 2.0, 3.0, 4.0],
        **more,
    }


def entries(values, **more):
    return [entry(number, frame, **more) for number, frame in enumerate(values)]


def write(tmp_path, content):
    path = tmp_path / "alphapose-results.json"
    path.write_text(json.dumps(content))
    return path


def test_one_person(tmp_path, cpu):
    values = human.walk(30, 17)
    path = write(tmp_path, entries(values, idx=[0.0]))
    pose = read_pose(path, 30.0, cpu)
    assert (pose.name, pose.frames, pose.individuals) == ("alphapose-results", 30, ("person_0",))
    assert pose.keypoints == ALPHAPOSE[17][1]
    assert np.array_equal(pose.position[:, 0], values[..., :2])
    assert np.array_equal(pose.confidence[:, 0], values[..., 2])
    size = outline(path)
    assert (size.frames, size.keypoints, size.individuals) == (30, pose.keypoints, 1)
    reader = formats.recognise(path)
    assert reader is not None
    assert reader.name == "AlphaPose"


@pytest.mark.parametrize("keypoints", [17, 26, 136, 68])
def test_names_of_the_models(tmp_path, cpu, keypoints):
    pose = read_pose(write(tmp_path, entries(human.walk(3, keypoints))), 30.0, cpu)
    assert len(set(pose.keypoints)) == keypoints
    assert pose.keypoints[0] == ("keypoint_0" if keypoints == 68 else "Nose")
    assert any("the file gives no names" in note for note in pose.notes)


def test_frames_without_an_entry_have_no_person(tmp_path, cpu):
    values = human.walk(30, 17)
    content = entries(values)
    del content[10:13]
    values[10:13] = np.nan
    pose = read_pose(write(tmp_path, content), 30.0, cpu)
    assert pose.frame_numbers.tolist() == list(range(30))
    assert np.array_equal(pose.position[:, 0], values[..., :2], equal_nan=True)
    assert any("3 frames between the first and the last have no person" in note for note in pose.notes)


def test_entries_in_another_order_and_other_image_names(tmp_path, cpu):
    values = human.walk(30, 17)
    content = [{**each, "image_id": f"trial2_{n + 4:06d}.png"} for n, each in enumerate(entries(values))]
    pose = read_pose(write(tmp_path, content[::-1]), 30.0, cpu)
    assert pose.frame_numbers.tolist() == list(range(4, 34))
    assert np.array_equal(pose.position[:, 0], values[..., :2])


@pytest.mark.parametrize("wrap", [lambda number: number, lambda number: [float(number)], lambda number: [[number]]])
def test_people_are_followed_by_their_identity(tmp_path, cpu, wrap):
    first, second = human.walk(300, 17, seed=1), human.walk(300, 17, seed=2)
    content = [*entries(second, idx=wrap(7)), *entries(first, idx=wrap(2))]
    pose = read_pose(write(tmp_path, content), 30.0, cpu)
    assert pose.individuals == ("person_2", "person_7")
    assert np.array_equal(pose.position[:, 0], first[..., :2])
    assert np.array_equal(pose.position[:, 1], second[..., :2])


@pytest.mark.parametrize("more", [{}, {"idx": [0.0]}, {"idx": [1, 2]}])
def test_people_without_identities_are_refused(tmp_path, cpu, more):
    values = human.walk(30, 17)
    with pytest.raises(BadInput, match="--pose_track"):
        read_pose(write(tmp_path, [*entries(values, **more), entry(12, values[0], **more)]), 30.0, cpu)


def test_short_tracks_are_left_out_with_their_lengths(tmp_path, cpu):
    values = human.walk(400, 17)
    content = [entry(n, frame, idx=0 if n < 300 else n // 50) for n, frame in enumerate(values)]
    pose = read_pose(write(tmp_path, content), 30.0, cpu)
    assert pose.individuals == ("person_0",)
    assert np.isnan(pose.position[300:]).all()
    (note,) = [note for note in pose.notes if "fewer than" in note]
    assert "2 of 3 tracks have fewer than 300 frames (10 s)" in note
    assert "'person_6' has 50 frames (300 to 349), 'person_7' has 50 frames (350 to 399)" in note
    chosen = read_pose(tmp_path / "alphapose-results.json", 30.0, cpu, individuals=("person_7",))
    assert np.array_equal(chosen.position[350:, 0], values[350:, :, :2])
    assert len(read_pose(tmp_path / "alphapose-results.json", 31.0, cpu).individuals) == 3  # none is long enough


GOOD = entries(human.walk(4, 17))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([*GOOD, 3], "not a pose file of AlphaPose"),
        ([*GOOD, {"image_id": "5.jpg"}], "not a pose file of AlphaPose"),
        ([*GOOD, {"image_id": [], "keypoints": []}], "not a pose file of AlphaPose"),
        ([*GOOD, {"image_id": "nose.jpg", "keypoints": [1, 2, 3]}], "the images are named"),
        ([*GOOD, {"image_id": "b_4.jpg", "keypoints": [1, 2, 3]}], "the images are named"),
        ([*GOOD, {"image_id": "4.jpg", "keypoints": [1, 2]}], "3 numbers for each keypoint"),
        ([*GOOD, {"image_id": "4.jpg", "keypoints": None}], "3 numbers for each keypoint"),
        ([*GOOD, {"image_id": "4.jpg", "keypoints": [1, 2, 3]}], "1 in 2-D and 17 in 2-D"),
        ([*GOOD, entry(10**15, np.ones((17, 3)))], "only 5 have people"),
        ([entry(10 * n, frame) for n, frame in enumerate(human.walk(20, 17))], "only every 10th frame"),
    ],
)
def test_damaged_content_is_refused_with_the_reason(cpu, tmp_path, content, message):
    with pytest.raises(BadInput, match=message):
        read_pose(write(tmp_path, content), 30.0, cpu)


@MANY
@given(damaged(json.dumps(GOOD).encode()))
def test_damaged_bytes_are_refused_or_read(tmp_path, cpu, content):
    path = write(tmp_path, GOOD)
    assert_read_or_refused(lambda: parse_pose(content, path, 30.0, cpu))


def test_other_files_are_not_alphapose(tmp_path):
    for content in ({"annotations": [{"image_id": 3, "keypoints": []}]}, [], [1], [{"image_id": "a"}]):
        assert not alphapose.sniff(write(tmp_path, content))
    assert not alphapose.sniff(tmp_path / "gone.json")
    assert not alphapose.sniff(tmp_path)


@pytest.mark.oracles
def test_positions_are_those_of_pose_format(tmp_path, cpu):
    oracle = pytest.importorskip("pose_format.utils.alphapose")
    path = write(tmp_path, entries(human.walk(20, 136), idx=0))
    pose = read_pose(path, 24.0, cpu)
    read = oracle.load_alphapose_wholebody_from_json(str(path))
    assert [len(component.points) for component in read.header.components] == [26, 68, 21, 21]
    assert np.allclose(pose.position, np.ma.getdata(read.body.data), equal_nan=True)
    assert np.allclose(pose.confidence, read.body.confidence)
    names = [
        re.sub("^(L|R)(?=[A-Z])", lambda side: {"L": "left", "R": "right"}[side[0]], name) for name in ALPHAPOSE[26][1]
    ]
    theirs = [name.replace("_", "").lower() for name in read.header.components[0].points]
    assert [{"head": "headtop", "hip": "pelvis"}.get(name.lower(), name.lower()) for name in names] == theirs
