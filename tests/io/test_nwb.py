"""NWB files with ndx-pose."""

import io
from pathlib import Path

import h5py
import hdf5_poses
import numpy as np
import pytest
from damage import MANY, assert_read_or_refused, damaged
from hypothesis import given

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import Outline, nwb, outline, parse_pose, read_pose
from bsoid_gpu.io.formats import recognise

FRAMES = 40
TIMES = 2.5 + np.arange(FRAMES) / 30


def track(seed, space=2, **content):
    rng = np.random.default_rng(seed)
    return {"data": rng.normal(300, 50, (FRAMES, space)), "confidence": rng.uniform(0.1, 1, FRAMES), **content}


def mouse(seed=0, names=("snout", "left ear", "tail"), **content):
    """Arguments of a container whose series share their times."""
    content = content or {"times": TIMES}
    return {"series": {name: track(seed + i, **content) for i, name in enumerate(names)}}


def written(tmp_path, containers=None, **layout):
    return hdf5_poses.nwb(tmp_path / "m.nwb", containers or {"PoseEstimation": mouse()}, **layout)


def refuse(path, cpu, *parts, fps=30.0, **wanted):
    with pytest.raises(BadInput) as caught:
        read_pose(path, fps, cpu, **wanted)
    for part in (path.name, *parts):
        assert part in str(caught.value)


def stacked(container, names):
    return [np.stack([container["series"][name][what] for name in names], axis=1) for what in ("data", "confidence")]


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_keypoints_are_in_the_order_of_the_skeleton(tmp_path, cpu, version):
    content, order = mouse(), ("snout", "left ear", "tail")
    path = written(tmp_path, {"mouse": content}, **{"nodes" if version == "0.1" else "skeletons": list(order)})
    pose = read_pose(path, 30.0, cpu)
    data, confidence = stacked(content, order)
    assert (pose.name, pose.keypoints, pose.individuals, pose.notes) == ("m", order, ("individual",), ())
    assert np.array_equal(pose.position[:, 0], data)
    assert np.array_equal(pose.confidence[:, 0], confidence)
    assert pose.frame_numbers.tolist() == list(range(FRAMES))
    assert pose.start_s == 2.5
    assert outline(path) == Outline(FRAMES, order, 1, path.stat().st_size)
    assert recognise(path) is nwb.READERS[0]


def test_without_a_skeleton_keypoints_are_in_alphabetical_order(tmp_path, cpu):
    assert read_pose(written(tmp_path), 30.0, cpu).keypoints == ("left ear", "snout", "tail")
    pose = read_pose(written(tmp_path, nodes=["snout", "tail", "paw"]), 30.0, cpu)
    assert pose.keypoints == ("left ear", "snout", "tail")
    assert "does not name all keypoints" in pose.notes[0]


def test_series_named_by_neuroconv(tmp_path, cpu):
    content = mouse(names=("PoseEstimationSeriesb", "PoseEstimationSeriesa"))
    pose = read_pose(written(tmp_path, {"m": content}, skeletons=["b", "a"]), 30.0, cpu)
    assert pose.keypoints == ("PoseEstimationSeriesb", "PoseEstimationSeriesa")


def test_a_rate_in_place_of_times_and_linked_times(tmp_path, cpu):
    by_rate = read_pose(written(tmp_path, {"m": mouse(rate=30.0, start=7.0)}), 30.0, cpu)
    assert by_rate.start_s == 7.0
    assert by_rate.frame_numbers.tolist() == list(range(FRAMES))
    content = mouse()
    for name in ("snout", "tail"):
        content["series"][name] |= {"times": None, "same_times_as": "left ear"}
    linked = read_pose(written(tmp_path, {"m": content}), 30.0, cpu)
    assert linked.start_s == 2.5
    assert np.array_equal(linked.position[:, 0, 1], content["series"]["snout"]["data"])


def test_rates_that_contradict_the_camera(tmp_path, cpu):
    path = written(tmp_path, {"m": mouse(rate=25.0)})
    refuse(path, cpu, "states 25 frames per second", "30 were given", "--fps 25")
    assert read_pose(path, 25.2, cpu).fps == 25.2
    refuse(written(tmp_path, {"m": mouse(times=np.arange(FRAMES) / 25)}), cpu, "25 frames per second", "30 were given")
    refuse(written(tmp_path, {"m": mouse(rate=0.0)}), cpu, "0.0", "a number above 0")
    refuse(written(tmp_path, {"m": mouse(data=np.ones((FRAMES, 2)))}), cpu, "neither timestamps nor")


def test_frames_that_are_left_out_are_a_gap(tmp_path, cpu):
    numbers = np.r_[0:30, 33:43]
    pose = read_pose(written(tmp_path, {"m": mouse(times=1.0 + numbers / 29.97)}), 30.0, cpu)
    assert np.array_equal(pose.frame_numbers, numbers)
    assert pose.start_s == 1.0
    assert "3 frames are left out (30 to 32)" in pose.notes[0]


