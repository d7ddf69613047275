"""SLEAP files of both kinds: fragmented tracks, real files, and comparison with sleap-io."""

import numpy as np
import pytest
from sleap_files import Instance, parse, positions, write_analysis, write_labels

from bsoid_gpu.io import formats

FOLDER = "formats/sleap"
REAL = {  # shape, and beginnings of the notes
    "predictions.analysis.h5": ((3000, 2, 13, 2), ["there are no likelihoods"]),
    "small_robot.000_small_robot_3_frame.analysis.h5": ((3, 1, 3, 2), ["the tracks have no names", "2 frames have"]),
    "testDLC_sleap.analysis.h5": ((101, 1, 14, 2), []),
    "testDLC_sleap.slp": ((101, 1, 14, 2), []),
}


def fragments(frames, lengths):
    """(frames, tracks, 3, 2) positions of tracks that follow each other, of the given lengths."""
    values, start = np.full((frames, len(lengths), 3, 2), np.nan), 0
    for track, length in enumerate(lengths):
        values[start : start + length, track] = positions(length, seed=track)[:, 0]
        start += length
    return values


def as_analysis(path, values, names):
    occupancy = np.isfinite(values).any(axis=(2, 3))
    return write_analysis(path / "a.h5", values, names=names, track_occupancy=occupancy)


def as_analysis_without_occupancy(path, values, names):
    return write_analysis(path / "a.h5", values, names=names)


def as_labels(path, values, names):
    present = np.argwhere(np.isfinite(values).any(axis=(2, 3)))
    instances = [Instance(frame, values[frame, track], (1, 1, 1), track) for frame, track in present]
    return write_labels(path / "a.slp", instances, tracks=names)


@pytest.mark.parametrize("write", [as_analysis, as_analysis_without_occupancy, as_labels])
def test_short_tracks_are_left_out_beside_longer_ones(tmp_path, cpu, write):
    values = fragments(460, (99, 200, 50, 100, 11))  # at 10 frames per second, 100 frames are 10 s
    names = ("a", "b", "c", "d", "e")
    path = write(tmp_path, values, names)
    pose = parse(path, cpu, fps=10.0)
    assert pose.individuals == ("b", "d")
    assert np.array_equal(pose.position, values[:, [1, 3]], equal_nan=True)
    lost, short = pose.notes[:2]
    assert "5 tracks but never more than 1 in one frame: 'b' has 200 frames (99 to 298), 'd' has 100" in lost
    assert "3 of 5 tracks have fewer than 100 frames (10 s)" in short
    assert "'a' has 99 frames (0 to 98), 'c' has 50 frames (299 to 348), 'e' has 11 frames (449 to 459)" in short
    chosen = parse(path, cpu, fps=10.0, individuals=("e", "b"))
    assert np.array_equal(chosen.position, values[:, [4, 1]], equal_nan=True)
    assert not any("tracks" in note for note in chosen.notes)


def test_where_no_track_is_long_enough_all_are_read(tmp_path, cpu):
    values = fragments(30, (10, 20))
    pose = parse(as_labels(tmp_path, values, ("a", "b")), cpu)
    assert np.array_equal(pose.position, values, equal_nan=True)


def test_tracks_of_animals_that_are_always_together_need_no_note(cpu, tmp_path):
    pose = parse(as_labels(tmp_path, positions(20, 2), ("a", "b")), cpu)
    assert pose.notes == ()


@pytest.mark.parametrize("name", REAL)
def test_real_files(recordings, cpu, name):
    shape, notes = REAL[name]
    pose = parse(recordings / FOLDER / name, cpu)
    assert pose.position.shape == shape
    assert len(pose.notes) == len(notes)
    assert all(note.startswith(beginning) for note, beginning in zip(pose.notes, notes, strict=True))


def test_labels_and_analysis_of_one_recording_hold_the_same_pose(recordings, cpu):
    labels, analysis = (parse(recordings / FOLDER / f"testDLC_sleap{end}", cpu) for end in (".slp", ".analysis.h5"))
    assert (labels.individuals, labels.keypoints) == (analysis.individuals, analysis.keypoints)
    assert np.array_equal(labels.position, analysis.position, equal_nan=True)
    assert np.array_equal(labels.confidence, analysis.confidence)
    assert np.array_equal(labels.frame_numbers, analysis.frame_numbers)


