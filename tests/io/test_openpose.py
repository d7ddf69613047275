"""OpenPose: folders with one JSON file a frame."""

import json
import shutil
from pathlib import Path

import human
import numpy as np
import pytest
from damage import MANY, assert_read_or_refused, damaged
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import find_sessions, formats, openpose, outline, parse_pose, read_file, read_pose
from bsoid_gpu.io.human_keypoints import OPENPOSE
from bsoid_gpu.io.sessions import sources


def one(values):
    return [[human.openpose_person(frame)] for frame in values]


def test_a_folder_is_one_recording_named_after_it(tmp_path, cpu):
    values = human.walk()
    folder = human.openpose_folder(tmp_path / "trial.1", one(values))
    pose = read_pose(folder, 25.0, cpu)
    assert (pose.name, pose.individuals, pose.frames) == ("trial.1", ("individual",), 40)
    assert pose.keypoints == OPENPOSE[25][1]
    assert np.array_equal(pose.position[:, 0], values[..., :2])
    assert np.array_equal(pose.confidence[:, 0], values[..., 2])
    assert len(pose.notes) == 1  # the names are those of BODY_25
    assert "BODY_25" in pose.notes[0]
    size = outline(folder)
    assert (size.frames, size.keypoints, size.individuals) == (40, pose.keypoints, 1)
    assert size.size == sum(path.stat().st_size for path in folder.iterdir()) == sources([folder])[0].size()


@pytest.mark.parametrize(
    ("keypoints", "model", "first"), [(25, "BODY_25", "Nose"), (18, "COCO", "Nose"), (15, "MPI", "Head")]
)
def test_the_number_of_keypoints_gives_the_model(tmp_path, cpu, keypoints, model, first):
    pose = read_pose(human.openpose_folder(tmp_path / "a", one(human.walk(5, keypoints))), 25.0, cpu)
    assert (len(pose.keypoints), pose.keypoints[0]) == (keypoints, first)
    assert len(set(pose.keypoints)) == keypoints
    assert model in pose.notes[0]


def test_keypoints_of_an_unknown_model_are_numbered(tmp_path, cpu):
    pose = read_pose(human.openpose_folder(tmp_path / "a", one(human.walk(5, 7))), 25.0, cpu)
    assert pose.keypoints == tuple(f"keypoint_{number}" for number in range(7))
    assert "gives no names" in pose.notes[0]


def test_frame_numbers_are_those_of_the_names(tmp_path, cpu):
    folder = human.openpose_folder(tmp_path / "a", one(human.walk(20)), first=7)
    (folder / "walk_000000000010_keypoints.json").unlink()
    pose = read_pose(folder, 25.0, cpu)
    assert pose.frame_numbers.tolist() == [7, 8, 9, *range(11, 27)]
    assert any("begin at number 7" in note for note in pose.notes)
    assert any("1 frames are left out (10 to 10)" in note for note in pose.notes)


def test_numbers_without_leading_zeros_are_sorted_as_numbers(tmp_path, cpu):
    values = human.walk(12)
    folder = human.openpose_folder(tmp_path / "a", one(values))
    for number, path in enumerate(sorted(folder.iterdir())):
        path.rename(folder / f"{number}_keypoints.json")  # a camera has no name
    pose = read_pose(folder, 25.0, cpu)
    assert np.array_equal(pose.position[:, 0], values[..., :2])


def test_every_fifth_frame_is_refused(tmp_path, cpu):
    folder = human.openpose_folder(tmp_path / "a", one(human.walk(20)))
    for path in list(folder.iterdir()):
        if int(path.name[5:17]) % 5:
            path.unlink()
    with pytest.raises(BadInput, match="only every 5th frame"):
        read_pose(folder, 25.0, cpu)


