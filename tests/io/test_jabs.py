"""JABS pose files of versions 2 to 8."""

import io
from pathlib import Path

import h5py
import numpy as np
import pytest
from damage import MANY, assert_read_or_refused, damaged
from hypothesis import given

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import formats, jabs, outline, parse_pose
from bsoid_gpu.io.jabs import KEYPOINTS, READERS
from bsoid_gpu.io.reader import Request


def mouse(frames=400, seed=0):
    """Whole positions (x, y) and confidences of one mouse, (frames, 12, 3)."""
    rng = np.random.default_rng(seed)
    position = np.round(rng.normal(0, 2, (frames, 12, 2)).cumsum(axis=0) + 400)
    return np.concatenate([position, rng.uniform(0.3, 1, (frames, 12, 1)).astype(np.float32)], axis=-1)


def file(version, points, confidence, more=None, attributes=None) -> bytes:
    """Bytes of a file; points are written as y, x of 16 bits."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as content:
        group = content.create_group("poseest")
        group.attrs["version"] = [version, 0]
        group.attrs.update(attributes or {})
        group["points"] = np.nan_to_num(points)[..., ::-1].astype(np.uint16)
        group["confidence"] = confidence.astype(np.float32)
        for name, values in (more or {}).items():
            content[name] = values
    return buffer.getvalue()


def instances(mice):
    """Points and confidences (frames, instances, 12, ...) of mice whose order changes, and which mouse is where."""
    frames, count = len(mice[0]), len(mice)
    order = np.random.default_rng(9).permuted(np.tile(np.arange(count), (frames, 1)), axis=1)
    values = np.stack(mice, axis=1)[np.arange(frames)[:, None], order]
    return values[..., :2], values[..., 2], order


def parse(data, cpu, individuals=(), keypoints=(), fps=30.0, path="a_pose_est_v4.h5"):
    return READERS[0].parse(data, Path(path), Request(fps, cpu, tuple(keypoints), tuple(individuals)))


def test_version_2_has_one_mouse(cpu):
    values = mouse()
    values[7, 3, 2] = 0
    pose = parse(file(2, values[..., :2], values[..., 2]), cpu, path="v_pose_est_v2.h5")
    assert (pose.name, pose.individuals, pose.keypoints) == ("v_pose_est_v2", ("individual",), KEYPOINTS)
    values[7, 3, :2] = np.nan
    assert np.array_equal(pose.position[:, 0], values[..., :2], equal_nan=True)
    assert np.array_equal(pose.confidence[:, 0], values[..., 2])
    assert pose.notes == ()


def test_y_comes_before_x_in_the_file(cpu):
    points, confidence = np.zeros((3, 12, 2)), np.ones((3, 12))
    data = file(2, points, confidence)
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as content:
        content["poseest/points"][1, KEYPOINTS.index("NOSE")] = (20, 700)
    assert parse(buffer.getvalue(), cpu).position[1, 0, 0].tolist() == [700.0, 20.0]


@pytest.mark.parametrize("version", [4, 5, 6, 7, 8])
def test_identities_are_followed_in_any_order(cpu, version):
    mice = [mouse(seed=seed) for seed in (1, 2, 3)]
    mice[2][5:] = 0  # the third mouse leaves
    points, confidence, order = instances(mice)
    more = {
        "poseest/instance_embed_id": (order + 1).astype(np.uint32),
        "poseest/id_mask": confidence.max(axis=-1) == 0,
        "poseest/instance_id_center": np.zeros((3, 4), np.float32),
        "poseest/instance_track_id": np.zeros(order.shape, np.uint32),
        "poseest/instance_count": np.full(len(order), 3, np.uint8),
        "static_objects/corners": np.zeros((4, 2), np.uint16),
        "poseest/seg_data": np.full((len(order), 3, 1, 2, 2), -1, np.int32),
        "poseest/bbox": np.zeros((len(order), 3, 2, 2)),
    }
    pose = parse(file(version, points, confidence, more), cpu)
    assert pose.individuals == ("identity_0", "identity_1", "identity_2")
    for i, values in enumerate(mice):
        expected = np.where(values[..., 2:] > 0, values[..., :2], np.nan)
        assert np.array_equal(pose.position[:, i], expected, equal_nan=True)
        assert np.array_equal(pose.confidence[:, i], values[..., 2])
    assert pose.notes == ()
    chosen = parse(
        file(version, points, confidence, more), cpu, individuals=("identity_1",), keypoints=("TIP_TAIL", "NOSE")
    )
    assert np.array_equal(chosen.position[:, 0], mice[1][:, [11, 0], :2])


def test_instances_without_an_identity_are_left_out(cpu):
    mice = [mouse(seed=seed) for seed in (1, 2)]
    points, confidence, order = instances(mice)
    identity = np.where(order == 0, 1, 5)  # 5 is above the number of centres: no identity
    mask = np.zeros(order.shape, bool)
    mask[10] = True
    more = {
        "poseest/instance_embed_id": identity,
        "poseest/id_mask": mask,
        "poseest/instance_id_center": np.zeros((1, 4)),
    }
    pose = parse(file(4, points, confidence, more), cpu)
    assert pose.individuals == ("identity_0",)
    expected = mice[0][..., :2].copy()
    expected[10] = np.nan
    assert np.array_equal(pose.position[:, 0], expected, equal_nan=True)


def test_an_identity_of_two_instances_is_missing_there(cpu):
    points, confidence, order = instances([mouse(seed=1), mouse(seed=2)])
    identity = order + 1
    identity[20:23] = 2
    pose = parse(file(4, points, confidence, {"poseest/instance_embed_id": identity}), cpu)
    assert np.isnan(pose.position[20:23]).all()
    assert np.isfinite(pose.position[np.r_[:20, 23:400]]).all()
    assert pose.notes == ("in 3 frames several instances have one number: the individual is missing there",)


def test_version_3_has_tracks_and_short_ones_are_left_out(cpu):
    mice = [mouse(seed=seed) for seed in (1, 2)]
    points, confidence, order = instances(mice)
    track = np.where(order == 0, 0, np.where(np.arange(400)[:, None] < 350, 1, 2))
    count = np.full(400, 2)
    count[5] = 1  # the second instance of this frame is padding, though its number is a track's
    more = {"poseest/instance_track_id": track, "poseest/instance_count": count}
    pose = parse(file(3, points, confidence, more), cpu)
    assert pose.individuals == ("track_0", "track_1")
    padding = order[5, 1]
    for i, rows in enumerate((slice(400), slice(350))):
        expected = np.full((400, 12, 2), np.nan)
        expected[rows] = mice[i][rows, :, :2]
        if i == padding:
            expected[5] = np.nan
        assert np.array_equal(pose.position[:, i], expected, equal_nan=True)
    assert [note.partition(":")[0] for note in pose.notes] == [
        "there are 3 tracks but never more than 2 in one frame",
        "1 of 3 tracks have fewer than 300 frames (10 s) and are left out",
    ]
    assert "'track_2' has 50 frames (350 to 399)" in pose.notes[1]
    assert parse(file(3, points, confidence, more), cpu, individuals=("track_2",)).individuals == ("track_2",)
    assert len(parse(file(3, points, confidence, more), cpu, fps=60.0).individuals) == 3  # none is long enough


def test_tracks_are_read_where_no_instance_has_an_identity(cpu):
    points, confidence, order = instances([mouse(seed=1)])
    more = {"poseest/instance_embed_id": np.zeros_like(order), "poseest/instance_track_id": order}
    pose = parse(file(4, points, confidence, more), cpu)
    assert pose.individuals == ("track_0",)
    assert pose.notes == ("no instance has an identity: the tracks are read",)


def test_scale_and_version_are_reported(cpu):
    values = mouse()
    attributes = {"cm_per_pixel": np.float32(0.08)}
    pose = parse(file(2, values[..., :2], values[..., 2], attributes=attributes), cpu)
    assert pose.notes == ("the file gives 1.25 px per mm: --px-per-mm or [input] px_per_mm uses it",)
    pose = parse(file(9, values[..., :2], values[..., 2], attributes={"cm_per_pixel": np.nan}), cpu)
    assert len(pose.notes) == 1
    assert "version 9" in pose.notes[0]


POINTS, CONFIDENCE, ORDER = instances([mouse(20, seed=1), mouse(20, seed=2)])
IDENTITIES = {"poseest/instance_embed_id": ORDER + 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a JABS pose file, or it is damaged"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "not a JABS pose file, or it is damaged"),
        (file(4, POINTS, CONFIDENCE, IDENTITIES)[:3000], "not a JABS pose file, or it is damaged"),
        (file(4, POINTS[..., :11, :], CONFIDENCE[..., :11], IDENTITIES), r"expected \(frames, instances, 12, 2\)"),
        (file(4, POINTS, CONFIDENCE[:10], IDENTITIES), "confidences of shape"),
        (file(4, POINTS, CONFIDENCE[..., None], IDENTITIES), "confidences of shape"),
        (file(4, POINTS[0, 0], CONFIDENCE[0, 0]), "points of shape"),
        (file(4, POINTS, CONFIDENCE), "neither identities nor tracks"),
        (file(4, POINTS, CONFIDENCE, {"poseest/instance_embed_id": ORDER[:5]}), "instance_embed_id of shape"),
        (file(4, POINTS, CONFIDENCE, {"poseest/instance_embed_id": ORDER + 0.5}), "whole numbers are expected"),
        (file(4, POINTS, CONFIDENCE, {"poseest/instance_embed_id/x": ORDER}), "not a JABS pose file, or it is damaged"),
        (file(4, POINTS, CONFIDENCE * 0, {"poseest/instance_track_id": ORDER}), "no mouse with a position"),
        (file(2, np.zeros((0, 12, 2)), np.zeros((0, 12))), "has no frames"),
    ],
)
def test_damaged_files_are_refused_with_the_reason(cpu, data, message):
    with pytest.raises(BadInput, match=message):
        parse(data, cpu)


def test_a_size_that_cannot_be_is_refused_before_memory_is_taken(cpu):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as content:
        content.create_dataset("poseest/points", (10**12, 12, 2), "u2", chunks=(1000, 12, 2))
        content.create_dataset("poseest/confidence", (10**12, 12), "f4", chunks=(1000, 12))
    with pytest.raises(BadInput, match="claims 24,000,000,000,000 values"):
        parse(buffer.getvalue(), cpu)


@MANY
@given(damaged(file(4, POINTS, CONFIDENCE, IDENTITIES)))
def test_damaged_bytes_are_refused_or_read(cpu, content):
    assert_read_or_refused(lambda: parse(content, cpu))


def test_only_its_own_files_are_recognised(tmp_path, cpu):
    path = tmp_path / "a_pose_est_v4.h5"
    path.write_bytes(file(4, POINTS, CONFIDENCE, IDENTITIES))
    assert jabs.sniff(path)
    assert READERS[0].outline(path) == (20, KEYPOINTS, 2, path.stat().st_size)
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as content:
        content["tracks"] = np.zeros(3)
    other_kind = tmp_path / "no.h5"
    other_kind.write_bytes(b"scorer")
    assert not any(map(jabs.sniff, (other, other_kind, tmp_path, tmp_path / "gone.h5")))


@pytest.mark.oracles
@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_positions_are_those_of_sleap_io(tmp_path, cpu, version):
    sleap_io = pytest.importorskip("sleap_io")
    mice = [mouse(350, seed=seed) for seed in range(1 if version == 2 else 3)]
    mice[-1][40:45, 2:] = 0
    points, confidence, order = instances(mice)
    if version == 2:
        points, confidence, more = points[:, 0], confidence[:, 0], {}
    else:
        more = {
            "poseest/instance_count": np.full(350, 3, np.uint8),
            "poseest/instance_track_id": order.astype(np.uint32),
            "poseest/instance_embed_id": (order + 1).astype(np.uint32),
            "poseest/id_mask": np.zeros(order.shape, bool),
            "poseest/instance_id_center": np.zeros((3, 4)),
        }
    path = tmp_path / f"a_pose_est_v{version}.h5"
    path.write_bytes(file(version, points, confidence, more))
    labels = sleap_io.load_jabs(str(path))
    tracks = sorted(range(len(labels.tracks)), key=lambda i: int(labels.tracks[i].name))
    pose = parse(path.read_bytes(), cpu)
    expected = labels.numpy()[:, tracks]
    assert [node.name for node in labels.skeleton.nodes] == list(pose.keypoints)
    assert expected.shape == pose.position.shape
    assert np.allclose(pose.position, expected, equal_nan=True)


def test_the_registry_has_it(tmp_path, cpu, monkeypatch):
    own = [reader for reader in formats.READERS if "DeepLabCut" not in reader.name]
    monkeypatch.setattr(formats, "READERS", tuple(own))
    path = tmp_path / "a_pose_est_v4.h5"
    path.write_bytes(file(4, POINTS, CONFIDENCE, IDENTITIES))
    pose = parse_pose(path.read_bytes(), path, 30.0, cpu)
    assert pose.individuals == ("identity_0", "identity_1")
    assert outline(path).individuals == 2
