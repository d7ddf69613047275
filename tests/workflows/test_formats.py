"""The complete job on the command line, with a recording of simulated mice in every format."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from pose_formats import ABSENT, FORMATS, FPS, FRAMES, csv, recording
from quick import QUICK

import bsoid_gpu
from bsoid_gpu.cli.main import main
from bsoid_gpu.io import formats
from bsoid_gpu.settings import toml

BUILT = ("SLEAP analysis", "SLEAP labels, two animals", "NWB", "movement", "OpenPose", "JABS", "Anipose", "FreeMoCap")


def call(*arguments):
    done = CliRunner().invoke(main, [*map(str, arguments), "--backend", "cpu"])
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="module")
def models():
    """A model of simulated mice by the number of dimensions."""
    built = {}
    for dimensions in (2, 3):
        mice = [replace(recording(1, dimensions, 1800, seed), name=f"m{seed}") for seed in (1, 2)]
        built[dimensions] = bsoid_gpu.build(mice, fps=FPS, settings=QUICK, backend="cpu").model
    return built


def tables(folder):
    """The labels of each session, in natural order, which is that of the animals."""
    return [pd.read_csv(path) for path in sorted(folder.glob("*.labels.csv"))]


def write_each(folder, pose, likelihood):
    """Each animal in a file of DeepLabCut of its own."""
    folder.mkdir()
    for name in pose.individuals:
        csv(folder / f"{name}.csv", pose.select(individuals=(name,)), likelihood=likelihood)
    return folder


@pytest.mark.parametrize("name", FORMATS)
def test_labels_are_those_of_the_same_numbers_in_a_csv(models, tmp_path, name):
    form = FORMATS[name]
    pose = form.recording()
    replace(models[form.dimensions], keypoints=form.keypoints).save(tmp_path / "model.safetensors")
    path = form.write(tmp_path, pose)
    each = write_each(tmp_path / "each", pose, form.likelihood)
    call("predict", tmp_path / "model.safetensors", path, "--fps", 30, "--out", tmp_path / "labels")
    call("predict", tmp_path / "model.safetensors", each, "--fps", 30, "--out", tmp_path / "expected")
    labels, expected = tables(tmp_path / "labels"), tables(tmp_path / "expected")
    assert len(labels) == len(expected) == form.animals
    assert formats.recognise(path).name.split()[0] == name.split()[0].rstrip(",")
    for one, other in zip(labels, expected, strict=True):
        pd.testing.assert_frame_equal(one, other)
        assert one["frame"].tolist() == list(range(FRAMES))
        assert one["label"].nunique() > 2
    absent = labels[0]["label"].to_numpy() == -1
    assert np.flatnonzero(absent).tolist() == list(range(FRAMES))[ABSENT]
    sessions = json.loads((tmp_path / "labels" / "manifest.json").read_text())["sessions"]
    assert [session["frames"] for session in sessions.values()] == [FRAMES] * form.animals


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT)
def test_a_model_is_that_of_the_same_numbers_in_csv_files(tmp_path, name):
    form = FORMATS[name]
    (tmp_path / "quick.toml").write_text(toml.to_toml(QUICK))
    trained, of_csv, new = [], [], tmp_path / "new"
    new.mkdir()
    for seed in (1, 11):
        pose = form.recording(1800, seed)
        for kind, write in (("own", form.write), ("csv", None)):
            folder = tmp_path / f"{kind}{seed}"
            folder.mkdir()
            if write:
                path = write(folder, pose)
                trained.append(path.rename(path.with_name(f"m{seed}{'' if path.is_dir() else path.suffix}")))
            else:
                of_csv.append(csv(folder / f"m{seed}.csv", pose, likelihood=form.likelihood))
    options = ["--fps", 30, "--config", tmp_path / "quick.toml", "--keypoints", ",".join(form.keypoints)]
    call("build", *trained, *options, "--out", tmp_path / "run")
    call("build", *of_csv, *options, "--out", tmp_path / "run of csv")
    table, expected = (pd.read_csv(tmp_path / folder / "training.csv") for folder in ("run", "run of csv"))
    assert table["session"].nunique() == 2 * form.animals
    pd.testing.assert_frame_equal(table.drop(columns="session"), expected.drop(columns="session"))
    path = form.write(new, form.recording(901, seed=21))
    call("predict", tmp_path / "run", path, "--out", tmp_path / "labels")
    labels = tables(tmp_path / "labels")
    assert [len(table) for table in labels] == [901] * form.animals
    assert np.mean([table["label"].nunique() for table in labels]) > 2
