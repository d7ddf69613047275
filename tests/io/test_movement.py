"""Datasets of poses that movement saves."""

import io
import struct
from pathlib import Path

import h5py
import hdf5_poses
import numpy as np
import pytest
from damage import MANY, assert_read_or_refused, damaged
from hypothesis import given

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import Outline, movement, outline, parse_pose, read_pose
from bsoid_gpu.io.formats import recognise

FRAMES = 40
USUAL = ("time", "space", "keypoint", "individual")


def values(space=2, keypoints=3, individuals=2, seed=0):
    """Positions (time, space, keypoint, individual) and confidences (time, keypoint, individual)."""
    rng = np.random.default_rng(seed)
    position = rng.normal(300, 50, (FRAMES, space, keypoints, individuals))
    position[3, :, 0, 0] = np.nan
    return position, rng.uniform(0.1, 1, (FRAMES, keypoints, individuals))


def check(pose, position, confidence):
    """A pose against the arrays of `values`."""
    expected = position.transpose(0, 3, 2, 1)
    seen = np.isfinite(expected).all(axis=-1)
    assert np.array_equal(pose.position, expected, equal_nan=True)
    assert np.array_equal(pose.confidence, np.where(seen, confidence.transpose(0, 2, 1), 0.0))


def refuse(path, cpu, *parts, fps=30.0):
    with pytest.raises(BadInput) as caught:
        read_pose(path, fps, cpu)
    for part in (path.name, *parts):
        assert part in str(caught.value)


@pytest.mark.parametrize("space", [2, 3])
@pytest.mark.parametrize("dimensions", [USUAL, ("time", "space", "keypoints", "individuals")])
def test_names_of_dimensions_before_and_after_0_17(tmp_path, cpu, dimensions, space):
    position, confidence = values(space)
    names = {dimensions[2]: ["snout", "left ear", "Schwanz ä"], dimensions[3]: ["mouse", "rat"]}
    path = hdf5_poses.movement(tmp_path / "m.nc", position, confidence, dimensions=dimensions, **names)
    pose = read_pose(path, 30.0, cpu)
    check(pose, position, confidence)
    assert (pose.individuals, pose.keypoints) == (("mouse", "rat"), ("snout", "left ear", "Schwanz ä"))
    assert (pose.name, pose.notes, pose.start_s) == ("m", (), 0.0)
    assert pose.frame_numbers.tolist() == list(range(FRAMES))
    assert outline(path) == Outline(FRAMES, pose.keypoints, 2, path.stat().st_size)
    assert recognise(path) is movement.READERS[0]


@pytest.mark.parametrize("order", [(3, 1, 0, 2), (1, 0, 3, 2), (2, 3, 1, 0)])
def test_any_order_of_dimensions(tmp_path, cpu, order):
    position, confidence = values()
    own = position.transpose(order)
    own_confidence = np.squeeze(confidence[:, None].transpose(order), axis=order.index(1))
    dimensions = tuple(USUAL[axis] for axis in order)
    path = hdf5_poses.movement(tmp_path / "m.nc", own, own_confidence, dimensions=dimensions)
    check(read_pose(path, 30.0, cpu), position, confidence)


def test_the_space_coordinate_names_the_axes(tmp_path, cpu):
    position, confidence = values(3)
    path = hdf5_poses.movement(tmp_path / "m.nc", position[:, [2, 0, 1]], confidence, space=["z", "x", "y"])
    check(read_pose(path, 30.0, cpu), position, confidence)
    path = hdf5_poses.movement(tmp_path / "m.nc", position, confidence, space=["x", "y", "confidence"])
    refuse(path, cpu, "the coordinates x, y, confidence")


def test_animals_and_keypoints_are_chosen(tmp_path, cpu):
    position, confidence = values()
    path = hdf5_poses.movement(tmp_path / "m.nc", position, confidence, keypoint=["a", "b", "c"], individual=["1", "2"])
    pose = read_pose(path, 30.0, cpu, keypoints=("c", "a"), individuals=("2",))
    check(pose, position[:, :, [2, 0], 1:], confidence[:, [2, 0], 1:])


@pytest.mark.parametrize(
    "names",
    [
        np.array([b"mouse", b"rat"]),
        np.array([list("mouse"), list("rat\0\0")], dtype="S1"),  # characters, as netCDF 3 has them
        ["mouse", "rat"],
    ],
)
def test_texts_of_fixed_and_of_variable_length(tmp_path, cpu, names):
    path = hdf5_poses.movement(tmp_path / "m.nc", *values(), individual=names)
    assert read_pose(path, 30.0, cpu).individuals == ("mouse", "rat")


def test_numbers_as_names(tmp_path, cpu):
    path = hdf5_poses.movement(tmp_path / "m.nc", *values(), individual=[3, 7])
    assert read_pose(path, 30.0, cpu).individuals == ("3", "7")


