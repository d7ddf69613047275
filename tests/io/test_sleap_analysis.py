"""SLEAP analysis files."""

import itertools
import json

import h5py
import numpy as np
import pytest
from damage import MANY, assert_read_or_refused, damaged
from hypothesis import given
from hypothesis import strategies as st
from sleap_files import MATLAB, NODES, PYTHON, parse, positions, write_analysis

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import sleap_analysis
from bsoid_gpu.io.reader import Outline, Request


def test_positions_by_hand(tmp_path, cpu):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["node_names"] = np.array(["nose", "tail"], "S")
        file["track_names"] = np.array(["mouse"], "S")
        file["track_occupancy"] = np.ones((3, 1), np.uint8)
        file["tracks"] = [[[[1.0, 2.0, 3.0], [4.0, 5.0, np.nan]], [[10.0, 20.0, 30.0], [40.0, 50.0, np.nan]]]]
        file["point_scores"] = [[[0.1, 0.2, 0.3], [0.4, 0.5, np.nan]]]
    pose = parse(tmp_path / "a.h5", cpu)
    assert pose.individuals == ("mouse",)
    assert pose.keypoints == ("nose", "tail")
    assert pose.position[:, 0, 0].tolist() == [[1, 10], [2, 20], [3, 30]]
    assert pose.position[:2, 0, 1].tolist() == [[4, 40], [5, 50]]
    assert np.isnan(pose.position[2, 0, 1]).all()
    assert pose.confidence[:, 0].tolist() == [[0.1, 0.4], [0.2, 0.5], [0.3, 0.0]]
    assert pose.notes == ()
    assert sleap_analysis.outline(tmp_path / "a.h5") == Outline(
        3, ("nose", "tail"), 1, (tmp_path / "a.h5").stat().st_size
    )


@pytest.mark.parametrize("order", [MATLAB, MATLAB[::-1], PYTHON])
@pytest.mark.parametrize("tracks", [1, 2, 3])
def test_the_axes_are_known_by_their_lengths(tmp_path, cpu, order, tracks):
    values = positions(20, tracks)
    scores = np.random.default_rng(1).uniform(0.1, 1, values.shape[:3])
    more = {"track_occupancy": np.ones((tracks, 20) if order[-1] == "track" else (20, tracks))}
    pose = parse(write_analysis(tmp_path / "a.h5", values, order=order, scores=scores, **more), cpu)
    assert np.array_equal(pose.position, values)
    assert np.array_equal(pose.confidence, scores)


@pytest.mark.parametrize("order", list(itertools.permutations(PYTHON)))
def test_the_axes_are_those_that_the_file_states(tmp_path, cpu, order):
    values = positions(2, 2, 2)  # all lengths are equal
    scores = np.random.default_rng(1).uniform(0.1, 1, values.shape[:3])
    path = write_analysis(tmp_path / "a.h5", values, order=order, scores=scores, nodes=NODES[:2], dims=True)
    pose = parse(path, cpu)
    assert np.array_equal(pose.position, values)
    assert np.array_equal(pose.confidence, scores)


def test_axes_that_may_be_either_are_refused(tmp_path, cpu):
    path = write_analysis(tmp_path / "a.h5", positions(2, 2, 2), nodes=NODES[:2])
    with pytest.raises(BadInput, match=r"'track', 'xy', 'node', 'frame'\) or .*export the analysis file again"):
        parse(path, cpu)


@pytest.mark.parametrize(
    "change",
    [
        {"names": ["a"]},
        {"nodes": NODES[:2]},
        {"order": ("xy", "node", "track", "frame")},
        {"track_occupancy": np.ones((20, 3))},
        {"scores": np.ones((19, 2, 3))},
    ],
)
def test_shapes_that_do_not_fit_the_names_are_refused(tmp_path, cpu, change):
    with pytest.raises(BadInput, match=r"none of the known orders by their lengths: 'tracks' .*expected \('track'"):
        parse(write_analysis(tmp_path / "a.h5", positions(20, 2), **change), cpu)


@pytest.mark.parametrize("tracks", [1, 2])
def test_tracks_without_names(tmp_path, cpu, tracks):
    values = positions(20, tracks)
    pose = parse(write_analysis(tmp_path / "a.h5", values, names=[]), cpu)
    assert pose.individuals == ("track_0", "track_1")[:tracks]
    assert np.array_equal(pose.position, values)
    assert "without tracking" in pose.notes[0]


def test_two_nodes_and_one_track_without_a_name(tmp_path, cpu):
    values = positions(20, 1, 2)  # (1, 2, 2, 20), in the other order one frame of 20 tracks
    assert np.array_equal(
        parse(write_analysis(tmp_path / "a.h5", values, names=[], nodes=NODES[:2]), cpu).position, values
    )


def test_without_scores_of_points_no_position_is_filtered(tmp_path, cpu):
    pose = parse(write_analysis(tmp_path / "a.h5", positions(20), instance_scores=np.full((1, 20), 2.8)), cpu)
    assert (pose.confidence == 1).all()
    assert "instance_scores" in pose.notes[0]
    assert pose.notes[1].startswith("there are no likelihoods")


def test_labels_made_by_hand_have_no_score_and_count(tmp_path, cpu):
    values, scores = positions(20), np.full((20, 1, 3), 0.5)
    scores[4:6] = np.nan
    values[4, 0, 1] = np.nan
    pose = parse(write_analysis(tmp_path / "a.h5", values, scores=scores), cpu)
    assert np.array_equal(pose.position, values, equal_nan=True)
    assert pose.confidence[3:6, 0].tolist() == [[0.5, 0.5, 0.5], [1, 0, 1], [1, 1, 1]]
    assert pose.notes == ("2 frames have positions without a score, as labels made by hand: their confidence is 1",)


