"""Models of earlier versions, and damaged model files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bsoid_gpu
from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.perceptron import PerceptronSettings
from bsoid_gpu.estimators.umap import UmapSettings
from bsoid_gpu.run_folder import arrays
from bsoid_gpu.run_folder.migrations import FORMAT
from bsoid_gpu.run_folder.model_file import METADATA
from bsoid_gpu.synthetic.sessions import simulate

DATA = Path(__file__).with_name("data")


@pytest.fixture
def old():
    """Model of version 0.1.0, built from two of three simulated sessions (2 minutes, 30 fps, seed 7)."""
    return bsoid_gpu.load_model(DATA / "model-0.1.0.safetensors")


def test_a_model_of_the_first_format_predicts_the_same_labels(old, tmp_path):
    *_, session = simulate(tmp_path, sessions=3, minutes=2, fps=30, seed=7)
    (prediction,) = bsoid_gpu.predict(old, session, backend="cpu")
    bouts = pd.read_csv(DATA / "model-0.1.0.bouts.csv")
    expected = np.repeat(bouts["label"], bouts["stop_frame"] - bouts["start_frame"]).to_numpy()
    assert len(prediction.labels) == len(expected) == 3600
    assert np.mean(prediction.labels == expected) >= 0.999  # rounding depends on the libraries


def test_a_model_of_the_first_format_has_the_current_estimators_and_settings(old, tmp_path):
    assert old.settings.embedding == UmapSettings()
    assert old.settings.clusters == HdbscanSettings()
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