def test_zeros_are_missing_and_frames_without_a_person_too(tmp_path, cpu):
    values = human.walk(10)
    values[3, 4] = 0
    frames = one(values)
    frames[6] = []
    frames[7] = [human.openpose_person(np.zeros((25, 3)))]  # a person without any keypoint is none
    pose = read_pose(human.openpose_folder(tmp_path / "a", frames), 25.0, cpu)
    missing = np.isnan(pose.position[:, 0]).all(axis=-1)
    expected = np.zeros((10, 25), dtype=bool)
    expected[3, 4] = True
    expected[6:8] = True
    assert np.array_equal(missing, expected)
    assert np.array_equal(pose.confidence[:, 0] == 0, expected)


def test_keypoints_that_nobody_has_are_left_out_unless_requested(tmp_path, cpu):
    values = human.walk(10)
    values[:, [10, 11]] = 0
    folder = human.openpose_folder(tmp_path / "a", one(values))
    pose = read_pose(folder, 25.0, cpu)
    assert len(pose.keypoints) == 23
    assert [note for note in pose.notes if "left out" in note] == [
        "2 of 25 keypoints have no position in any frame and are left out: RKnee, RAnkle"
    ]
    assert np.array_equal(pose.position[:, 0], np.delete(values, [10, 11], axis=1)[..., :2])
    assert outline(folder).keypoints == pose.keypoints
    chosen = read_pose(folder, 25.0, cpu, keypoints=("RKnee", "Nose"))
    assert chosen.keypoints == ("RKnee", "Nose")
    assert np.isnan(chosen.position[:, 0, 0]).all()
    assert np.array_equal(chosen.position[:, 0, 1], values[:, 0, :2])


def test_people_are_followed_by_their_identity_in_any_order(tmp_path, cpu):
    first, second = human.walk(300, seed=1), human.walk(300, seed=2)
    frames = [[human.openpose_person(a, 5), human.openpose_person(b, 0)] for a, b in zip(first, second, strict=True)]
    frames = [people[::-1] if number % 2 else people for number, people in enumerate(frames)]
    frames[100] = frames[100][1:]  # the first one is out of sight
    pose = read_pose(human.openpose_folder(tmp_path / "a", frames), 25.0, cpu)
    assert pose.individuals == ("person_0", "person_5")
    assert np.array_equal(pose.position[:, 0], second[..., :2])
    first[100] = np.nan
    assert np.array_equal(pose.position[:, 1], first[..., :2], equal_nan=True)
    chosen = read_pose(tmp_path / "a", 25.0, cpu, individuals=("person_5",))
    assert np.array_equal(chosen.position[:, 0], first[..., :2], equal_nan=True)


def test_people_without_identities_are_refused(tmp_path, cpu):
    values = human.walk(30)
    frames = one(values)
    frames[12] = [*frames[12], human.openpose_person(values[0])]
    folder = human.openpose_folder(tmp_path / "a", frames, first=100)
    with pytest.raises(BadInput, match=r"1 of 30 frames .* the first is frame 112 with 2\. .*--number_people_max 1"):
        read_pose(folder, 25.0, cpu)


def test_an_identity_that_occurs_twice_in_a_frame_is_refused(tmp_path, cpu):
    frames = [[human.openpose_person(a, 0), human.openpose_person(a + 9, 0)] for a in human.walk(5)]
    with pytest.raises(BadInput, match="two people have the identity 0 in frame 0"):
        read_pose(human.openpose_folder(tmp_path / "a", frames), 25.0, cpu)


def test_people_without_an_identity_among_others_are_left_out_with_a_note(tmp_path, cpu):
    values = human.walk(300)
    frames = [[human.openpose_person(a, 3), human.openpose_person(a + 50)] for a in values]
    pose = read_pose(human.openpose_folder(tmp_path / "a", frames), 25.0, cpu)
    assert pose.individuals == ("person_3",)
    assert np.array_equal(pose.position[:, 0], values[..., :2])
    assert any("300 people without an identity are left out" in note for note in pose.notes)