def test_no_position_where_the_track_is_absent(tmp_path, cpu):
    values, occupancy = positions(20, 2), np.ones((20, 2), bool)
    occupancy[5:8, 1] = False
    pose = parse(write_analysis(tmp_path / "a.h5", values, track_occupancy=occupancy), cpu)
    assert np.array_equal(np.isnan(pose.position).all(axis=(2, 3)), ~occupancy)
    assert "'track 1' has positions in 3 frames" in pose.notes[0]


def test_individuals_and_keypoints_are_chosen(tmp_path, cpu):
    values = positions(20, 3)
    path = write_analysis(tmp_path / "a.h5", values, scores=np.full(values.shape[:3], 0.5), names=["a", "b", "c"])
    pose = parse(path, cpu, keypoints=("tail", "nose"), individuals=("c", "a"))
    assert (pose.individuals, pose.keypoints) == (("c", "a"), ("tail", "nose"))
    assert np.array_equal(pose.position, values[:, [2, 0]][:, :, [2, 0]])
    with pytest.raises(BadInput, match="no individual is named 'd'"):
        parse(path, cpu, individuals=("d",))


@pytest.mark.parametrize(("stated", "accepted"), [(30, True), (29.97, True), (25.0, False), (None, True)])
def test_a_rate_that_the_file_states_is_compared(tmp_path, cpu, stated, accepted):
    path = write_analysis(tmp_path / "a.h5", positions(20))
    with h5py.File(path, "a") as file:
        file.attrs["video_backend_metadata"] = json.dumps({"fps": stated})
    if accepted:
        assert parse(path, cpu).fps == 30
    else:
        with pytest.raises(BadInput, match=r"25 frames per second, but 30 were given: give --fps 25"):
            parse(path, cpu)


def text_instead_of_numbers(file):
    del file["tracks"]
    file["tracks"] = np.full((1, 2, 3, 20), b"1.5")


def more_than_the_file_holds(file):
    del file["tracks"]
    file.create_dataset("tracks", (1, 2, 3, 10**12), "f8", chunks=True)


DAMAGE = {
    "no frames": lambda file: (file.__delitem__("tracks"), file.__setitem__("tracks", np.zeros((1, 2, 3, 0)))),
    "no tracks": lambda file: (file.__delitem__("tracks"), file.__setitem__("tracks", np.zeros((0, 2, 3, 20)))),
    "names are numbers": lambda file: (file.__delitem__("node_names"), file.__setitem__("node_names", 7)),
    "names are a group": lambda file: (file.__delitem__("node_names"), file.create_group("node_names")),
    "no names": lambda file: (file.__delitem__("node_names"), file.__setitem__("node_names", np.zeros(0))),
    "the same names": lambda file: file["node_names"].__setitem__(0, b"tail"),
    "text": text_instead_of_numbers,
    "too large": more_than_the_file_holds,
    "dims are no list": lambda file: file["tracks"].attrs.__setitem__("dims", "7"),
    "dims are no JSON": lambda file: file["tracks"].attrs.__setitem__("dims", "track"),
    "dims of other axes": lambda file: file["tracks"].attrs.__setitem__("dims", '["a", "xy", "node", "frame"]'),
    "dims of objects": lambda file: file["tracks"].attrs.__setitem__("dims", "[[], {}, 1, 2]"),
    "a list for the video": lambda file: file.attrs.__setitem__("video_backend_metadata", "[]"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_refused(tmp_path, cpu, damage):
    path = write_analysis(tmp_path / "a.h5", positions(20), names=["mouse"] if damage != "no tracks" else [])
    with h5py.File(path, "a") as file:
        DAMAGE[damage](file)
    with pytest.raises(BadInput, match=r"a\.h5|^a:"):
        sleap_analysis.parse(path.read_bytes(), path, Request(30.0, cpu))


def test_tracks_with_the_same_name_are_refused(tmp_path, cpu):
    with pytest.raises(BadInput, match=r"2 tracks are named 'a'.*join or rename"):
        parse(write_analysis(tmp_path / "a.h5", positions(20, 2), names=["a", "a"]), cpu)


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    path = tmp_path_factory.mktemp("sleap") / "a.h5"
    values = positions(20, 2)
    return write_analysis(
        path, values, scores=np.full(values.shape[:3], 0.5), dims=True, track_occupancy=np.ones((20, 2))
    )


@MANY
@given(st.data())
def test_damaged_bytes_are_refused_or_read(valid, cpu, data):
    content = data.draw(damaged(valid.read_bytes()))
    assert_read_or_refused(lambda: sleap_analysis.parse(content, valid, Request(30.0, cpu)))


def test_only_analysis_files_are_recognised(tmp_path, valid):
    assert sleap_analysis.sniff(valid)
    for name, content in {"empty.h5": b"", "cut.h5": valid.read_bytes()[:500], "a.h5": b"scorer"}.items():
        (tmp_path / name).write_bytes(content)
        assert not sleap_analysis.sniff(tmp_path / name)
    assert not sleap_analysis.sniff(tmp_path / "gone.h5")
    for name, shape in {"3d.h5": (2, 3, 4), "group.h5": None}.items():
        with h5py.File(tmp_path / name, "w") as file:
            file["node_names"] = np.array(NODES, "S")
            file.create_dataset("tracks", shape, "f8") if shape else file.create_group("tracks")
        assert not sleap_analysis.sniff(tmp_path / name)
