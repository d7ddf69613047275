"""Files that pynwb with ndx-pose and movement write, read here and by them."""

import datetime

import numpy as np
import pytest

from bsoid_gpu.io import read_pose
from bsoid_gpu.io.formats import recognise

pytestmark = [pytest.mark.oracles, pytest.mark.filterwarnings("default")]  # their own warnings are of no interest

FRAMES, NAMES = 50, ["snout", "left_ear", "tail"]


def arrays(seed, space=2, individuals=1):
    """Positions (frames, space, keypoints, individuals) and confidences without space, as movement has them."""
    rng = np.random.default_rng(seed)
    position = rng.normal(300, 50, (FRAMES, space, len(NAMES), individuals))
    position[5:8, :, 1] = np.nan
    return position, rng.uniform(0.1, 1, (FRAMES, len(NAMES), individuals))


def check(pose, position, confidence):
    expected = np.transpose(position, (0, 3, 2, 1))
    seen = np.isfinite(expected).all(axis=-1)
    assert np.allclose(pose.position, expected, equal_nan=True)
    assert np.allclose(pose.confidence, np.where(seen, np.transpose(confidence, (0, 2, 1)), 0))


@pytest.fixture
def ndx_pose():
    pytest.importorskip("pynwb")
    return pytest.importorskip("ndx_pose")


def write_nwb(ndx_pose, path, animals, **timing):
    """Write positions and confidences by animal with the installed version; times are shared by links."""
    import pynwb

    now = datetime.datetime.now(datetime.timezone.utc)
    file = pynwb.NWBFile(session_description="test", identifier="test", session_start_time=now)
    module = file.create_processing_module(name="behavior", description="positions")
    for animal, (position, confidence) in animals.items():
        series = []
        for k, name in enumerate(NAMES):
            if series and "timestamps" in timing:
                timing = {"timestamps": series[0]}  # a link
            series.append(
                ndx_pose.PoseEstimationSeries(
                    name=name,
                    description=name,
                    data=position[:, :, k, 0],
                    unit="pixels",
                    reference_frame="top left",
                    confidence=confidence[:, k, 0],
                    confidence_definition="softmax",
                    **timing,
                )
            )
        if hasattr(ndx_pose, "Skeleton"):  # from 0.2 on
            skeleton = ndx_pose.Skeleton(name=f"{animal}_skeleton", nodes=NAMES)
            module.add(ndx_pose.Skeletons(name=f"{animal}_skeletons", skeletons=[skeleton]))
            order = {"skeleton": skeleton}
        else:
            order = {"nodes": NAMES}
        module.add(ndx_pose.PoseEstimation(name=animal, pose_estimation_series=series, description="test", **order))
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)


@pytest.mark.parametrize("space", [2, 3])
@pytest.mark.parametrize("timing", [{"rate": 30.0, "starting_time": 1.5}, {"timestamps": 1.5 + np.arange(FRAMES) / 30}])
def test_files_of_pynwb(tmp_path, cpu, ndx_pose, timing, space):
    import pynwb

    path = tmp_path / "m.nwb"
    animals = {"a": arrays(0, space), "b": arrays(1, space)}
    write_nwb(ndx_pose, path, animals, **timing)
    pose = read_pose(path, 30.0, cpu)
    assert (pose.individuals, pose.keypoints, pose.start_s) == (("a", "b"), tuple(NAMES), 1.5)
    assert recognise(path).name == "NWB (ndx-pose)"
    check(pose, *(np.concatenate(parts, axis=-1) for parts in zip(*animals.values(), strict=True)))
    with pynwb.NWBHDF5IO(str(path), "r", load_namespaces=True) as io:
        containers = io.read().processing["behavior"].data_interfaces
        for i, animal in enumerate(pose.individuals):
            for k, name in enumerate(pose.keypoints):
                theirs = containers[animal].pose_estimation_series[name]
                assert np.allclose(pose.position[:, i, k], theirs.get_data_in_units(), equal_nan=True)
                assert np.allclose(pose.start_s + pose.frame_numbers / 30, theirs.get_timestamps())


@pytest.fixture
def dataset():
    """A dataset of two animals, from its arrays."""
    load_poses = pytest.importorskip("movement.io.load_poses")

    def make(position, confidence, fps=30.0):
        names = [f"animal{i}" for i in range(position.shape[-1])]
        return load_poses.from_numpy(
            position, confidence, individual_names=names, keypoint_names=NAMES, fps=fps, source_software="test"
        )

    return make


VARIANTS = {
    "as it is": lambda ds: ds,
    "before 0.17": lambda ds: ds.rename({"keypoint": "keypoints", "individual": "individuals"}),
    "another order": lambda ds: ds.transpose("individual", "space", "keypoint", "time"),
    "one animal": lambda ds: ds.isel(individual=0),
    "a part": lambda ds: ds.isel(time=slice(10, 30)),
    "with a gap": lambda ds: ds.isel(time=np.r_[0:20, 25:50]),
    "single precision": lambda ds: ds.astype(np.float32),
}


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf"])
@pytest.mark.parametrize("fps", [29.97, None])
@pytest.mark.parametrize("space", [2, 3])
@pytest.mark.parametrize("variant", VARIANTS)
def test_datasets_of_movement(tmp_path, cpu, dataset, variant, space, fps, engine):
    xarray = pytest.importorskip("xarray")
    changed = VARIANTS[variant](dataset(*arrays(2, space, individuals=2), fps=fps))
    path = tmp_path / "m.nc"
    changed.to_netcdf(path, engine=engine)
    pose = read_pose(path, 29.97, cpu)
    assert recognise(path).name == "movement netCDF"
    with xarray.open_dataset(path) as theirs:
        theirs = theirs.rename({old: old[:-1] for old in ("keypoints", "individuals") if old in theirs.dims})
        theirs = theirs if "individual" in theirs.dims else theirs.expand_dims("individual")
        axes = ("time", "space", "keypoint", "individual")
        confidence = theirs.confidence.transpose(axes[0], *axes[2:]).values
        check(pose, theirs.position.transpose(*axes).values, confidence)
        times = theirs.time.values / (1 if fps else 29.97)
        assert np.allclose(pose.start_s + pose.frame_numbers / 29.97, times, atol=1e-6)
        assert (pose.individuals, pose.keypoints) == (tuple(theirs.individual.values), tuple(theirs.keypoint.values))


def test_packed_positions_of_movement(tmp_path, cpu, dataset):
    xarray = pytest.importorskip("xarray")
    packed = {"dtype": "int16", "scale_factor": 0.05, "add_offset": 100.0, "_FillValue": -9999}
    path = tmp_path / "m.nc"
    dataset(*arrays(3, individuals=2)).to_netcdf(path, encoding={"position": packed})
    with xarray.open_dataset(path) as theirs:
        check(read_pose(path, 30.0, cpu), theirs.position.values, theirs.confidence.values)


def test_nwb_files_of_movement(tmp_path, cpu, dataset, ndx_pose):
    import pynwb

    save_poses = pytest.importorskip("movement.io.save_poses")
    load_poses = pytest.importorskip("movement.io.load_poses")
    position, confidence = arrays(4)
    path = tmp_path / "m.nwb"
    written = save_poses.to_nwb_file(dataset(position, confidence))
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(written[0] if isinstance(written, list) else written)
    pose = read_pose(path, 30.0, cpu)
    check(pose, position, confidence)
    theirs = load_poses.from_nwb_file(path)
    names = [str(name) for name in theirs.keypoint.values]
    order = [names.index(name) for name in pose.keypoints]
    check(pose, theirs.position.values[:, :, order], theirs.confidence.values[:, order])
