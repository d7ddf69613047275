"""Real files of every format: what is read of each, and the positions as other libraries read them."""

from typing import NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner

from bsoid_gpu.cli.main import main
from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import find_sessions, outline, read_pose
from bsoid_gpu.io.formats import recognise


class Sample(NamedTuple):
    """What a file holds: reader, sizes, beginnings of the notes, and whether it is too short to build a model."""

    reader: str
    frames: int
    individuals: tuple[str, ...]
    keypoints: int
    fps: float = 30.0
    notes: tuple[str, ...] = ()
    too_short: bool = False


MICE = ("mouse_black_tail", "mouse_white_tail")
MADLC = "madlc/e3v813a-20210610T122332-122642DLC_dlcrnetms5_pilot_studySep24shuffle1_100000_el_filtered.csv"
READ = {
    "dlc_h5/m3v1mp4DeepCut_resnet50_openfieldOct30shuffle1_15001.h5": Sample(
        "DeepLabCut HDF5", 2330, ("individual",), 4
    ),
    "dlc_h5/testDLC_h5_table.h5": Sample("DeepLabCut HDF5", 100, ("individual",), 14, too_short=True),
    "madlc/testDLC_csv_table_madlc.csv": Sample("DeepLabCut CSV", 97, MICE, 14, too_short=True),
    "madlc/testDLC_h5_table_madlc.h5": Sample("DeepLabCut HDF5", 100, MICE, 14, too_short=True),
    MADLC: Sample("DeepLabCut CSV", 5700, ("adult", "juvenile"), 7),
    "sleap/predictions.analysis.h5": Sample(
        "SLEAP analysis HDF5", 3000, ("track_0", "track_1"), 13, 25.0, ("there are no likelihoods",)
    ),
    "sleap/testDLC_sleap.analysis.h5": Sample("SLEAP analysis HDF5", 101, ("track_0",), 14, too_short=True),
    "sleap/testDLC_sleap.slp": Sample("SLEAP labels", 101, ("track_0",), 14, too_short=True),
    "sleap/small_robot.000_small_robot_3_frame.analysis.h5": Sample(
        "SLEAP analysis HDF5", 3, ("track_0",), 3, 30.0, ("the tracks have no names", "2 frames have"), too_short=True
    ),
    "openpose/linguistik": Sample(
        *("OpenPose", 176, ("individual",), 15, 25.0),
        notes=("the 25 keypoints are named", "10 of 25 keypoints have no position"),
        too_short=True,
    ),
    "lightning_pose/180607_004.train_frames=75.rng=0.csv": Sample("DeepLabCut CSV", 2000, ("individual",), 8),
    "lightning_pose/3f859b5c-e73a-4044-b49e-34bb81e96715.right.rng=3.csv": Sample(
        "DeepLabCut CSV", 2500, ("individual",), 2
    ),
    "nwb/m3v1mp4DLC_resnet50_openfieldAug20shuffle1_30000.nwb": Sample(
        "NWB (ndx-pose)", 2330, ("individual",), 4, 30.0, ("the times rise by 1: they are frame numbers",)
    ),
}
REFUSED = ("boris/e3v813a-20210610T122332-122642_reencode.csv", "boris/test-simultaneous-events.csv")


@pytest.fixture
def samples(recordings):
    return recordings / "formats"


def build(path, fps, out, *more):
    return CliRunner().invoke(main, ["build", str(path), "--fps", str(fps), "--out", str(out), *more])


def test_every_sample_is_listed(samples):
    folders = {path.parent for path in samples.rglob("*") if path.suffix == ".json"}
    given = {path for path in samples.rglob("*") if path.is_file() and path.parent not in folders} | folders
    assert {path.relative_to(samples).as_posix() for path in given} == {*READ, *REFUSED}


@pytest.mark.parametrize("name", READ)
def test_samples_are_read(samples, cpu, name):
    sample = READ[name]
    pose = read_pose(samples / name, sample.fps, cpu)
    assert recognise(samples / name).name == sample.reader
    assert pose.position.shape == (sample.frames, len(sample.individuals), sample.keypoints, 2)
    assert pose.individuals == sample.individuals
    assert pose.frame_numbers.tolist() == list(range(sample.frames))
    assert len(pose.notes) == len(sample.notes)
    assert all(note.startswith(beginning) for note, beginning in zip(pose.notes, sample.notes, strict=True))
    size = outline(samples / name)
    assert (size.keypoints, size.individuals) == (pose.keypoints, len(sample.individuals))
    assert size.frames == pytest.approx(sample.frames, rel=0.02)  # an estimate in some formats


