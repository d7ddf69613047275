"""Whole jobs on recordings in three dimensions, and with named pairs."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from quick import QUICK, TINY
from three_dimensions import anipose_csv, session

import bsoid_gpu
from bsoid_gpu.cli.main import main
from bsoid_gpu.errors import BadInput
from bsoid_gpu.method.columns import feature_names
from bsoid_gpu.run_folder.model_file import about, describe
from bsoid_gpu.settings import toml
from bsoid_gpu.settings.schema import Features
from bsoid_gpu.synthetic import mouse

PAIRS = ("tail_base - snout", "left_forepaw - right_forepaw", "snout - left_forepaw")


def flat(pose):
    """The same recording seen from above."""
    return replace(pose, position=pose.position[..., :2])


def with_settings(**changed):
    return replace(QUICK, features=replace(QUICK.features, **changed))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("anipose")
    for seed in range(2):
        pose, _ = session(seed=seed)
        data = anipose_csv(pose.position[:, 0], pose.keypoints, score=pose.confidence[:, 0])
        (folder / f"mouse{seed}.csv").write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def run(folder):
    return bsoid_gpu.build(folder, fps=30, out=folder / "run", settings=QUICK, backend="cpu")


def test_a_build_and_a_prediction_in_space(folder, run, tmp_path):
    assert run.features.shape == (2 * 599, 36)
    table = pd.read_csv(folder / "run" / "training.csv")
    names = feature_names(mouse.KEYPOINTS, Features(), 3)
    assert list(table.columns[2:38]) == names
    turns = table[[name for name in names if name.startswith("unsigned turn")]].to_numpy()
    assert turns.shape[1] == 15
    assert turns.min() >= 0 < turns.max()
    pose, _ = session("new", frames=1801, seed=7)
    (prediction,) = bsoid_gpu.predict(folder / "run", pose, out=tmp_path, backend="cpu")
    assert prediction.labels.shape == (1801,)
    assert len(pd.read_csv(tmp_path / "new.labels.csv")) == 1801
    assert len(set(prediction.labels.tolist())) > 2


def test_the_model_states_its_dimensions(folder, run):
    model = bsoid_gpu.load_model(folder / "run")
    assert model.dimensions == run.model.dimensions == about(model)["dimensions"] == 3
    assert "tail_base (3-D)" in describe(model)


def test_sessions_of_other_dimensions_are_not_predicted(folder, run):
    pose, _ = session("new", frames=300)
    with pytest.raises(BadInput, match="new: positions in 2 dimensions, while the model has 3"):
        bsoid_gpu.predict(run.model, flat(pose), backend="cpu")
    with pytest.raises(BadInput, match="new: positions in 3 dimensions, while the model has 2"):
        bsoid_gpu.predict(replace(run.model, dimensions=2), pose, backend="cpu")


@pytest.mark.parametrize("group", ["", "^(mouse)"])  # two recordings, and parts of one
def test_sessions_of_a_build_have_the_same_dimensions(group):
    poses = [flat(session("mouse0")[0]), session("mouse1", seed=1)[0]]
    settings = replace(QUICK, input=replace(QUICK.input, group=group))
    with pytest.raises(BadInput, match="mouse1: positions in 3 dimensions, while the first session, mouse0, has 2"):
        bsoid_gpu.build(poses, fps=30, settings=settings, backend="cpu")


def test_named_pairs_are_the_columns_of_build_and_prediction(folder, tmp_path):
    settings = with_settings(pairs=PAIRS)
    run = bsoid_gpu.build(folder, fps=30, out=tmp_path, settings=settings, backend="cpu")
    assert run.features.shape[1] == 2 * 3 + 6
    table = pd.read_csv(tmp_path / "training.csv")
    assert list(table.columns[2:14]) == feature_names(mouse.KEYPOINTS, Features(pairs=PAIRS), 3)
    assert run.warnings == bsoid_gpu.build(folder, fps=30, out=tmp_path, settings=settings, backend="cpu").warnings
    model = bsoid_gpu.load_model(tmp_path)
    assert model.settings.features.pairs == PAIRS
    (prediction,) = bsoid_gpu.predict(model, session("new", frames=301)[0], backend="cpu")
    assert prediction.labels.shape == (301,)


def test_unknown_pairs_are_refused_once_by_build_and_dry_run(folder, tmp_path):
    (tmp_path / "settings.toml").write_text(toml.to_toml(with_settings(pairs=("snout - tail",))))
    command = ["build", folder / "mouse0.csv", folder / "mouse1.csv", "--fps", "30", "--out", tmp_path / "run"]
    command += ["--backend", "cpu", "--config", tmp_path / "settings.toml"]
    for more in ([], ["--dry-run"]):
        done = CliRunner().invoke(main, [*map(str, command), *more])
        assert done.exit_code == 4
        assert done.stderr.count("no keypoint is named 'tail'; did you mean 'tail_base'?") == 1
    assert not (tmp_path / "run").exists()


def test_many_columns_are_a_warning_in_log_and_scores(tmp_path, caplog):
    pose, _ = session(frames=1200)
    position = np.concatenate([pose.position + shift for shift in (0, 20, 40)], axis=2)[:, :, :15]
    names = tuple(f"k{i}" for i in range(15))
    wide = replace(pose, position=position, confidence=np.ones(position.shape[:3]), keypoints=names)
    run = bsoid_gpu.build(wide, fps=30, out=tmp_path, settings=TINY, backend="cpu")
    sentence = "105 pairs of 15 keypoints give 225 feature columns"
    assert sum(sentence in warning for warning in run.warnings) == 1
    assert sum(sentence in record.message for record in caplog.records if record.levelname == "WARNING") == 1
    assert any(sentence in warning for warning in json.loads((tmp_path / "scores.json").read_text())["warnings"])
