import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from quick import TINY, files

import bsoid_gpu
from bsoid_gpu.cli.main import main
from bsoid_gpu.errors import BadInput
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.method.consensus import consensus
from bsoid_gpu.settings.toml import to_toml
from bsoid_gpu.synthetic.sessions import simulate
from bsoid_gpu.workflows.build import build_member

SETTINGS = replace(TINY, models=3, validation=replace(TINY.validation, stability=True, block_s=10.0))


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("sessions"), sessions=2, minutes=0.7, fps=30.0, seed=1)


@pytest.fixture(scope="module")
def built(sessions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return bsoid_gpu.build(sessions, fps=30, out=folder, settings=SETTINGS, backend="cpu"), folder


def test_the_model_has_the_joined_labels_of_its_members(built, sessions):
    run, folder = built
    model = bsoid_gpu.load_model(folder)
    assert model.digest() == run.model.digest()
    assert model.labels == run.membership.shape[1] == len(run.scores["stability"]["returns_in"])
    of_bins = model.fitted().predict_proba(run.features)
    np.testing.assert_allclose(of_bins, run.membership, atol=1e-6)
    assert np.array_equal(run.soft_labels, of_bins.argmax(axis=1))
    assert np.array_equal(np.bincount(run.soft_labels), model.label_bins)
    assert np.array_equal(run.predicted_labels, run.soft_labels)
    assert set(run.hard_labels.tolist()) <= {-1, *range(model.labels)}
    again = consensus(model.fitted().classifiers, run.features, run.backend)
    assert np.array_equal(again.labels, run.soft_labels)

    (prediction,) = bsoid_gpu.predict(model, sessions[0], fps=30, backend="cpu")
    np.testing.assert_allclose(prediction.probabilities[prediction.observed].sum(axis=1), 1, atol=1e-5)
    assert prediction.labels.max() < model.labels


def test_stability_is_the_agreement_of_the_members(built):
    run, folder = built
    scores = json.loads((folder / "scores.json").read_text())
    measured = scores["stability"]
    assert measured["models"] == 3
    assert -0.5 < measured["adjusted_rand"] <= 1
    assert 0 < measured["adjusted_mutual_information"] <= 1
    assert set(measured["returns_in"]) <= {1, 2, 3}
    text = CliRunner().invoke(main, ["info", str(folder)]).output
    assert f"agreement of 3 models on held-out time blocks: adjusted Rand index {measured['adjusted_rand']:.2f}" in text
    lost = [label for label, count in enumerate(measured["returns_in"]) if count < 2]
    warned = [warning for warning in run.warnings if "return in fewer than 2 of 3 models" in warning]
    assert len(warned) == bool(lost)
    assert all(f"({', '.join(map(str, lost))})" in warning for warning in warned)


def test_members_in_processes_without_a_folder_give_the_same_model(built, sessions):
    run, _ = built
    again = bsoid_gpu.build(sessions, fps=30, settings=SETTINGS, backend="cpu", executor=Executor(workers=2))
    assert again.model.to_bytes() == run.model.to_bytes()


def test_tasks_of_an_array_compute_the_members_and_a_build_joins_them(built, sessions, tmp_path):
    _, folder = built
    (tmp_path / "settings.toml").write_text(to_toml(SETTINGS))
    options = ["--fps", "30", "--config", str(tmp_path / "settings.toml"), "--backend", "cpu"]
    out = tmp_path / "run"
    for number in (3, 1, 2):
        command = ["build", *map(str, sessions), *options, "--out", str(out), "--member", str(number)]
        assert CliRunner().invoke(main, command).output.splitlines()[-1] == str(out)
    stages = {path: path.stat().st_mtime_ns for path in (out / "members").rglob("arrays.safetensors")}
    assert len(stages) == 9
    bsoid_gpu.build(sessions, fps=30, out=out, settings=SETTINGS, backend="cpu")
    assert {path: path.stat().st_mtime_ns for path in stages} == stages
    assert files(out) == files(folder)
    with pytest.raises(BadInput, match="the model to compute is 4; expected 1 to 3"):
        build_member(sessions, 30, out, 4, settings=SETTINGS)
    with pytest.raises(BadInput, match="give --models 5"):
        build_member(sessions, 30, out, 1, settings=TINY)


def test_an_interrupted_member_resumes_with_the_same_bytes(built, sessions, tmp_path, stop_in):
    _, folder = built
    checkpoints = stop_in("members/2", 4)
    with pytest.raises(KeyboardInterrupt):
        bsoid_gpu.build(
            sessions, fps=30, out=tmp_path / "run", settings=SETTINGS, backend="cpu", executor=Executor(workers=1)
        )
    assert len(checkpoints) == 4
    bsoid_gpu.build(sessions, fps=30, out=tmp_path / "run", settings=SETTINGS, backend="cpu")
    assert files(tmp_path / "run") == files(folder)
    assert not list((tmp_path / "run").rglob("*.checkpoint"))


def test_a_single_model_is_the_same_with_and_without_its_stability(sessions, tmp_path):
    settings = replace(SETTINGS, models=1)
    with_it = bsoid_gpu.build(sessions, fps=30, out=tmp_path / "run", settings=settings, backend="cpu")
    off = replace(settings, validation=replace(settings.validation, stability=False))
    without = bsoid_gpu.build(sessions, fps=30, settings=off, backend="cpu")
    assert without.scores["stability"] is None
    assert with_it.scores["stability"]["models"] == 2
    assert len(with_it.scores["stability"]["returns_in"]) == with_it.model.labels
    for name, array in without.model.classifier.items():
        assert np.array_equal(with_it.model.classifier[name], array), name
    assert np.array_equal(with_it.embedding, without.embedding)
    assert {path.name for path in (tmp_path / "run" / "members").iterdir()} == {"2"}
    bsoid_gpu.build(sessions, fps=30, out=tmp_path / "run", settings=off, backend="cpu")
    assert not (tmp_path / "run" / "members").exists()