def test_three_dimensions_are_read_where_they_are(tmp_path, cpu):
    values = human.walk(10, space=3)
    frames = [
        [{**human.openpose_person(frame[:, [0, 1, 3]]), "pose_keypoints_3d": frame.ravel().tolist()}]
        for frame in values
    ]
    frames[4][0]["pose_keypoints_3d"] = []
    values[4] = np.nan
    pose = read_pose(human.openpose_folder(tmp_path / "a", frames), 25.0, cpu)
    assert np.array_equal(pose.position[:, 0], values[..., :3], equal_nan=True)
    assert any("3-D keypoints are read" in note and "1 people have none" in note for note in pose.notes)


def test_faces_and_hands_and_other_files_are_left_out_with_a_note(tmp_path, cpu):
    frames = one(human.walk(5))
    frames[2][0]["face_keypoints_2d"] = [1.0, 2.0, 0.5] * 70
    folder = human.openpose_folder(tmp_path / "a", frames)
    (folder / "walk_000000000000_rendered.png").write_bytes(b"")
    (folder / "tracks.csv").write_text("scorer")
    pose = read_pose(folder, 25.0, cpu)
    assert len(pose.keypoints) == 25
    assert any("faces and hands" in note for note in pose.notes)
    assert any("'tracks.csv'" in note for note in pose.notes)
    assert not any("png" in note for note in pose.notes)


def test_files_of_several_recordings_are_refused(tmp_path, cpu):
    human.openpose_folder(tmp_path / "a", one(human.walk(5)), name="left_")
    folder = human.openpose_folder(tmp_path / "a", one(human.walk(5)), name="right_")
    for read in (read_file, outline):
        with pytest.raises(BadInput, match=r"2 recordings \('left', 'right'\)"):
            read(folder)


def test_folders_are_recordings_among_the_sessions(tmp_path):
    for name in ("two", "one"):
        human.openpose_folder(tmp_path / name, one(human.walk(3)))
    (tmp_path / "empty").mkdir()
    assert find_sessions([tmp_path / "two"]) == [tmp_path / "two"]
    assert find_sessions([tmp_path]) == [tmp_path / "one", tmp_path / "two"]


def test_other_folders_are_not_openpose(tmp_path):
    (tmp_path / "package.json").write_text("{}")
    assert not openpose.sniff(tmp_path)
    (tmp_path / "a_000000000000_keypoints.json").write_text('{"annotations": []}')
    assert not openpose.sniff(tmp_path)
    assert not openpose.sniff(tmp_path / "gone")
    with pytest.raises(BadInput, match="directory without files as OpenPose"):
        read_file(tmp_path.parent)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not JSON"),
        ('{"version": 1.3, "people": [{"pose_keypoints_2d": [1, 2', "is not JSON"),
        ("[1, 2, 3]", "is not a frame of OpenPose"),
        ("null", "is not a frame of OpenPose"),
        ('{"version": 1.3}', "is not a frame of OpenPose"),
        ('{"people": {}}', "is not a frame of OpenPose"),
        ('{"people": [3]}', "is not a frame of OpenPose"),
        ('{"people": [], "people": []}', "a key occurs twice"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "3 numbers for each keypoint"),
        ('{"people": [{"pose_keypoints_2d": ["x", 2, 3]}]}', "expected lists of numbers"),
        ('{"people": [{"pose_keypoints_2d": {"x": 1}}]}', "expected lists of numbers"),
        ('{"people": [{"pose_keypoints_2d": [[1, 2, 3], [1]]}]}', "expected lists of numbers"),
        ('{"people": [{"pose_keypoints_2d": 7}]}', "3 numbers for each keypoint"),
        ('{"people": [{"pose_keypoints_2d": [' + "9" * 400 + ", 1, 1]}]}", "expected lists of numbers"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, cpu, content, message):
    folder = human.openpose_folder(tmp_path / "a", one(human.walk(8)))
    (folder / "walk_000000000003_keypoints.json").write_text(content)
    with pytest.raises(BadInput, match=message) as caught:
        read_pose(folder, 25.0, cpu)
    assert "walk_000000000003_keypoints.json" in str(caught.value)


