from pathlib import Path

import dlc
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import parse_pose, read_pose


def parse(text, cpu, name="m.csv", keypoints=()):
    return parse_pose(text.encode(), Path(name), 30.0, cpu, keypoints)


# names as people write them, without line breaks and quotes, which no header can hold
NAMES = st.lists(
    st.text("abc ,/-_é日", min_size=1, max_size=8).filter(lambda name: name.strip() == name),
    min_size=1,
    max_size=4,
    unique=True,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, st.integers(1, 30), st.integers(0, 2**32 - 1), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_digit_that_is_written_is_read(cpu, names, frames, seed, newline, final_newline):
    rng = np.random.default_rng(seed)
    values = rng.normal(300, 100, size=(frames, len(names), 3))
    values[..., 2] = rng.uniform(0.01, 1, size=values.shape[:2])
    missing = rng.uniform(size=values.shape[:2]) < 0.2
    values[missing, :2] = np.nan
    pose = parse(dlc.csv_text(values, names, newline=newline, final_newline=final_newline), cpu)
    assert pose.keypoints == tuple(names)
    assert pose.position.shape == (frames, 1, len(names), 2)  # N frames stay N, the first row too
    assert np.array_equal(pose.position[:, 0], values[..., :2], equal_nan=True)
    assert np.array_equal(pose.confidence[:, 0], np.where(missing, 0.0, values[..., 2]))
    assert pose.notes == ()


def test_keypoints_are_selected_by_exact_name_in_the_order_requested(cpu):
    values = dlc.wander(20)
    pose = parse(dlc.csv_text(values), cpu, keypoints=("tail/base", "snout"))
    assert pose.keypoints == ("tail/base", "snout")
    assert np.array_equal(pose.position[:, 0], values[:, [3, 0], :2])
    with pytest.raises(BadInput, match="did you mean 'left paw'"):
        parse(dlc.csv_text(values), cpu, keypoints=("Left paws",))
    with pytest.raises(BadInput, match="no keypoint is named 'paw'"):
        parse(dlc.csv_text(values), cpu, keypoints=("paw",))


def animals_text(values, individuals, keypoints, scorer="DLC"):
    """Values are (frames, individuals, keypoints, 3)."""
    columns = [(i, k, c) for i in individuals for k in keypoints for c in ("x", "y", "likelihood")]
    rows = [
        [
            "scorer",
            *[f"{scorer}.{n}" if n else scorer for n in range(len(columns))],
        ],  # numbered, as pandas does on a second read
        *[
            [name, *parts]
            for name, parts in zip(("individuals", "bodyparts", "coords"), zip(*columns, strict=True), strict=True)
        ],
        *[[str(t), *map(dlc.cell, frame.ravel())] for t, frame in enumerate(values)],
    ]
    return "\n".join(",".join(row) for row in rows) + "\n"


def test_each_animal_is_a_separate_track(cpu):
    values = np.stack([dlc.wander(30, 2, seed) for seed in (0, 1)], axis=1)
    values[3, 1, 0] = 0.0  # missing, in files of several animals
    pose = parse(animals_text(values, ("adult", "pup/2"), ("nose", "tail")), cpu)
    adult, pup = pose.tracks()
    assert (adult.name, pup.name) == ("m_adult", "m_pup_2")
    assert np.array_equal(adult.position[:, 0], values[:, 0, :, :2])
    assert np.isnan(pup.position[3, 0, 0]).all()
    assert pup.confidence[3, 0, 0] == 0
    assert pose.notes == ()


def test_keypoints_of_no_animal_are_left_out(cpu):
    values = np.stack([dlc.wander(30, 2, seed) for seed in (0, 1)], axis=1)
    pose = parse(animals_text(values, ("mouse", "single"), ("nose", "tail")), cpu)
    assert pose.individuals == ("mouse",)
    assert "'single'" in pose.notes[0]


def test_an_empty_likelihood_column_means_confidence_1(cpu):
    values = dlc.wander(20)
    values[:, :, 2] = np.nan
    pose = parse(dlc.csv_text(values), cpu)
    assert (pose.confidence == 1).all()
    assert "likelihood column is empty" in pose.notes[0]


def test_one_empty_likelihood_column_does_not_affect_the_others(cpu):
    values = dlc.wander(20)
    values[:, 1, 2] = np.nan
    values[5, 1, :2] = np.nan
    pose = parse(dlc.csv_text(values), cpu)
    expected = np.where(np.arange(20) == 5, 0.0, 1.0)
    assert np.array_equal(pose.confidence[:, 0, 1], expected)
    assert np.array_equal(pose.confidence[:, 0, 0], values[:, 0, 2])
    assert [note.split(":")[0] for note in pose.notes] == ["left paw"]


def test_no_likelihood_column_means_confidence_1(cpu):
    values = dlc.wander(20)
    values[3, 0, :2] = np.nan
    pose = parse(dlc.csv_text(values, likelihood=False), cpu)
    assert np.array_equal(pose.confidence[:, 0, 0], np.where(np.arange(20) == 3, 0.0, 1.0))
    assert pose.notes[0].startswith("there are no likelihoods")


def test_missing_positions_of_every_kind_have_no_confidence(cpu):
    values = dlc.wander(20)
    values[0] = np.nan  # a first row without any number is a frame
    values[4, 0] = np.nan, 7.0, 1.0  # half a position, with confidence
    values[5, 0, 1] = np.inf
    values[6, 0] = 0.0
    values[7, 0] = 0.0, 0.0, 0.9  # a corner of the image, with confidence
    pose = parse(dlc.csv_text(values), cpu)
    missing = np.isin(np.arange(20), [0, 4, 5, 6])
    assert pose.frames == 20
    assert np.array_equal(np.isnan(pose.position[:, 0, 0]).all(axis=-1), missing)
    assert np.array_equal(pose.confidence[:, 0, 0] == 0, missing)
    assert "snout: 1 frames at exactly 0, 0 or -1, -1" in pose.notes[0]


@pytest.mark.parametrize("likelihood", [True, False])
def test_zeros_and_minus_ones_are_missing_without_a_likelihood_for_them(cpu, likelihood):
    values = dlc.wander(20)
    values[4, 0], values[5, 1] = -1.0, 0.0
    values[6, 2] = -1.0, -1.0, 0.0
    pose = parse(dlc.csv_text(values, likelihood=likelihood), cpu)
    assert np.argwhere(np.isnan(pose.position[:, 0, :, 0])).tolist() == [[4, 0], [5, 1], [6, 2]]
    assert np.array_equal(pose.confidence[:, 0] == 0, np.isnan(pose.position[:, 0, :, 0]))


def test_missing_data_are_marked_where_the_arrays_are(arrays, cpu):
    values = dlc.wander(20)
    values[3, 1] = 0.0
    values[:, 2, 2] = np.nan
    text = dlc.csv_text(values)
    on_device, on_host = (parse(text, backend, keypoints=("right paw", "left paw")) for backend in (arrays, cpu))
    assert np.array_equal(arrays.to_host(on_device.position), on_host.position, equal_nan=True)
    assert np.array_equal(arrays.to_host(on_device.confidence), on_host.confidence)
    assert on_device.notes == on_host.notes


def test_a_byte_order_mark_blank_last_lines_and_carriage_returns(cpu):
    text = dlc.csv_text(dlc.wander(5))
    plain = parse(text, cpu)
    for variant in ("\ufeff" + text, text + "\n\r\n\n", text.replace("\n", "\r")):
        assert np.array_equal(parse(variant, cpu).position, plain.position)


def test_three_dimensions(cpu):
    values = dlc.wander(5, 2)
    text = dlc.csv_text(values, ("a", "b")).replace("likelihood", "z")
    pose = parse(text, cpu)
    assert np.array_equal(pose.position[:, 0], values)
    assert (pose.confidence == 1).all()


def test_a_position_without_a_likelihood_among_others_is_missing(cpu):
    values = dlc.wander(20)
    values[4, 1, 2] = np.nan
    pose = parse(dlc.csv_text(values), cpu)
    assert np.isnan(pose.position[4, 0, 1]).all()


CLIP1 = "open_field_60hz/raw_clip1DLC_resnet50_OpenFieldHighResApr8shuffle1_1030000.csv"
MAZE = "DLC_resnet50_EPM_DLC_BSOIDAug25shuffle1_495000.csv"
REAL = {
    "open_field_60hz/raw_clip2DLC_resnet50_OpenFieldHighResApr8shuffle1_1030000.csv": (7200, 1, 6, None),
    f"elevated_plus_maze_30hz/Video1{MAZE}": (9486, 1, 6, None),
    f"elevated_plus_maze_30hz/Video2{MAZE}": (9365, 1, 6, None),
    f"elevated_plus_maze_30hz/Video3{MAZE}": (9519, 1, 6, None),
    f"elevated_plus_maze_30hz/Video4{MAZE}": (9366, 1, 6, None),
    CLIP1: (7200, 1, 6, None),
    "freezing_50hz/demo1_tracking.csv": (6000, 1, 8, None),
    "ugly/demo5_tracking.csv": (12983, 1, 5, None),
    "ugly/demo4_video.csv": (3540, 1, 5, None),
    "ugly/openfield_dlc_inference_example_missingdata.csv": (2330, 1, 4, None),
    "formats/dlc_h5/m3v1mp4DeepCut_resnet50_openfieldOct30shuffle1_15001.h5": (2330, 1, 4, None),
    "formats/dlc_h5/testDLC_h5_table.h5": (100, 1, 14, None),
    "formats/madlc/testDLC_csv_table_madlc.csv": (97, 2, 14, None),
    "formats/madlc/testDLC_h5_table_madlc.h5": (100, 2, 14, None),
    "formats/madlc/e3v813a-20210610T122332-122642DLC_dlcrnetms5_pilot_studySep24shuffle1_100000_el_filtered.csv": (
        5700,
        2,
        7,
        None,
    ),
    "formats/lightning_pose/180607_004.train_frames=75.rng=0.csv": (2000, 1, 8, None),
    "formats/lightning_pose/3f859b5c-e73a-4044-b49e-34bb81e96715.right.rng=3.csv": (2500, 1, 2, None),
}


@pytest.mark.parametrize("path", REAL)
def test_real_files(path, recordings, cpu):
    frames, individuals, keypoints, note = REAL[path]
    pose = read_pose(recordings / path, 30, cpu)
    assert pose.position.shape == (frames, individuals, keypoints, 2)
    assert np.isfinite(pose.confidence).all()
    if note:
        assert any(note in line for line in pose.notes), pose.notes


def test_csv_and_hdf5_of_one_clip_hold_the_same_pose(recordings, cpu):
    table, hdf5 = (read_pose((recordings / CLIP1).with_suffix(suffix), 60, cpu) for suffix in (".csv", ".h5"))
    assert table.keypoints == hdf5.keypoints
    np.testing.assert_allclose(table.position, hdf5.position, rtol=1e-9)
    np.testing.assert_allclose(table.confidence, hdf5.confidence, atol=1e-9)


@pytest.mark.parametrize(("stem", "frames"), [("TruncatedSample", 103), ("TRUNCATED", 50), ("RowsDeleted", 10)])
def test_files_too_short_to_train_on_are_read(recordings, cpu, stem, frames):
    (file,) = (path for path in (recordings / "tiny").iterdir() if path.name.startswith(stem))
    assert read_pose(file, 30, cpu).frames == frames


def test_names_with_slashes_and_spaces(recordings, cpu):
    names = ("Butt/Proximal Tail", "Front Paw R")
    pose = read_pose(recordings / CLIP1, 60, cpu, names)
    assert pose.keypoints == names