def test_label_files_are_read_through_the_registry(recordings, cpu):
    path = recordings / FOLDER / "testDLC_sleap.slp"
    assert formats.recognise(path).name == "SLEAP labels"
    assert formats.read_pose(path, 30.0, cpu, ("Nose",)).position.shape == (101, 1, 1, 2)
    assert formats.outline(path).individuals == 1


def compare(pose, labels):
    """The pose has the positions that sleap-io gives, in single precision; returns its scores."""
    (video,) = {frame.video for frame in labels}
    expected = labels.numpy(video=video, untracked=not labels.tracks, return_confidence=True)
    first = min(frame.frame_idx for frame in labels) if len(expected) <= pose.frame_numbers[-1] else 0
    assert expected.shape[1:] == (len(pose.individuals), len(pose.keypoints), 3)
    assert pose.keypoints == tuple(labels.skeleton.node_names)
    assert not labels.tracks or pose.individuals == tuple(track.name for track in labels.tracks)
    rows = expected[pose.frame_numbers - first]
    np.testing.assert_allclose(pose.position, rows[..., :2], rtol=1e-6, equal_nan=True)
    return rows[..., 2]


@pytest.mark.oracles
@pytest.mark.parametrize("name", [name for name in REAL if name != "predictions.analysis.h5"])
def test_real_files_as_sleap_io_reads_them(recordings, cpu, name):
    sio = pytest.importorskip("sleap_io")
    path = recordings / FOLDER / name
    load = sio.load_slp if path.suffix == ".slp" else sio.load_analysis_h5
    pose = parse(path, cpu)
    scores = compare(pose, load(path))
    np.testing.assert_allclose(pose.confidence, np.nan_to_num(scores, nan=1.0), rtol=1e-6)


@pytest.mark.oracles
@pytest.mark.parametrize("name", REAL)
def test_real_files_as_movement_reads_them(recordings, cpu, name):
    load_poses = pytest.importorskip("movement.io.load_poses")
    path = recordings / FOLDER / name
    pose, data = parse(path, cpu), load_poses.from_sleap_file(path)
    order = sorted(data.position.dims, key=lambda name: "tiks".index(name[0]))
    position = data.position.transpose(*order).values
    np.testing.assert_allclose(pose.position, position, rtol=1e-6, equal_nan=True)


@pytest.mark.oracles
@pytest.mark.parametrize("format_id", [1.0, 1.2])
def test_written_labels_as_sleap_io_reads_them(tmp_path, cpu, format_id):
    sio = pytest.importorskip("sleap_io")
    values, by_hand = positions(12, 2), positions(12, seed=1)[:, 0]
    values[4, 1, 2] = np.nan
    instances = [Instance(t, values[t, k], (0.2, 0.5, 0.9), k) for k in (0, 1) for t in range(3, 12) if t - k != 6]
    instances += [
        Instance(5, by_hand[5], track=0, source=2),  # corrects instance 2
        Instance(9, by_hand[9], track=1),  # of the same track as another
    ]  # sleap-io keeps the prediction beside a correction without a track
    path = write_labels(tmp_path / "a.slp", instances, tracks=("a", "b"), format_id=format_id)
    compare(parse(path, cpu), sio.load_slp(path))


@pytest.mark.oracles
@pytest.mark.parametrize("preset", ["matlab", "standard"])
def test_files_that_sleap_io_writes(tmp_path, cpu, preset):
    sio = pytest.importorskip("sleap_io")
    values = positions(12, 2)
    values[3:5, 1], values[7, 0, 2] = np.nan, np.nan
    skeleton, tracks = sio.Skeleton(["nose", "left ear", "tail"]), [sio.Track("a"), sio.Track("b")]
    video = sio.Video("gone.mp4", backend_metadata={"shape": (12, 480, 640, 1)})
    labels = sio.Labels(
        [
            sio.LabeledFrame(
                video=video,
                frame_idx=t,
                instances=[
                    sio.PredictedInstance.from_numpy(xy, skeleton, point_scores=np.full(3, 0.5), track=track)
                    for xy, track in zip(values[t], tracks, strict=True)
                    if np.isfinite(xy).any()
                ],
            )
            for t in range(12)
        ]
    )
    labels.save(str(tmp_path / "a.slp"))
    sio.save_analysis_h5(labels, tmp_path / "a.h5", preset=preset)
    for name in ("a.slp", "a.h5"):
        pose = parse(tmp_path / name, cpu)
        assert np.array_equal(pose.position, values, equal_nan=True)
        assert np.array_equal(pose.confidence, np.where(np.isnan(values[..., 0]), 0, 0.5))