@pytest.mark.parametrize("names", [{"individual": "rat"}, {"individuals": b"rat"}, {}])
def test_a_single_selected_animal(tmp_path, cpu, names):
    position, confidence = values(individuals=1)
    path = hdf5_poses.movement(tmp_path / "m.nc", position[..., 0], confidence[..., 0], dimensions=USUAL[:3], **names)
    pose = read_pose(path, 30.0, cpu)
    check(pose, position, confidence)
    assert pose.individuals == (("rat",) if names else ("individual",))


def test_a_single_selected_keypoint(tmp_path, cpu):
    position, confidence = values(keypoints=1)
    path = hdf5_poses.movement(
        tmp_path / "m.nc", position[:, :, 0], confidence[:, 0], dimensions=(*USUAL[:2], USUAL[3]), keypoint="snout"
    )
    pose = read_pose(path, 30.0, cpu)
    check(pose, position, confidence)
    assert pose.keypoints == ("snout",)


def test_confidences_that_are_missing_or_of_the_whole_animal(tmp_path, cpu):
    position, confidence = values()
    for none in (None, np.full_like(confidence, np.nan)):
        pose = read_pose(hdf5_poses.movement(tmp_path / "m.nc", position, none), 30.0, cpu)
        check(pose, position, np.ones_like(confidence))
        assert pose.notes == ("there are no likelihoods: all positions have confidence 1, and none is filtered",)
    path = hdf5_poses.movement(tmp_path / "m.nc", position)
    with h5py.File(path, "a") as file:
        file["confidence"] = confidence[:, 0]
        for axis, name in enumerate(("time", "individual")):
            file["confidence"].dims[axis].attach_scale(file[name])
    check(read_pose(path, 30.0, cpu), position, np.repeat(confidence[:, :1], 3, axis=1))


def test_positions_packed_as_whole_numbers(tmp_path, cpu):
    packed = np.random.default_rng(0).integers(-500, 500, (FRAMES, 2, 3, 2)).astype(np.int16)
    packed[5, :, 1, 0] = -999
    path = hdf5_poses.movement(tmp_path / "m.nc", packed)
    with h5py.File(path, "a") as file:
        file["position"].attrs.update({"_FillValue": np.int16([-999]), "scale_factor": [0.5], "add_offset": [10.0]})
    expected = np.where(packed == -999, np.nan, packed * 0.5 + 10.0)
    check(read_pose(path, 30.0, cpu), expected, np.ones((FRAMES, 3, 2)))


def test_frames_in_place_of_seconds(tmp_path, cpu):
    numbers = np.r_[7:20, 30:57]
    path = hdf5_poses.movement(
        tmp_path / "m.nc", *values(), time=numbers, drop=["fps"], attributes={"time_unit": "frames"}
    )
    pose = read_pose(path, 60.0, cpu)
    assert np.array_equal(pose.frame_numbers, numbers)
    assert (pose.start_s, pose.fps) == (0.0, 60.0)
    without_unit = hdf5_poses.movement(tmp_path / "m.nc", *values(), time=numbers, drop=["fps", "time_unit"])
    pose = read_pose(without_unit, 60.0, cpu)
    assert np.array_equal(pose.frame_numbers, numbers)
    assert "they are frame numbers, not seconds" in pose.notes[0]


def test_times_keep_the_numbers_of_the_video(tmp_path, cpu):
    numbers = np.r_[3000:3020, 3040:3060]
    path = hdf5_poses.movement(tmp_path / "m.nc", *values(), time=numbers / 29.97, attributes={"fps": 29.97})
    pose = read_pose(path, 30.0, cpu)
    assert np.array_equal(pose.frame_numbers, numbers)
    assert pose.start_s == 0
    path = hdf5_poses.movement(tmp_path / "m.nc", *values(), time=np.arange(-10, 30) / 30)  # relative to an event
    pose = read_pose(path, 30.0, cpu)
    assert pose.frame_numbers.tolist() == list(range(40))
    assert pose.start_s == pytest.approx(-1 / 3)
    pose = read_pose(hdf5_poses.movement(tmp_path / "m.nc", *values(), drop=["time"]), 30.0, cpu)
    assert pose.frame_numbers.tolist() == list(range(40))
    assert pose.notes == ("there are no times: the frames are numbered from 0 on",)


def test_rates_that_contradict_the_camera(tmp_path, cpu):
    path = hdf5_poses.movement(tmp_path / "m.nc", *values())
    refuse(path, cpu, "states 30 frames per second", "25 were given", fps=25.0)
    path = hdf5_poses.movement(tmp_path / "m.nc", *values(), drop=["fps"])
    refuse(path, cpu, "30 frames per second", "25 were given", fps=25.0)
    every_second = hdf5_poses.movement(tmp_path / "m.nc", *values(), time=np.arange(FRAMES) / 15)
    refuse(every_second, cpu, "15 frames per second", "30 were given")
    whole_seconds = hdf5_poses.movement(tmp_path / "m.nc", *values(), time=np.arange(FRAMES), drop=["fps"])
    refuse(whole_seconds, cpu, "1 frames per second", "30 were given")