def test_times_that_are_frame_numbers(tmp_path, cpu):
    pose = read_pose(written(tmp_path, {"m": mouse(times=np.arange(100.0, 100 + FRAMES))}), 30.0, cpu)
    assert pose.frame_numbers[[0, -1]].tolist() == [100, 100 + FRAMES - 1]
    assert pose.start_s == 0
    assert "they are frame numbers, not seconds; 30 frames per second as given" in pose.notes[0]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda times: times[::-1], "is followed by"),
        (lambda times: np.where(np.arange(FRAMES) == 5, times[4], times), "is repeated in row 6"),
        (lambda times: np.where(np.arange(FRAMES) == 5, np.nan, times), "the time of row 6 is nan"),
        (lambda times: times[:-1], "timestamps of shape (39,)"),
        (lambda times: times[:, None], "timestamps of shape (40, 1)"),
    ],
)
def test_times_that_cannot_be_used(tmp_path, cpu, change, part):
    refuse(written(tmp_path, {"m": mouse(times=change(TIMES))}), cpu, part)


def test_several_containers_are_several_animals(tmp_path, cpu):
    containers = {"resident": mouse(0), "intruder": mouse(10)}
    path = written(tmp_path, containers, nodes=["snout", "left ear", "tail"])
    pose = read_pose(path, 30.0, cpu)
    assert pose.individuals == ("intruder", "resident")
    for i, name in enumerate(pose.individuals):
        assert np.array_equal(pose.position[:, i], stacked(containers[name], pose.keypoints)[0])
    assert "'intruder', 'resident' are read as 2 animals: if they are cameras" in pose.notes[0]
    chosen = read_pose(path, 30.0, cpu, individuals=("resident",), keypoints=("tail",))
    assert (chosen.individuals, chosen.keypoints, chosen.notes) == (("resident",), ("tail",), ())
    assert np.array_equal(chosen.position[:, 0, 0], containers["resident"]["series"]["tail"]["data"])
    assert outline(path).individuals == 2


def test_containers_of_one_name_are_named_after_their_modules(tmp_path, cpu):
    path = written(tmp_path, {"track": mouse()}, module="video_0")
    with h5py.File(path, "a") as file:
        file.copy("processing/video_0", "processing/video_1")
    assert read_pose(path, 30.0, cpu).individuals == ("video_0/track", "video_1/track")


def test_containers_that_do_not_go_together(tmp_path, cpu):
    shorter = {"series": {name: track(3) | {"times": TIMES} for name in ("snout", "left ear", "tail")}}
    for content in shorter["series"].values():
        content |= {what: content[what][:30] for what in ("data", "confidence", "times")}
    path = written(tmp_path, {"left": mouse(), "right": shorter})
    refuse(path, cpu, "(30, 2)", "(40, 2)", "--individuals")
    assert read_pose(path, 30.0, cpu, individuals=("right",)).frames == 30
    path = written(tmp_path, {"left": mouse(), "right": mouse(times=TIMES + 0.01)})
    refuse(path, cpu, "/right/", "2.51", "2.5", "the same times", "--individuals")
    path = written(tmp_path, {"left": mouse(), "right": mouse(names=("paw",))})
    refuse(path, cpu, "'paw'", "--individuals left")


def test_series_that_do_not_go_together(tmp_path, cpu):
    content = mouse()
    content["series"]["tail"] |= {"data": np.ones((FRAMES, 3))}
    refuse(written(tmp_path, {"m": content}), cpu, "/tail", "(40, 3)", "(40, 2)")
    content["series"]["tail"] |= {"data": np.ones((FRAMES, 2)), "unit": "meters"}
    refuse(written(tmp_path, {"m": content}), cpu, "/tail", "meters", "pixels")
    content["series"]["tail"] = track(2, rate=30.0)
    refuse(written(tmp_path, {"m": content}), cpu, "/tail", "the time 0 in row 1", "2.5")
    content["series"]["tail"] = track(2, rate=30.0, start=2j)
    refuse(written(tmp_path, {"m": content}), cpu, "/tail", "neither real numbers")
    content["series"]["tail"] = track(2, rate=30.0 + 1j)
    refuse(written(tmp_path, {"m": content}), cpu, "'rate' holds neither real numbers nor strings")
    content["series"]["tail"] = track(2, times=TIMES, confidence=np.ones(FRAMES - 1))
    refuse(written(tmp_path, {"m": content}), cpu, "/tail", "the confidence has shape (39,)")
    for data in (np.ones(FRAMES), np.ones((FRAMES, 4)), np.full((FRAMES, 2), b"1")):
        content["series"]["tail"] = {"data": data, "times": TIMES}
        refuse(written(tmp_path, {"m": content}), cpu, "/tail", f"the data have shape {data.shape}")


def test_units_are_converted_and_said(tmp_path, cpu):
    content = mouse(times=TIMES, unit="meters", conversion=0.001, offset=2.0)
    pose = read_pose(written(tmp_path, {"m": content}), 30.0, cpu)
    assert np.allclose(pose.position[:, 0], stacked(content, pose.keypoints)[0] * 0.001 + 2.0)
    assert pose.notes == ("the positions are in meters, not in pixels",)
    refuse(written(tmp_path, {"m": mouse(times=TIMES, conversion=np.nan)}), cpu, "the conversion is nan")


