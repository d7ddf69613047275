"""FreeMoCap's arrays of a person's positions."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import Outline, formats, freemocap, outline, read_pose
from bsoid_gpu.io.reader import Request


def npy(array, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def promised(shape) -> bytes:
    """Header of an array of that shape, and a few values."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue() + bytes(33 * 3 * 8)


def walk(frames=20, points=33, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(0, 300, size=(frames, points, 3)).astype(dtype)


def read(path, array, cpu, **options):
    path.write_bytes(array if isinstance(array, bytes) else npy(array))
    assert formats.recognise(path).name == "FreeMoCap array"
    return read_pose(path, 30.0, cpu, **options)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_positions_are_those_of_the_array(tmp_path, cpu, dtype, order):
    array = np.asarray(walk(dtype=dtype), order=order)
    array[3, 7] = np.nan
    pose = read(tmp_path / "mediapipe_body_3d_xyz.npy", array, cpu)
    assert pose.position.shape == (20, 1, 33, 3)
    assert np.array_equal(pose.position[:, 0], array, equal_nan=True)
    assert (pose.keypoints[0], pose.keypoints[11], pose.keypoints[32]) == ("nose", "left_shoulder", "right_foot_index")
    assert len(set(pose.keypoints)) == 33
    assert pose.frame_numbers.tolist() == list(range(20))
    for part in ("MediaPipe", "unit of the calibration", "there are no likelihoods"):
        assert any(part in note for note in pose.notes)


@pytest.mark.parametrize("points", [543, 553])
def test_hands_and_face_are_left_out(tmp_path, cpu, points):
    array = walk(points=points)
    pose = read(tmp_path / "mediapipe_skeleton_3d.npy", array, cpu)
    assert np.array_equal(pose.position[:, 0], array[:, :33])
    assert any(f"{points - 33} points of the hands and of the face are left out" in note for note in pose.notes)


def test_keypoints_are_chosen_by_name(tmp_path, cpu):
    array = walk()
    pose = read(tmp_path / "body.npy", array, cpu, keypoints=("right_hip", "nose"))
    assert np.array_equal(pose.position[:, 0], array[:, [24, 0]])
    with pytest.raises(BadInput, match="no keypoint is named 'left hip'; did you mean 'left_hip'"):
        read_pose(tmp_path / "body.npy", 30.0, cpu, keypoints=("left hip",))


def test_the_outline(tmp_path):
    path = tmp_path / "body.npy"
    path.write_bytes(npy(walk(50, 553)))
    assert outline(path) == Outline(50, tuple(freemocap.KEYPOINTS), 1, path.stat().st_size)
    path.write_bytes(npy(walk(50, 12)))
    with pytest.raises(BadInput, match=r"shape \(50, 12, 3\)"):
        outline(path)


class Command:
    """Runs when it is unpickled."""

    ran = False

    def __reduce__(self):
        return setattr, (Command, "ran", True)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("body.npy", walk(points=17), "(20, 17, 3); expected (frames, 33, 543 or 553 points, 3)"),
        ("body.npy", walk().swapaxes(0, 1), "(33, 20, 3)"),
        ("body.npy", walk()[..., :2], "(20, 33, 2)"),
        ("center_of_mass_xyz.npy", walk()[:, 0], "(20, 3)"),
        (
            "mediapipe_2dData_numCams_numFrames_numTrackedPoints_pixelXY.npy",
            walk()[None],
            "in the image of each camera",
        ),
        ("mediapipe_3dData_numFrames_numTrackedPoints_reprojectionError.npy", walk(), "errors of the reprojection"),
        ("body.npy", walk().astype(np.int64), "type int64"),
        ("body.npy", walk() > 0, "type bool"),
        ("body.npy", np.array(1.0), "shape ()"),
        ("body.npy", np.full((20, 33, 3), "1"), "type <U1"),
        ("body.npy", np.array([Command()], dtype=object), "allow_pickle=False"),
        ("body.npy", b"\x93NUMPY", "or it is damaged"),
        ("body.npy", b"PK\x03\x04 an archive", "or it is damaged"),
        ("body.npy", npy(walk())[:-8], "or it is damaged"),
        ("body.npy", npy(walk()).replace(b"(20, 33, 3)", b"(2**9999,3)"), "or it is damaged"),
        ("body.npy", promised((10**13, 33, 3)), "or it is damaged"),
        ("body.npy", promised((-1, 33, 3)), "or it is damaged"),
    ],
)
def test_other_arrays_are_refused_and_no_code_runs(tmp_path, cpu, name, data, message):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else npy(data))
    assert not freemocap.sniff(path)
    with pytest.raises(BadInput) as caught:
        read_pose(path, 30.0, cpu)
    assert name in str(caught.value)
    assert message in str(caught.value)
    assert not Command.ran


def test_a_missing_file_and_one_without_frames(tmp_path, cpu):
    assert not freemocap.sniff(tmp_path / "gone.npy")
    with pytest.raises(BadInput, match="cannot read"):
        read_pose(tmp_path / "gone.npy", 30.0, cpu)
    with pytest.raises(BadInput, match="cannot read"):
        outline(tmp_path / "gone.npy")
    (tmp_path / "none.npy").write_bytes(npy(walk(0)))
    with pytest.raises(BadInput, match="has no frames"):
        read_pose(tmp_path / "none.npy", 30.0, cpu)


GOOD = npy(walk(4))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 140), st.integers(0, 255)), min_size=1, max_size=4), st.integers(0, 300))
def test_mutated_arrays_are_read_or_refused(cpu, changes, cut):
    data = bytearray(GOOD)  # the header takes 128 bytes
    for place, value in changes:
        data[place] = value
    try:
        pose = freemocap.parse(bytes(data[: len(data) - max(cut - 200, 0)]), Path("body.npy"), Request(30.0, cpu))
    except BadInput:
        return
    assert pose.position.shape[2:] == (33, 3)
