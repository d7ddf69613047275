"""MMPose: one JSON file a video."""

import json

import human
import numpy as np
import pytest
from damage import MANY, assert_read_or_refused, damaged
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import find_sessions, formats, mmpose, outline, parse_pose, read_file, read_pose


def instance(values, **more):
    return {
        "keypoints": values[:, :-1].tolist(),
        "keypoint_scores": values[:, -1].tolist(),
        "bbox": [[1.0, 2.0, 3.0, 4.0]],
        "bbox_score": 0.9,
        **more,
    }


def frames(values, first=0):
    return [{"frame_id": number, "instances": [instance(frame)]} for number, frame in enumerate(values, first)]


def write(path, content, indent=None):
    path.write_text(json.dumps(content, indent=indent))
    return path


def with_names(content, names):
    meta = {"dataset_name": "own", "num_keypoints": len(names), "keypoint_id2name": dict(enumerate(names))}
    return {"meta_info": meta, "instance_info": content}


def test_the_list_of_the_inferencer(tmp_path, cpu):
    values = human.walk(30, 17)
    content = frames(values)
    content[4]["instances"] = []
    values[4] = np.nan
    path = write(tmp_path / "mouse.json", content, indent="  ")
    pose = read_pose(path, 30.0, cpu)
    assert (pose.name, pose.individuals, pose.frames) == ("mouse", ("individual",), 30)
    assert np.array_equal(pose.position[:, 0], values[..., :2], equal_nan=True)
    assert np.array_equal(pose.confidence[:, 0], np.nan_to_num(values[..., 2]))
    assert pose.keypoints[:2] == ("keypoint_0", "keypoint_1")  # 17 are those of COCO, and others in animals
    assert any("gives no names" in note for note in pose.notes)
    size = outline(path)
    assert (size.frames, size.keypoints, size.individuals) == (30, pose.keypoints, 1)


def test_the_names_of_the_demonstrations_and_their_frame_numbers(tmp_path, cpu):
    values = human.walk(30, 3)
    path = write(tmp_path / "a.json", with_names(frames(values, first=1), ["nose", "left/ear", "tail"]), indent="\t")
    pose = read_pose(path, 30.0, cpu, keypoints=("tail", "nose"))
    assert pose.keypoints == ("tail", "nose")
    assert np.array_equal(pose.position[:, 0], values[:, [2, 0], :2])
    assert pose.frame_numbers.tolist() == list(range(1, 31))
    assert pose.notes == ("the frames begin at number 1: labels carry these numbers",)
    assert mmpose.sniff(path)


def test_three_dimensions(tmp_path, cpu):
    values = human.walk(10, 5, space=3)
    pose = read_pose(write(tmp_path / "a.json", frames(values)), 30.0, cpu)
    assert np.array_equal(pose.position[:, 0], values[..., :3])


def test_instances_are_followed_by_their_identity(tmp_path, cpu):
    first, second = human.walk(300, 3, seed=1), human.walk(300, 3, seed=2)
    content = [
        {"frame_id": number, "instances": [instance(b, track_id=2), instance(a, track_id=1)][:: 1 - 2 * (number % 2)]}
        for number, (a, b) in enumerate(zip(first, second, strict=True))
    ]
    pose = read_pose(write(tmp_path / "a.json", content), 30.0, cpu)
    assert pose.individuals == ("person_1", "person_2")
    assert np.array_equal(pose.position[:, 0], first[..., :2])
    assert np.array_equal(pose.position[:, 1], second[..., :2])
    for frame in content:
        for each in frame["instances"]:
            del each["track_id"]
    with pytest.raises(BadInput, match="300 of 300 frames have several people without identities"):
        read_pose(write(tmp_path / "a.json", content), 30.0, cpu)


