"""Several time scales and body lengths, from sessions to labels."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from quick import TINY

import bsoid_gpu
from bsoid_gpu.errors import BadInput
from bsoid_gpu.method.columns import feature_names
from bsoid_gpu.settings.schema import Features, Input
from bsoid_gpu.synthetic import mouse
from bsoid_gpu.synthetic.sessions import simulate_session
from bsoid_gpu.workflows.predict import predict_files

FPS = 30.0
FEATURES = Features(scales_s=(0.5, 2.0), lengths="body", standardise="global")


def session(name, frames=900, seed=9):
    return simulate_session(name, frames, FPS, np.random.default_rng(seed))[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    mice = [session(f"mouse{i}", 1800, i) for i in range(2)]
    mice[1] = replace(mice[1], position=2 * mice[1].position)  # another camera
    settings = replace(TINY, features=FEATURES, input=Input(px_per_mm=2.0))
    folder = tmp_path_factory.mktemp("run") / "run"
    return bsoid_gpu.build(mice, fps=FPS, settings=settings, backend="cpu", out=folder), folder


def test_the_table_has_five_columns_for_each_quantity_and_no_millimetres(run):
    table = pd.read_csv(run[1] / "training.csv")
    names = feature_names(mouse.KEYPOINTS, FEATURES)
    assert list(table.columns[2:182]) == names
    assert len(set(names)) == 180
    assert not any("mm" in name for name in table.columns)
    assert np.isfinite(table[names].to_numpy()).all()
    lengths = table.groupby("session")[names[0]].mean()
    assert lengths.iloc[1] == pytest.approx(lengths.iloc[0], rel=0.2)  # in body lengths, not twice


def test_labels_do_not_depend_on_the_camera(run, tmp_path):
    large = replace(session("m"), position=3 * session("m").position)
    plain, other = (bsoid_gpu.predict(run[1], pose, FPS, backend="cpu")[0] for pose in (session("m"), large))
    assert len(plain.labels) == 900
    assert len(np.unique(plain.labels)) > 3
    assert np.mean(plain.labels == other.labels) > 0.999
    predict_files(run[1], large, FPS, tmp_path, backend="cpu")
    assert json.loads((tmp_path / "manifest.json").read_text())["warnings"] == []


@pytest.mark.parametrize("options", [{"scale": "auto"}, {"scale": 0.5}, {"px_per_mm": 4.0}])
def test_factors_on_the_positions_are_refused(run, options):
    with pytest.raises(BadInput, match="body lengths of each recording, which no factor changes: leave out --scale"):
        bsoid_gpu.predict(run[1], session("m"), FPS, backend="cpu", **options)


def test_another_frame_rate_is_a_warning(run, tmp_path):
    predict_files(run[1], replace(session("m"), fps=60.0), 60.0, tmp_path, backend="cpu")
    warnings = json.loads((tmp_path / "manifest.json").read_text())["warnings"]
    assert any("the spreads of turns" in warning for warning in warnings)


def test_predicting_the_training_sessions_gives_their_bins_the_same_labels(run):
    predicted = bsoid_gpu.predict(run[1], session("mouse0", 1800, 0), FPS, backend="cpu")[0]
    bins = run[0].predicted_labels[:599]
    assert np.mean(predicted.probabilities.argmax(axis=1)[2 : 2 + 3 * 599 : 3] == bins) > 0.999