def test_three_dimensions_with_the_views_of_the_cameras(tmp_path, cpu):
    content = mouse(times=TIMES, space=3) | {"kind": "MultiCameraPoseEstimation"}
    path = written(tmp_path, {"rig": content})
    with h5py.File(path, "a") as file:
        hdf5_poses.container(file["processing/behavior/rig"], "camera 1", **mouse())
    pose = read_pose(path, 30.0, cpu)
    assert pose.individuals == ("individual",)
    assert np.array_equal(pose.position[:, 0], stacked(content, pose.keypoints)[0])
    assert "views of single cameras are left out" in pose.notes[0]


def test_missing_positions_and_confidences(tmp_path, cpu):
    content = mouse()
    content["series"]["snout"]["data"][3] = np.nan
    content["series"]["tail"].pop("confidence")
    pose = read_pose(written(tmp_path, {"m": content}), 30.0, cpu, keypoints=("snout", "tail"))
    assert np.isnan(pose.position[3, 0, 0]).all()
    assert pose.confidence[3, 0, 0] == 0
    assert np.all(pose.confidence[:, 0, 1] == 1)
    assert "tail: the likelihood column is empty" in pose.notes[0]
    none = mouse(times=TIMES, confidence=None)
    assert "there are no likelihoods" in read_pose(written(tmp_path, {"m": none}), 30.0, cpu).notes[0]


def test_files_without_a_pose(tmp_path, cpu):
    path = written(tmp_path)
    with h5py.File(path, "a") as file:
        del file["processing/behavior/PoseEstimation"]
        hdf5_poses.typed(file.create_group("acquisition/electrodes"), "ElectricalSeries", "core")
        hdf5_poses.typed(file.create_group("processing/behavior/training"), "PoseTraining")
    refuse(path, cpu, "acquisition/electrodes (ElectricalSeries), processing/behavior/training (PoseTraining)")
    assert recognise(path) is None
    with pytest.raises(BadInput, match="has no pose"):
        outline(path)
    h5py.File(tmp_path / "empty.nwb", "w").close()
    refuse(tmp_path / "empty.nwb", cpu, "no data")
    for content in (b"not HDF5", b"\x89HDF\r\n\x1a\n", path.read_bytes()[:3000]):
        (tmp_path / "bad.nwb").write_bytes(content)
        refuse(tmp_path / "bad.nwb", cpu, "damaged")
        assert recognise(tmp_path / "bad.nwb") is None


def test_broken_links(tmp_path, cpu):
    path = written(tmp_path)
    with h5py.File(path, "a") as file:
        group = file["processing/behavior/PoseEstimation"]
        group["skeleton"] = h5py.SoftLink("/gone")
    assert len(read_pose(path, 30.0, cpu).keypoints) == 3
    with h5py.File(path, "a") as file:
        del file["processing/behavior/PoseEstimation/snout/data"]
        file["processing/behavior/PoseEstimation/snout/data"] = h5py.SoftLink("/gone")
    refuse(path, cpu, "/snout: there are no data")


def test_a_series_in_another_file_is_refused_and_not_opened(tmp_path, cpu):
    path = written(tmp_path)
    with h5py.File(path, "a") as file:
        file["processing/behavior/PoseEstimation/paw"] = h5py.ExternalLink("other.nwb", "/paw")
    refuse(path, cpu, "'paw' of /processing/behavior/PoseEstimation is in another file")


def test_no_frames(tmp_path, cpu):
    content = {"series": {"snout": {"data": np.zeros((0, 2)), "times": np.zeros(0)}}}
    refuse(written(tmp_path, {"m": content}), cpu, "has no frames")


def whole_file():
    buffer = io.BytesIO()
    hdf5_poses.nwb(buffer, {"m": mouse(names=("snout", "tail"))}, skeletons=["snout", "tail"])
    return buffer.getvalue()


@MANY
@given(damaged(whole_file()))
def test_damaged_bytes_are_refused_or_read(cpu, content):
    assert_read_or_refused(lambda: parse_pose(content, Path("m.nwb"), 30.0, cpu))


def test_the_sample_of_deeplabcut(recordings, cpu):
    (path,) = (recordings / "formats" / "nwb").glob("*.nwb")
    pose = read_pose(path, 30.0, cpu)
    assert pose.keypoints == ("ind1_snout", "ind1_leftear", "ind1_rightear", "ind1_tailbase")
    assert pose.position.shape == (2330, 1, 4, 2)
    assert "they are frame numbers, not seconds" in pose.notes[0]
    with h5py.File(path) as file:
        tail = file["processing/behavior/PoseEstimation/ind1_tailbase"]
        assert np.array_equal(pose.position[:, 0, 3], tail["data"][()])
        assert np.array_equal(pose.confidence[:, 0, 3], tail["confidence"][()])