def test_files_of_images_are_refused(tmp_path, cpu):
    for number, values in enumerate(human.walk(3, 3)):
        path = write(tmp_path / f"{number}.json", [instance(values)])
    assert not mmpose.sniff(path)
    with pytest.raises(BadInput, match="one image of MMPose"):
        read_pose(path, 30.0, cpu)
    assert find_sessions([tmp_path]) == [tmp_path]
    for read in (read_file, outline):
        with pytest.raises(BadInput, match="files of images"):
            read(tmp_path)


def test_other_json_files_are_left_out_of_a_folder_quietly(tmp_path, caplog):
    write(tmp_path / "package.json", {"name": "a", "version": "1.0"})
    write(tmp_path / "coco.json", {"images": [], "annotations": [{"keypoints": [1, 2, 2]}]})
    (tmp_path / "empty.json").write_text("")
    write(tmp_path / "pose.json", frames(human.walk(3, 3)))
    assert find_sessions([tmp_path]) == [tmp_path / "pose.json"]
    assert caplog.text == ""
    assert all(formats.recognise(tmp_path / name) is None for name in ("package.json", "coco.json", "empty.json"))
    with pytest.raises(BadInput, match=r"not a pose file of MMPose: expected frames .* of OpenPose, give the folder"):
        formats.outline(tmp_path / "package.json")


GOOD = frames(human.walk(4, 3))


def changed(**more):
    """The frames, with other content in the second one."""
    return [GOOD[0], {**GOOD[1], **more}, *GOOD[2:]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "not a pose file"),
        ({}, "not a pose file"),
        (7, "not a pose file"),
        ([GOOD[0], 3], "not a pose file"),
        ([{"frame_id": 0}], "not a pose file"),
        ({"meta_info": {}, "instance_info": None}, "not a pose file"),
        (changed(instances=None), "not a pose file"),
        (changed(instances=[3]), "an instance is no object"),
        (changed(instances=[{}]), "keypoints of shape"),
        (changed(instances=[{"keypoints": [[1, 2], [3]], "keypoint_scores": [1, 1]}]), "lists of numbers"),
        (changed(instances=[{"keypoints": [[1, 2]], "keypoint_scores": [1, 1]}]), "keypoints of shape"),
        (changed(instances=[{"keypoints": "abc", "keypoint_scores": [1, 1]}]), "lists of numbers"),
        (changed(instances=[instance(human.walk(1, 4)[0])]), "3 in 2-D and 4 in 2-D"),
        (changed(frame_id="one"), "a frame_id is 'one'"),
        (changed(frame_id=[[[]]]), "a frame_id is of type list"),
        (changed(frame_id=-1), "a frame_id is -1"),
        (changed(frame_id=1.5), "a frame_id is 1.5"),
        (changed(frame_id=0), "1 frame numbers are repeated"),
        (with_names(GOOD, ["a", "b"]), "not those of 3 keypoints"),
        (with_names(GOOD, ["a", "b", "b"]), "not those of 3 keypoints"),
        (with_names(GOOD, ["a", "b", 7]), "not those of 3 keypoints"),
        (with_names([{"frame_id": 0, "instances": []}], ["a"]), "no person with body keypoints"),
    ],
)
def test_damaged_content_is_refused_with_the_reason(cpu, tmp_path, content, message):
    with pytest.raises(BadInput, match=message):
        parse_pose(json.dumps(content).encode(), tmp_path / "a.json", 30.0, cpu)


@MANY
@given(damaged(json.dumps(with_names(GOOD, ["a", "b", "c"])).encode()))
def test_damaged_bytes_are_refused_or_read(tmp_path, cpu, content):
    assert_read_or_refused(lambda: parse_pose(content, tmp_path / "a.json", 30.0, cpu))


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
KEYS = st.sampled_from(["frame_id", "instances", "keypoints", "keypoint_scores", "meta_info", "instance_info", "idx"])
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))


@MANY
@given(JSON)
def test_any_json_is_refused_or_read(tmp_path, cpu, content):
    assert_read_or_refused(lambda: parse_pose(json.dumps(content).encode(), tmp_path / "a.json", 30.0, cpu))
