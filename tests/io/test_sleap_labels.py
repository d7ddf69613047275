"""SLEAP label files (.slp)."""

import json

import h5py
import numpy as np
import pytest
from damage import MANY, assert_read_or_refused, damaged
from hypothesis import given
from hypothesis import strategies as st
from sleap_files import NODES, Instance, parse, positions, write_labels

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import sleap_labels
from bsoid_gpu.io.reader import Outline, Request

HALF = (0.5, 0.5, 0.5)


def predicted(values, first=0, track=0, scores=HALF, **more):
    """One predicted instance in each frame of (frames, nodes, 2) positions."""
    return [Instance(first + number, xy, scores, track, **more) for number, xy in enumerate(values)]


def test_positions_by_hand(tmp_path, cpu):
    first = Instance(7, np.array([[1.0, 2.0], [3.0, 4.0], [np.nan, np.nan]]), (0.1, 0.2, 0.3))
    second = Instance(8, np.array([[5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]), (0.4, 0.5, 0.6), visible=(True, False, True))
    path = write_labels(tmp_path / "a.slp", [first, second])
    pose = parse(path, cpu)
    assert (pose.individuals, pose.keypoints) == (("mouse",), NODES)  # as in the skeleton, not as in the list of names
    assert pose.position[0, 0, :2].tolist() == [[1, 2], [3, 4]]
    assert pose.position[1, 0, ::2].tolist() == [[5, 6], [9, 10]]
    assert np.isnan(pose.position[[0, 1], 0, [2, 1]]).all()
    assert pose.confidence[:, 0].tolist() == [[0.1, 0.2, 0.0], [0.4, 0.0, 0.6]]
    assert pose.frame_numbers.tolist() == [7, 8]
    assert pose.notes == ("the frames begin at number 7: labels carry these numbers",)
    assert sleap_labels.outline(path) == Outline(2, NODES, 1, path.stat().st_size)


@pytest.mark.parametrize(("format_id", "shift"), [(1.0, 0.5), (1.1, 0.0), (1.2, 0.0), (2.8, 0.0)])
def test_in_old_files_the_corner_of_the_image_is_0_0(tmp_path, cpu, format_id, shift):
    values = positions(5)[:, 0]
    pose = parse(write_labels(tmp_path / "a.slp", predicted(values), format_id=format_id), cpu)
    assert np.array_equal(pose.position[:, 0], values - shift)
    assert len(pose.notes) == (shift > 0)


def test_tracks_are_individuals_and_their_missing_frames_are_nan(tmp_path, cpu):
    values = positions(6, 2)
    one, other = predicted(values[:, 0]), predicted(values[:, 1], track=1)
    path = write_labels(tmp_path / "a.slp", [*one[:4], *other[1:3], *other[5:]], tracks=("a", "b"), empty=(4,))
    pose = parse(path, cpu)
    present = np.array([[1, 1, 1, 1, 0, 0], [0, 1, 1, 0, 0, 1]], bool).T
    assert pose.individuals == ("a", "b")
    assert pose.frame_numbers.tolist() == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(pose.position, np.where(present[..., None, None], values, np.nan), equal_nan=True)
    assert np.array_equal(pose.confidence, np.where(present[..., None], HALF, 0))
    assert parse(path, cpu, individuals=("b",)).individuals == ("b",)
    assert parse(path, cpu, keypoints=("tail",)).position.shape == (6, 2, 1, 2)


def test_frames_without_an_instance_have_no_positions(tmp_path, cpu):
    values = positions(6)[:, 0]
    pose = parse(write_labels(tmp_path / "a.slp", predicted(values[:3]) + predicted(values[3:], first=13)), cpu)
    assert pose.frame_numbers.tolist() == list(range(16))
    assert np.array_equal(pose.position[np.r_[:3, 13:16], 0], values)
    assert np.isnan(pose.position[3:13]).all()
    assert pose.notes == ("10 frames between the first and the last have no instance",)


def test_most_frames_without_an_instance_are_a_gap(tmp_path, cpu):
    values = positions(6)[:, 0]
    pose = parse(write_labels(tmp_path / "a.slp", predicted(values[:3]) + predicted(values[3:], first=10**6)), cpu)
    assert pose.frames == 6
    assert "frames are left out" in pose.notes[0]


def test_instances_without_tracks_are_those_of_one_animal(tmp_path, cpu):
    values = positions(5)[:, 0]
    pose = parse(write_labels(tmp_path / "a.slp", predicted(values, track=-1), tracks=()), cpu)
    assert np.array_equal(pose.position[:, 0], values)
    assert pose.individuals == ("individual",)


def test_several_animals_without_tracks_are_refused(tmp_path, cpu):
    values = positions(5, 2)
    instances = predicted(values[:, 0], track=-1) + predicted(values[2:4, 1], first=2, track=-1)
    for tracks in ((), ("unused",)):
        with pytest.raises(BadInput, match=r"up to 2 animals are in one frame \(frames 2, 3\).*expected tracks"):
            parse(write_labels(tmp_path / "a.slp", instances, tracks=tracks), cpu)
    by_hand = Instance(2, values[2, 0], track=-1)  # does not decide between the two predicted ones
    with pytest.raises(BadInput, match="expected tracks"):
        parse(write_labels(tmp_path / "a.slp", [*instances, by_hand], tracks=()), cpu)


def test_instances_without_a_track_among_others_are_left_out(tmp_path, cpu):
    values = positions(5, 2)
    instances = predicted(values[:, 0]) + predicted(values[2:4, 1], first=2, track=-1)
    pose = parse(write_labels(tmp_path / "a.slp", [*instances, Instance(4, values[4, 1], track=-1)]), cpu)
    assert np.array_equal(pose.position[:, 0], values[:, 0])
    assert "3 instances without a track are left out (frames 2, 3, 4)" in pose.notes[0]


@pytest.mark.parametrize("track", [0, -1])
def test_labels_made_by_hand_replace_the_prediction_that_they_correct(tmp_path, cpu, track):
    values, corrected = positions(5, 2), positions(5, seed=1)[:, 0]
    instances = predicted(values[:, 0]) + predicted(values[:, 1], track=1)
    by_hand = Instance(3, corrected[3], track=track, source=3)  # takes the track of instance 3
    path = write_labels(tmp_path / "a.slp", [*instances, by_hand], tracks=("a", "b"))
    pose = parse(path, cpu)
    expected = values.copy()
    expected[3, 0] = corrected[3]
    assert np.array_equal(pose.position, expected)
    assert pose.confidence[3, :, 0].tolist() == [1.0, 0.5]
    assert pose.notes == (
        "in 1 frames instances labelled by hand replace the predicted ones",
        "1 frames are labelled by hand: the confidence of these positions is 1",
    )


@pytest.mark.parametrize("track", [0, -1])
def test_labels_made_by_hand_replace_the_prediction_of_their_track(tmp_path, cpu, track):
    values, by_hand = positions(5)[:, 0], positions(5, seed=1)[:, 0]
    instances = [Instance(2, by_hand[2], track=track, source=0), *predicted(values, track=track)]  # 0 is itself
    pose = parse(write_labels(tmp_path / "a.slp", instances), cpu)
    place = pose.frame_numbers.tolist().index(2)
    assert np.array_equal(pose.position[place, 0], by_hand[2])
    assert np.array_equal(np.delete(pose.position[:, 0], place, axis=0), np.delete(values, 2, axis=0))


def test_a_correction_may_be_of_another_track_and_only_of_its_own_frame(tmp_path, cpu):
    values, corrected = positions(5), positions(5, seed=1)[:, 0]
    other_track = Instance(3, corrected[3], track=1, source=3)
    other_frame = Instance(2, corrected[2], track=-1, source=1)  # corrects nothing, has no track
    instances = [*predicted(values[:, 0]), other_track, other_frame]
    pose = parse(write_labels(tmp_path / "a.slp", instances, tracks=("a", "b")), cpu)
    assert np.array_equal(np.isnan(pose.position[:, :, 0, 0]), [[0, 1], [0, 1], [0, 1], [1, 0], [0, 1]])
    assert np.array_equal(pose.position[[0, 1, 2, 4], 0], values[[0, 1, 2, 4], 0])
    assert np.array_equal(pose.position[3, 1], corrected[3])


def test_frames_of_a_track_are_those_with_a_visible_point(tmp_path, cpu):
    values = positions(30)[:, 0]
    values[[0, 19]] = np.nan
    instances = predicted(values[:20], first=7) + predicted(values[20:], first=27, track=1)
    pose = parse(write_labels(tmp_path / "a.slp", instances, tracks=("a", "b")), cpu, fps=1.5)
    assert pose.individuals == ("a",)
    assert "'a' has 18 frames (8 to 25), 'b' has 10 frames (27 to 36)" in pose.notes[0]


def test_a_file_of_labels_made_by_hand_has_no_likelihoods(tmp_path, cpu):
    values = positions(5)[:, 0]
    values[1, 2] = np.nan
    pose = parse(write_labels(tmp_path / "a.slp", [Instance(t, xy, track=-1) for t, xy in enumerate(values)]), cpu)
    assert np.array_equal(pose.position[:, 0], values, equal_nan=True)
    assert pose.confidence[:, 0, 2].tolist() == [1, 0, 1, 1, 1]
    assert pose.notes[1].startswith("there are no likelihoods")


def test_several_instances_of_one_track_in_a_frame_are_refused(tmp_path, cpu):
    values = positions(5, 2)
    instances = predicted(values[:, 0]) + predicted(values[3:4, 1], first=3)
    with pytest.raises(BadInput, match=r"the track 'mouse' has several instances in one frame \(frames 3\)"):
        parse(write_labels(tmp_path / "a.slp", instances), cpu)


def test_used_tracks_have_different_names(tmp_path, cpu):
    values = positions(5, 2)
    one, other = predicted(values[:, 0]), predicted(values[:, 1], track=1)
    assert parse(write_labels(tmp_path / "a.slp", one, tracks=("a", "a")), cpu).individuals == ("a",)
    with pytest.raises(BadInput, match="2 tracks are named 'a'"):
        parse(write_labels(tmp_path / "a.slp", one + other, tracks=("a", "a")), cpu)


def test_several_videos_are_refused(tmp_path, cpu):
    values = positions(5)[:, 0]
    videos = [{"backend": {"filename": "one.mp4"}}, {"filename": ["two/img0.png", "two/img1.png"]}]
    both = predicted(values) + predicted(values, video=1)
    with pytest.raises(BadInput, match=r"holds 2 videos \('one.mp4', 'two/img0.png'\)"):
        parse(write_labels(tmp_path / "a.slp", both, videos=videos), cpu)
    pose = parse(write_labels(tmp_path / "a.slp", both[5:], videos=videos, empty=(3,)), cpu)  # the first has no animal
    assert np.array_equal(pose.position[:, 0], values)
    assert pose.frame_numbers.tolist() == [0, 1, 2, 3, 4]


def test_several_skeletons_are_refused(tmp_path, cpu):
    values = positions(5, 2)
    skeletons = [{"nodes": [{"id": 0}, {"id": 1}, {"id": 2}]}, {"nodes": [{"id": 2}, {"id": 1}, {"id": 0}]}]
    instances = predicted(values[:, 0]) + predicted(values[:, 1], track=1, skeleton=1)
    path = write_labels(tmp_path / "a.slp", instances, tracks=("a", "b"), skeletons=skeletons)
    with pytest.raises(BadInput, match="2 skeletons"):
        parse(path, cpu)
    path = write_labels(tmp_path / "a.slp", predicted(values[:, 0], skeleton=1), skeletons=skeletons)
    assert parse(path, cpu).keypoints == NODES


@pytest.mark.parametrize(
    "video",
    [
        {"backend": {"filename": "a.mp4", "fps": 25.0}},
        {"backend": {"dataset": "video0/video"}, "source_video": {"backend": {"fps": 25}}},
    ],
)
def test_a_rate_that_the_file_states_is_compared(tmp_path, cpu, video):
    path = write_labels(tmp_path / "a.slp", predicted(positions(5)[:, 0]), videos=[video])
    assert parse(path, cpu, fps=25.1).fps == 25.1
    with pytest.raises(BadInput, match=r"25 frames per second, but 30 were given"):
        parse(path, cpu)


def test_the_number_of_a_video_may_be_that_of_its_images(tmp_path, cpu):
    videos = [{"backend": {"dataset": f"video{number}/video", "fps": fps}} for number, fps in ((4, 30), (15, 25))]
    path = write_labels(tmp_path / "a.slp", predicted(positions(5)[:, 0], video=15), videos=videos)
    with pytest.raises(BadInput, match="25 frames per second"):
        parse(path, cpu)


def changed(name, **fields):
    """Damage of a table."""

    def damage(file):
        rows = file[name][()]
        for field, value in fields.items():
            rows[field] = value
        file[name][...] = rows

    return damage


def metadata(**values):
    def damage(file):
        file["metadata"].attrs["json"] = json.dumps(values)

    return damage


DAMAGE = {
    "no instances": changed("frames", instance_id_end=0, instance_id_start=0),
    "instances beyond the end": changed("frames", instance_id_end=2**40),
    "negative ranges": changed("frames", instance_id_start=2**63),
    "one instance in all frames": changed("frames", instance_id_start=0, instance_id_end=1),
    "repeated frames": changed("frames", frame_idx=3),
    "points beyond the end": changed("instances", point_id_start=2**40, point_id_end=2**40 + 3),
    "too few points": changed("instances", point_id_end=0),
    "a track that does not exist": changed("instances", track=1),
    "a negative track": changed("instances", track=-2),
    "a skeleton that does not exist": changed("instances", skeleton=1),
    "no skeletons": metadata(skeletons=[], nodes=[]),
    "a skeleton without nodes": metadata(skeletons=[{"nodes": []}], nodes=[]),
    "nodes without names": metadata(skeletons=[{"nodes": [{"id": 0}] * 3}], nodes=[{}]),
    "nodes of one name": metadata(skeletons=[{"nodes": [{"id": 0}] * 3}], nodes=[{"name": "a"}]),
    "metadata are no JSON": lambda file: file["metadata"].attrs.__setitem__("json", "{"),
    "no format": lambda file: file["metadata"].attrs.__delitem__("format_id"),
    "no points": lambda file: file.__delitem__("pred_points"),
    "points are a group": lambda file: (file.__delitem__("points"), file.create_group("points")),
    "frames are numbers": lambda file: (file.__delitem__("frames"), file.__setitem__("frames", np.arange(5))),
    "tracks are no lists": lambda file: (file.__delitem__("tracks_json"), file.__setitem__("tracks_json", [b"7"])),
    "videos are no objects": lambda file: (file.__delitem__("videos_json"), file.__setitem__("videos_json", [b"[7]"])),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_refused(tmp_path, cpu, damage):
    path = write_labels(tmp_path / "a.slp", predicted(positions(5)[:, 0]))
    with h5py.File(path, "a") as file:
        DAMAGE[damage](file)
    with pytest.raises(BadInput, match=r"a\.slp|^a:"):
        sleap_labels.parse(path.read_bytes(), path, Request(30.0, cpu))


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    values = positions(10, 2)
    instances = [*predicted(values[:, 0]), *predicted(values[:, 1], track=1), Instance(3, values[3, 0], source=3)]
    return write_labels(tmp_path_factory.mktemp("sleap") / "a.slp", instances, tracks=("a", "b"))


@MANY
@given(st.data())
def test_damaged_bytes_are_refused_or_read(valid, cpu, data):
    content = data.draw(damaged(valid.read_bytes()))
    assert_read_or_refused(lambda: sleap_labels.parse(content, valid, Request(30.0, cpu)))


def test_only_label_files_are_recognised(tmp_path, valid):
    assert sleap_labels.sniff(valid)
    for name, content in {"empty.slp": b"", "cut.slp": valid.read_bytes()[:500], "a.slp": b"scorer"}.items():
        (tmp_path / name).write_bytes(content)
        assert not sleap_labels.sniff(tmp_path / name)
    assert not sleap_labels.sniff(tmp_path / "gone.slp")