def test_times_that_cannot_be_used(tmp_path, cpu):
    path = hdf5_poses.movement(tmp_path / "m.nc", *values())
    for unit in ("minutes", "seconds since 2026-01-01"):
        with h5py.File(path, "a") as file:
            file["time"].attrs["units"] = unit
        refuse(path, cpu, f"40 times in {unit}")
    times = np.arange(FRAMES) / 30
    for change, part in ((times[::-1], "is followed by"), (np.where(times == 0, np.nan, times), "row 1 is nan")):
        refuse(hdf5_poses.movement(tmp_path / "m.nc", *values(), time=change), cpu, part)


def test_one_point_of_each_animal_is_no_pose(tmp_path, cpu):
    position, _ = values()
    dimensions = ("time", "space", "individual")
    path = hdf5_poses.movement(tmp_path / "m.nc", position[:, :, 0], dimensions=dimensions)
    refuse(path, cpu, "one point of each animal")
    with h5py.File(path, "a") as file:
        file["shape"] = position[:, :, 0]
        file.attrs["ds_type"] = "bboxes"
    refuse(path, cpu, "boxes around animals", "track keypoints")
    assert recognise(path) is None


def test_files_of_other_kinds(tmp_path, cpu):
    path = tmp_path / "m.nc"
    for version in (b"\x01", b"\x02", b"\x05"):
        path.write_bytes(b"CDF" + version + bytes(100))
        refuse(path, cpu, "netCDF 3", 'format="NETCDF4"')
        assert recognise(path) is None
    hdf5_poses.netcdf(path, {"temperature": (("time",), [1.0], {})}, {"time": [0]}, {})
    refuse(path, cpu, "temperature, time; expected positions")
    position = np.zeros((FRAMES, 2, 2, 3, 2))
    hdf5_poses.movement(path, position, dimensions=("time", "view", *USUAL[1:]))
    refuse(path, cpu, "time, view, space, keypoint, individual", "ds.isel")
    with h5py.File(path, "w") as file:
        file["position"] = position
    refuse(path, cpu, "unnamed")
    for content in (b"not HDF5", b"\x89HDF\r\n\x1a\n"):
        path.write_bytes(content)
        refuse(path, cpu, "damaged")
        assert recognise(path) is None


@pytest.mark.parametrize(
    ("layout", "parts"),
    [
        ({"drop": ["keypoint"]}, ("0 names along keypoint", "ds.assign_coords")),
        ({"drop": ["individual"]}, ("0 names along individual", "for 2 entries")),
        ({"drop": ["space"]}, ("names along space",)),
        ({"keypoint": ["a", "b", "a"]}, ("a, b, a", "without repeats")),
    ],
)
def test_dimensions_without_names(tmp_path, cpu, layout, parts):
    refuse(hdf5_poses.movement(tmp_path / "m.nc", *values(), **layout), cpu, *parts)


def whole_file():
    buffer = io.BytesIO()
    hdf5_poses.movement(buffer, *values())
    return buffer.getvalue()


@MANY
@given(damaged(whole_file()))
def test_damaged_bytes_are_refused_or_read(cpu, content):
    assert_read_or_refused(lambda: parse_pose(content, Path("m.nc"), 30.0, cpu))


@pytest.mark.parametrize("coordinate", ["time", "individual"])
@pytest.mark.parametrize(
    "listed",
    [
        np.zeros((2, 2)),
        "x",
        7,
        np.zeros(2, [("dataset", "u8"), ("dimension", "u4")]),
        np.array([("reference", 0)], [("dataset", h5py.ref_dtype), ("number", "u4")]),
        np.array([("reference", 7)], [("dataset", h5py.ref_dtype), ("dimension", "u4")]),
        np.array([("reference", -1)], [("dataset", h5py.ref_dtype), ("dimension", "i4")]),
    ],
)
def test_damaged_lists_of_what_a_scale_is_attached_to_are_refused(tmp_path, cpu, coordinate, listed):
    path = hdf5_poses.movement(tmp_path / "m.nc", *values())
    with h5py.File(path, "r+") as file:
        if getattr(listed, "size", 0) == 1:
            listed["dataset"] = file["position"].ref
        file[coordinate].attrs["REFERENCE_LIST"] = listed
    refuse(path, cpu)


def test_the_list_of_scales_of_a_variable_is_left_alone(tmp_path, cpu):
    """libhdf5 crashes where the length of an entry is damaged."""
    position, confidence = values()
    path = hdf5_poses.movement(tmp_path / "m.nc", position, confidence)
    content = path.read_bytes()
    entry = struct.Struct("<IQ")  # length, and the place of the heap
    heap = content.index(b"GCOL")
    before, *lists = content.split(b"DIMENSION_LIST")
    assert [part[:200].count(entry.pack(1, heap)) for part in lists] == [4, 3]
    wrong = [part[:200].replace(entry.pack(1, heap), entry.pack(0x5A000001, heap)) + part[200:] for part in lists]
    path.write_bytes(b"DIMENSION_LIST".join([before, *wrong]))
    check(read_pose(path, 30.0, cpu), position, confidence)