@pytest.mark.parametrize("name", READ)
def test_samples_can_be_planned_or_are_too_short(samples, tmp_path, name):
    sample = READ[name]
    done = build(samples / name, sample.fps, tmp_path / "run", *([] if sample.too_short else ["--dry-run"]))
    assert done.exit_code == (4 if sample.too_short else 0), done.stderr
    assert ("too short" in done.stderr) == sample.too_short
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", REFUSED)
def test_tables_of_annotations_are_refused(samples, cpu, tmp_path, name):
    with pytest.raises(BadInput, match="a table of behaviours as BORIS writes it, without positions"):
        read_pose(samples / name, 30.0, cpu)
    for more in ([], ["--dry-run"]):
        done = build(samples / name, 30, tmp_path / "run", *more)
        assert done.exit_code == 4
        assert "BORIS" in done.stderr
    assert not (tmp_path / "run").exists()


def test_folders_of_annotations_have_no_recordings(samples):
    with pytest.raises(BadInput, match="contains no pose files"):
        find_sessions([samples / "boris"])


LOADERS = {  # of movement, by the folder of the sample
    "dlc_h5": "from_dlc_file",
    "madlc": "from_dlc_file",
    "sleap": "from_sleap_file",
    "lightning_pose": "from_lp_file",
    "nwb": "from_nwb_file",
}
ONE_KEY = {"dlc_h5/testDLC_h5_table.h5", "madlc/testDLC_h5_table_madlc.h5"}  # movement knows no other; pandas does


@pytest.mark.oracles
@pytest.mark.filterwarnings("default")  # their own warnings are of no interest
@pytest.mark.parametrize("name", sorted({name for name in READ if name.split("/")[0] in LOADERS} - ONE_KEY))
def test_positions_are_those_of_movement(samples, cpu, name):
    load_poses = pytest.importorskip("movement.io.load_poses")
    theirs = getattr(load_poses, LOADERS[name.split("/")[0]])(samples / name)
    pose = read_pose(samples / name, READ[name].fps, cpu)
    names = [str(keypoint) for keypoint in theirs.keypoint.values]
    order = [names.index(keypoint) for keypoint in pose.keypoints]
    position, confidence = (
        getattr(theirs, array).transpose(*axes, ...).values
        for array, axes in (
            ("position", ("time", "individual", "keypoint", "space")),
            ("confidence", ("time", "individual", "keypoint")),
        )
    )
    position, confidence = position[:, :, order], confidence[:, :, order]
    absent = (position == 0).all(axis=-1) & (confidence == 0)  # they keep the zeros of DeepLabCut's missing animals
    np.testing.assert_allclose(pose.position, np.where(absent[..., None], np.nan, position), rtol=1e-6, equal_nan=True)
    known = np.isfinite(confidence) & np.isfinite(position).all(axis=-1)
    np.testing.assert_allclose(pose.confidence[known], confidence[known], rtol=1e-6)


@pytest.mark.oracles
@pytest.mark.filterwarnings("default")
def test_positions_are_those_of_pynwb(samples, cpu):
    pynwb = pytest.importorskip("pynwb")
    pytest.importorskip("ndx_pose")
    (name,) = (name for name in READ if name.startswith("nwb/"))
    pose = read_pose(samples / name, 30.0, cpu)
    with pynwb.NWBHDF5IO(str(samples / name), "r", load_namespaces=True) as io:
        containers = io.read().processing["behavior"].data_interfaces.values()
        (container,) = (each for each in containers if hasattr(each, "pose_estimation_series"))
        assert sorted(container.pose_estimation_series) == sorted(pose.keypoints)
        for k, keypoint in enumerate(pose.keypoints):
            theirs = container.pose_estimation_series[keypoint]
            np.testing.assert_allclose(pose.position[:, 0, k], theirs.data[:], equal_nan=True)
            np.testing.assert_allclose(pose.confidence[:, 0, k], theirs.confidence[:])
            assert np.array_equal(pose.frame_numbers, theirs.timestamps[:])
