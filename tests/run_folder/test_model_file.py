"""Models of earlier versions, and damaged model files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import bsoid_gpu
from bsoid_gpu.cli.main import main
from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.perceptron import PerceptronSettings
from bsoid_gpu.estimators.umap import UmapSettings
from bsoid_gpu.method.smoothing import smoothed_labels
from bsoid_gpu.run_folder import arrays
from bsoid_gpu.run_folder.migrations import FORMAT
from bsoid_gpu.run_folder.model_file import METADATA
from bsoid_gpu.settings.schema import LabelSettings
from bsoid_gpu.synthetic.sessions import simulate

DATA = Path(__file__).with_name("data")


@pytest.fixture
def old():
    """Model of version 0.1.0, built from two of three simulated sessions (2 minutes, 30 fps, seed 7)."""
    return bsoid_gpu.load_model(DATA / "model-0.1.0.safetensors")


def labels_then(name):
    """LabelSettings of frames that the version of a model gave the last session of its simulation."""
    bouts = pd.read_csv(DATA / f"{name}.bouts.csv")
    return np.repeat(bouts["label"], bouts["stop_frame"] - bouts["start_frame"]).to_numpy()


# models built from the first two of three simulated sessions of so many minutes, 30 fps, seed 7; labels of frames were
# not smoothed then
@pytest.mark.parametrize(("name", "minutes"), [("model-0.1.0", 2), ("model-format-3", 1)])
def test_a_model_of_an_earlier_format_predicts_the_same_labels_and_smoothed_ones(tmp_path, name, minutes):
    *_, session = simulate(tmp_path, sessions=3, minutes=minutes, fps=30, seed=7)
    model, expected = DATA / f"{name}.safetensors", labels_then(name)
    (plain,) = bsoid_gpu.predict(model, session, backend="cpu", smooth=0)
    assert len(plain.labels) == len(expected) == 1800 * minutes
    assert np.mean(plain.labels == expected) >= 0.999  # rounding depends on the libraries
    assert np.array_equal(plain.labels, plain.probabilities.argmax(axis=1))
    assert not plain.smoothed.any()
    (default,) = bsoid_gpu.predict(model, session, backend="cpu")
    assert default.probabilities.tobytes() == plain.probabilities.tobytes()
    assert np.array_equal(default.labels, smoothed_labels(plain.probabilities, 0.97, 1 / 3))  # windows of 3 frames
    assert np.array_equal(default.smoothed, default.labels != plain.labels)
    assert np.count_nonzero(np.diff(default.labels)) < 0.8 * np.count_nonzero(np.diff(plain.labels))


def test_the_command_gives_the_unsmoothed_labels_of_an_earlier_format(tmp_path):
    *_, session = simulate(tmp_path, sessions=3, minutes=1, fps=30, seed=7)
    model, options = DATA / "model-format-3.safetensors", ["--fps", "30", "--backend", "cpu"]
    tables = {}
    for name, more in (("plain", ["--smooth", "0"]), ("smoothed", [])):
        command = ["predict", str(model), str(session), "--out", str(tmp_path / name), *options, *more]
        assert CliRunner().invoke(main, command).exit_code == 0
        tables[name] = pd.read_csv(tmp_path / name / "mouse3.labels.csv")
    assert np.mean(tables["plain"]["label"] == labels_then("model-format-3")) >= 0.999
    assert not tables["plain"]["smoothed"].any()
    changed = tables["smoothed"]["label"] != tables["plain"]["label"]
    assert 0.01 < changed.mean() < 0.5
    assert (tables["smoothed"]["smoothed"].astype(bool) == changed).all()


@pytest.mark.parametrize("name", ["model-0.1.0", "model-format-3"])
def test_a_model_of_an_earlier_format_states_how_it_was_built(name):
    settings = bsoid_gpu.load_model(DATA / f"{name}.safetensors").settings
    assert settings.models == 1
    assert (settings.clusters.selection, settings.clusters.smallest_s) == ("eom", 0.0)
    assert not settings.validation.stability
    assert settings.labels == LabelSettings()


def test_a_model_of_the_first_format_has_the_current_estimators_and_settings(old, tmp_path):
    assert old.settings.embedding == UmapSettings()
    assert old.settings.clusters == HdbscanSettings(selection="eom", smallest_s=0.0)
    assert old.settings.classifier == PerceptronSettings()
    assert old.settings.validation.folds == 10
    assert old.estimators["classifier"] == {"method": "perceptron", "version": 0}
    assert isinstance(old.scores["warnings"], list)
    assert old.versions["bsoid_gpu"] == "0.1.0"
    old.save(tmp_path / "new.safetensors")
    again = bsoid_gpu.load_model(tmp_path / "new.safetensors")
    assert again.to_bytes() == old.to_bytes()
    assert json.loads(arrays.loaded(tmp_path / "new.safetensors")[1][METADATA])["format"] == FORMAT


def test_a_file_of_a_newer_format_is_refused(old, tmp_path):
    file = tmp_path / "model.safetensors"
    old.save(file)
    named, metadata = arrays.loaded(file)
    newer = {**json.loads(metadata[METADATA]), "format": FORMAT + 1}
    file.write_bytes(arrays.saved(named, {METADATA: json.dumps(newer)}))
    with pytest.raises(BadInput, match="newer than this program"):
        bsoid_gpu.load_model(file)


@pytest.mark.parametrize("missing", ["mean", "weights.0", "bias.2"])
def test_a_file_without_one_of_its_arrays_is_refused(old, tmp_path, missing):
    others = {name: array for name, array in old.classifier.items() if name != missing}
    replace(old, classifier=others).save(tmp_path / "model.safetensors")
    with pytest.raises(BadInput, match=missing):
        bsoid_gpu.load_model(tmp_path / "model.safetensors")


def test_recordings_in_any_order_keep_their_own_thresholds_and_scales(old, tmp_path):
    recordings = ("m2", "m10", "a")
    thresholds = {name: np.full(6, float(number)) for number, name in enumerate(recordings)}
    scales = {name: np.full((2, 36), 10.0 + number) for number, name in enumerate(recordings)}
    replace(old, thresholds=thresholds, scales=scales).save(tmp_path / "model.safetensors")
    again = bsoid_gpu.load_model(tmp_path / "model.safetensors")
    assert {name: array.tolist() for name, array in again.thresholds.items()} == {
        name: array.tolist() for name, array in thresholds.items()
    }
    assert {name: array.tolist() for name, array in again.scales.items()} == {
        name: array.tolist() for name, array in scales.items()
    }
