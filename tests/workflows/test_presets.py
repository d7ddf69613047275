"""The estimators of each preset, from CSV files to labels."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from quick import QUICKER, files, quicker

import bsoid_gpu
from bsoid_gpu.estimators import hdbscan
from bsoid_gpu.estimators.random_forest import RandomForestSettings
from bsoid_gpu.method.held_out import held_out_parts
from bsoid_gpu.synthetic.sessions import simulate


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sessions")
    simulate(folder, sessions=3, minutes=0.5, fps=30.0, seed=1)
    return sorted(folder.glob("*.csv"))


@pytest.mark.parametrize("name", QUICKER)
def test_a_preset_goes_from_files_to_labels_and_resumes(name, sessions, tmp_path, monkeypatch):
    monkeypatch.setattr(hdbscan.metadata, "version", lambda _: "0.3.4")
    settings, out = quicker(name), tmp_path / "run"
    run = bsoid_gpu.build(sessions[:2], fps=30, settings=settings, backend="cpu", out=out)
    before = files(out)
    again = bsoid_gpu.build(sessions[:2], fps=30, settings=settings, backend="cpu", out=out)
    assert files(out) == before
    assert again.model.to_bytes() == run.model.to_bytes()
    assert "clusters" in run.sweep
    assert run.sweep.query("chosen").clusters.item() >= run.model.labels
    assert len(run.predicted_labels) == len(run.soft_labels)
    assert run.scores["held_out_random"] > 2 / run.model.labels  # twice what chance gives
    model = bsoid_gpu.load_model(out)
    assert model.settings == run.model.settings
    assert {section: one["method"] for section, one in model.estimators.items()} == {
        section: getattr(settings, section).method for section in ("embedding", "clusters", "classifier")
    }
    first, second = (bsoid_gpu.predict(one, sessions[2], backend="cpu")[0] for one in (run.model, model))
    assert first.probabilities.tobytes() == second.probabilities.tobytes()
    assert first.probabilities.shape == (900, model.labels)
    assert set(np.unique(first.labels)) <= set(range(model.labels))
    assert np.mean(first.labels == np.argmax(first.probabilities, axis=1)) == 1


def test_hard_labels_train_the_classifier_without_noise(sessions, tmp_path, monkeypatch):
    """A forest without a limit knows the labels of the bins that it was fitted to, and no others."""
    monkeypatch.setattr(hdbscan.metadata, "version", lambda _: "0.3.4")
    soft_settings = quicker("bsoid-2")
    # in a few dimensions some bins are noise
    soft_settings = replace(
        soft_settings,
        embedding=replace(soft_settings.embedding, dimensions=2, neighbours=10),
        clusters=replace(soft_settings.clusters, min_samples=5, selection="leaf"),
        classifier=RandomForestSettings(trees=50, min_samples_leaf=1, max_features="all"),
        labels=replace(soft_settings.labels, training="soft"),
    )
    hard_settings = replace(soft_settings, labels=replace(soft_settings.labels, training="hard"))
    soft, hard = (
        bsoid_gpu.build(sessions[:2], fps=30, settings=one, backend="cpu", out=tmp_path / "run")
        for one in (soft_settings, hard_settings)
    )
    noise = hard.hard_labels < 0
    assert 20 < noise.sum() < 0.8 * len(noise)
    assert np.array_equal(soft.soft_labels, hard.soft_labels)
    assert np.mean(soft.predicted_labels == soft.soft_labels) > 0.99
    assert np.mean((hard.predicted_labels == hard.hard_labels)[~noise]) > 0.99
    assert len(hard.predicted_labels) == len(noise)
    assert np.mean((hard.predicted_labels == hard.soft_labels)[noise]) < 0.99
    held_out = held_out_parts([len(noise)], 0.1, hard_settings)["random"]  # the same bins, but for noise
    assert hard.confusion.sum() == (held_out & ~noise).sum()
    assert soft.confusion.sum() == round(0.2 * len(noise))
    table = pd.concat(pd.read_csv(file) for file in (tmp_path / "run").glob("training*.csv"))
    assert table["predicted"].tolist() == hard.predicted_labels.tolist()
