"""The complete job on real recordings, on the command line."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from bsoid_gpu.cli.main import main
from bsoid_gpu.statistics import agreement

OPEN_FIELD = "raw_clip{}DLC_resnet50_OpenFieldHighResApr8shuffle1_1030000"
MAZE = "elevated_plus_maze_30hz/Video{}DLC_resnet50_EPM_DLC_BSOIDAug25shuffle1_495000.csv"


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def labels_of(folder, name):
    return pd.read_csv(folder / f"{name}.labels.csv")


@pytest.fixture(scope="module")
def open_field(recordings, tmp_path_factory):
    out = tmp_path_factory.mktemp("open_field") / "run"
    result = call("build", recordings / "open_field_60hz", "--fps", 60, "--out", out)
    assert result.exit_code == 0, result.stderr
    return out, result.stderr


@pytest.mark.slow
def test_open_field_build_on_both_clips_predict_both(open_field, recordings, tmp_path):
    out, log = open_field
    assert "7200 frames x 6 keypoints" in log
    assert "2,398 bins from 36 into 3 dimensions" in log
    assert json.loads((out / "scores.json").read_text())["clusters"] >= 10
    result = call("predict", out, recordings / "open_field_60hz", "--out", tmp_path, "--smooth", "0")
    assert result.exit_code == 0, result.stderr
    for clip in (1, 2):
        table = labels_of(tmp_path, OPEN_FIELD.format(clip))
        assert len(table) == 7200
        assert table["label"].nunique() >= 10
    # the labels of frames agree with those of their bins, which are not smoothed
    training = pd.read_csv(out / "training.csv")
    bins = training[training["session"] == OPEN_FIELD.format(1)]
    middle = labels_of(tmp_path, OPEN_FIELD.format(1))["label"].to_numpy()[3::6][: len(bins)]
    assert np.mean(middle == bins["predicted"]) > 0.9


@pytest.mark.slow
def test_hdf5_and_csv_of_one_clip_get_the_same_labels(open_field, recordings, tmp_path):
    out, _ = open_field
    for suffix in ("csv", "h5"):
        file = recordings / "open_field_60hz" / f"{OPEN_FIELD.format(1)}.{suffix}"
        assert call("predict", out, file, "--out", tmp_path / suffix).exit_code == 0
    name = OPEN_FIELD.format(1)
    assert labels_of(tmp_path / "csv", name)["label"].equals(labels_of(tmp_path / "h5", name)["label"])


@pytest.mark.slow
def test_a_model_of_the_open_field_refuses_the_maze_and_lists_the_names(open_field, recordings, tmp_path):
    out, _ = open_field
    result = call("predict", out, recordings / MAZE.format(1), "--out", tmp_path / "labels")
    assert result.exit_code == 4
    assert "'Snout'" in result.stderr
    assert "'Snout/Head'" in result.stderr
    assert not (tmp_path / "labels").exists()


@pytest.mark.slow
def test_maze_build_on_two_videos_predict_two_others(recordings, tmp_path):
    train = [recordings / MAZE.format(i) for i in (1, 3)]
    result = call("build", *train, "--fps", 30, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    unseen = [recordings / MAZE.format(i) for i in (2, 4)]
    assert call("predict", tmp_path / "run", *unseen, "--out", tmp_path / "labels").exit_code == 0
    for path, frames in zip(unseen, (9365, 9366), strict=True):
        table = labels_of(tmp_path / "labels", path.stem)
        assert len(table) == frames
        assert table["label"].nunique() >= 4


@pytest.mark.slow
def test_freezing_labels_agree_with_a_human_observer(recordings, tmp_path):
    file = recordings / "freezing_50hz" / "demo1_tracking.csv"
    assert call("build", file, "--fps", 50, "--out", tmp_path / "run").exit_code == 0
    assert call("predict", tmp_path / "run", file, "--out", tmp_path / "labels").exit_code == 0
    labels = labels_of(tmp_path / "labels", "demo1_tracking")["label"]
    human = pd.read_csv(recordings / "freezing_50hz" / "demo1_freezing_human_frames.DERIVED.csv")["freezing"]
    assert len(labels) == len(human) == 6000
    assert agreement.majority_accuracy(labels, human) > 0.84  # 0.772 for always no


WORKS = {
    "ugly/demo5_tracking.csv": (29.385281, {"demo5_tracking": 12983}, "below its likelihood threshold"),
    "ugly/demo4_video.csv": (60, {"demo4_video": 3540}, "3540 frames"),
    "ugly/openfield_dlc_inference_example_missingdata.csv": (
        30, {"openfield_dlc_inference_example_missingdata": 2330}, "snout: 2 of 2,330 frames"
    ),
    "formats/dlc_h5/m3v1mp4DeepCut_resnet50_openfieldOct30shuffle1_15001.h5": (
        30, {"m3v1mp4DeepCut_resnet50_openfieldOct30shuffle1_15001": 2330}, "2330 frames"
    ),
    "formats/madlc/e3v813a-20210610T122332-122642DLC_dlcrnetms5_pilot_studySep24shuffle1_100000_el_filtered.csv": (
        30,
        {
            "e3v813a-20210610T122332-122642DLC_dlcrnetms5_pilot_studySep24shuffle1_100000_el_filtered_adult": 5700,
            "e3v813a-20210610T122332-122642DLC_dlcrnetms5_pilot_studySep24shuffle1_100000_el_filtered_juvenile": 5700,
        },
        "5700 frames x 7 keypoints",
    ),
    "formats/lightning_pose/180607_004.train_frames=75.rng=0.csv": (
        30, {"180607_004.train_frames=75.rng=0": 2000}, "2000 frames x 8 keypoints"
    ),
    "formats/lightning_pose/3f859b5c-e73a-4044-b49e-34bb81e96715.right.rng=3.csv": (
        60, {"3f859b5c-e73a-4044-b49e-34bb81e96715.right.rng=3": 2500}, "2500 frames x 2 keypoints"
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("path", WORKS)
def test_real_recordings_that_work(path, recordings, tmp_path):
    fps, sessions, message = WORKS[path]
    result = call("build", recordings / path, "--fps", fps, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert message in result.stderr
    result = call("predict", tmp_path / "run", recordings / path, "--out", tmp_path / "labels")
    assert result.exit_code == 0, result.stderr
    for name, frames in sessions.items():
        assert len(labels_of(tmp_path / "labels", name)) == frames


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("tiny/TruncatedSample_Video1DLC_resnet50_EPM_DLC_BSOIDAug25shuffle1_495000.csv", "103 frames"),
        ("tiny/TRUNCATED_sample__Video1DLC_resnet50_EPM_DLC_BSOIDAug25shuffle1_495000.csv", "50 frames"),
        ("tiny/RowsDeleted_FullSample_Video1DLC_resnet50_EPM_DLC_BSOIDAug25shuffle1_495000.csv", "10 frames"),
        ("formats/dlc_h5/testDLC_h5_table.h5", "100 frames"),
        ("formats/madlc/testDLC_csv_table_madlc.csv", "97 frames"),
        ("formats/madlc/testDLC_h5_table_madlc.h5", "100 frames"),
    ],
)
def test_real_recordings_that_are_too_short(path, message, recordings, tmp_path):
    result = call("build", recordings / path, "--fps", 30, "--out", tmp_path / "run")
    assert result.exit_code == 4
    assert message in result.stderr
    assert "too short" in result.stderr
    assert not (tmp_path / "run").exists()