def test_people_with_other_numbers_of_keypoints_are_refused(tmp_path, cpu):
    frames = [*one(human.walk(4)), *one(human.walk(4, 18))]
    with pytest.raises(BadInput, match="18 in 2-D and 25 in 2-D keypoints"):
        read_pose(human.openpose_folder(tmp_path / "a", frames), 25.0, cpu)
    with pytest.raises(BadInput, match="no person with body keypoints"):
        read_pose(human.openpose_folder(tmp_path / "b", [[], []]), 25.0, cpu)


def test_infinite_and_missing_numbers_are_missing_positions(tmp_path, cpu):
    folder = human.openpose_folder(tmp_path / "a", one(human.walk(8)))
    content = {"people": [human.openpose_person(human.walk(1)[0])]}
    content["people"][0]["pose_keypoints_2d"][:9] = [np.nan, 1.0, 0.9, np.inf, 1.0, 0.9, None, 1.0, 0.9]
    (folder / "walk_000000000003_keypoints.json").write_text(json.dumps(content))
    pose = read_pose(folder, 25.0, cpu)
    assert np.isnan(pose.position[3, 0, :3]).all()
    assert np.isfinite(pose.position[3, 0, 3:]).all()


@MANY
@given(st.data())
def test_damaged_content_is_refused_or_read(tmp_path, cpu, data):
    folder = human.openpose_folder(tmp_path / "a", one(human.walk(4, 3)))
    content = data.draw(damaged(read_file(folder)))
    assert_read_or_refused(lambda: parse_pose(content, folder, 25.0, cpu))


def test_the_content_of_a_folder_is_that_of_its_files(tmp_path, cpu):
    folder = human.openpose_folder(tmp_path / "a", one(human.walk(6)))
    line, _, content = read_file(folder).partition(b"\n")
    assert json.loads(line)["frames"] == [[path.name, path.stat().st_size] for path in sorted(folder.iterdir())]
    assert content == b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_a_real_recording(recordings, tmp_path, cpu):
    folder = recordings / "formats" / "openpose" / "linguistik"
    pose = read_pose(folder, 25.0, cpu)
    assert (pose.name, pose.frames, len(pose.keypoints), pose.individuals) == ("linguistik", 176, 15, ("individual",))
    assert pose.position[41, 0, :2].tolist() == [[318.987, 154.49], [325.495, 264.153]]  # read by eye in its file
    assert pose.confidence[41, 0, :2].tolist() == [0.908806, 0.756562]
    assert len([note for note in pose.notes if "10 of 25 keypoints" in note]) == 1
    reader = formats.recognise(folder)
    assert reader is not None
    assert reader.name == "OpenPose"
    copy = Path(shutil.copytree(folder, tmp_path / "other"))
    (copy / "linguistik_000000000100_keypoints.json").write_bytes(b"")
    with pytest.raises(BadInput, match="linguistik_000000000100_keypoints"):
        read_pose(copy, 25.0, cpu)


@pytest.mark.oracles
def test_a_real_recording_is_as_pose_format_reads_it(recordings, cpu):
    openpose_oracle = pytest.importorskip("pose_format.utils.openpose")
    folder = recordings / "formats" / "openpose" / "linguistik"
    body = openpose_oracle.load_openpose_directory(str(folder), fps=25, width=640, height=480)
    names = tuple(body.header.components[0].points)
    assert names == OPENPOSE[25][1]
    confidence = np.asarray(body.body.confidence)[:, :, :25]
    expected = np.where(confidence[..., None] > 0, np.ma.getdata(body.body.data)[:, :, :25], np.nan)
    pose = read_pose(folder, 25.0, cpu, keypoints=names)
    assert np.allclose(pose.position, expected, equal_nan=True)
    assert np.allclose(pose.confidence, confidence)
