"""Build and predict on small simulated sessions."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from quick import QUICK, files

import bsoid_gpu
from bsoid_gpu.cli.main import main
from bsoid_gpu.io import read_pose
from bsoid_gpu.io.sessions import sources
from bsoid_gpu.kernels import umap_layout
from bsoid_gpu.method.columns import feature_names
from bsoid_gpu.method.session_features import session_features
from bsoid_gpu.settings.schema import Features, Input, Settings, Validation
from bsoid_gpu.statistics import agreement
from bsoid_gpu.synthetic import mouse
from bsoid_gpu.synthetic.sessions import simulate, simulate_session


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("sessions"), sessions=3, minutes=1.5, fps=30.0, seed=1)


@pytest.fixture(scope="module")
def built(sessions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "run"
    return bsoid_gpu.build(sessions[:2], fps=30, out=folder, settings=QUICK, backend="cpu"), folder


def test_a_run_has_the_results_of_every_step(built):
    run, _ = built
    bins = len(run.features)
    labels = run.model.labels
    assert run.features.shape == run.scaled_features.shape == (bins, 36)
    assert run.embedding.shape == (bins, 3)
    assert run.hard_labels.shape == run.soft_labels.shape == run.predicted_labels.shape == (bins,)
    assert run.membership.shape == (bins, labels)
    assert run.confusion.sum() == bins
    assert set(run.soft_labels.tolist()) == set(range(labels))
    assert 0 < run.scores["held_out_random"] <= 1
    assert run.classifier.n_classes == labels
    np.testing.assert_allclose(run.scaled_features[: bins // 2].mean(axis=0), 0, atol=1e-9)


def test_the_tables_have_the_results_of_the_run(built):
    run, folder = built
    table = pd.read_csv(folder / "training.csv")
    names = [
        "session",
        "time_s",
        *feature_names(mouse.KEYPOINTS, Features()),
        "embedding_1",
        "embedding_2",
        "embedding_3",
    ]
    assert list(table.columns) == [*names, "label", "soft_label", "membership", "predicted", "behaviour"]
    assert len(table) == len(run.features)
    assert table["time_s"].tolist()[:3] == pytest.approx([0, 0.1, 0.2])
    np.testing.assert_allclose(table.iloc[:, 2:38], run.features, atol=1e-6)
    assert table["behaviour"].tolist() == [f"label {label}" for label in table["predicted"]]
    numbers = table.drop(columns="behaviour")
    pd.testing.assert_frame_equal(run.table(), numbers, check_exact=False, rtol=0, atol=1e-4, check_dtype=False)
    assert json.loads((folder / "scores.json").read_text())["clusters"] == run.model.labels
    assert pd.read_csv(folder / "sweep.csv")["chosen"].sum() == 1
    assert len(pd.read_csv(folder / "confusion.csv")) == run.model.labels
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["stages"]) == {"features mouse1", "features mouse2", "embedding", "clusters", "classifier"}
    assert all(stage["seconds"] >= 0 and stage["peak_memory_mb"] > 0 for stage in manifest["stages"].values())


def test_the_same_seed_gives_the_same_bytes(built, sessions, tmp_path):
    _, folder = built
    bsoid_gpu.build(sessions[:2], fps=30, out=tmp_path / "again", settings=QUICK, backend="cpu")
    assert files(tmp_path / "again") == files(folder)
    for number in (1, 2):
        bsoid_gpu.predict(folder, sessions[2], out=tmp_path / f"labels{number}", backend="cpu")
    assert files(tmp_path / "labels1") == files(tmp_path / "labels2")


@pytest.mark.parametrize(("stage", "number"), [("embedding", 4), ("classifier", 3)])
def test_an_interrupted_stage_resumes(built, sessions, tmp_path, stop_in, stage, number):
    _, folder = built
    checkpoints = stop_in(stage, number)
    with pytest.raises(KeyboardInterrupt):
        bsoid_gpu.build(sessions[:2], fps=30, out=tmp_path / "run", settings=QUICK, backend="cpu")
    assert [path.name for path in (tmp_path / "run" / "stages").glob(".*")] == [f".{stage}.checkpoint"]
    steps = {
        "embedding": -(-QUICK.embedding.epochs // umap_layout.EPOCHS_PER_LIST),
        "classifier": 3 + QUICK.validation.folds,
    }
    bsoid_gpu.build(sessions[:2], fps=30, out=tmp_path / "run", settings=QUICK, backend="cpu")
    assert len(checkpoints) == steps[stage]  # no step ran twice
    assert files(tmp_path / "run") == files(folder)
    assert not list((tmp_path / "run" / "stages").glob(".*"))


def test_another_seed_gives_another_model(built, sessions):
    run, _ = built
    other = bsoid_gpu.build(sessions[:2], fps=30, settings=QUICK, seed=24, backend="cpu")
    assert other.model.to_bytes() != run.model.to_bytes()


def test_the_same_command_resumes_every_stage_with_the_same_inputs(built, sessions, tmp_path, caplog):
    _, folder = built
    before = files(folder)
    (folder / "model.safetensors").unlink()
    (folder / "manifest.json").unlink()
    again = bsoid_gpu.build(sessions[:2], fps=30, out=folder, settings=QUICK, backend="cpu")
    assert files(folder) == before
    manifest = json.loads((folder / "manifest.json").read_text())
    assert all(stage["resumed"] for stage in manifest["stages"].values())
    # other settings of the clusters do not change the embedding
    larger = replace(QUICK, clusters=replace(QUICK.clusters, selection="eom"))
    bsoid_gpu.build(sessions[:2], fps=30, out=folder, settings=larger, backend="cpu")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {name for name, stage in manifest["stages"].items() if not stage["resumed"]} == {"clusters", "classifier"}
    again.model.save(folder / "model.safetensors")


def test_a_prediction_has_a_label_for_every_frame_and_its_tables_agree(built, sessions, tmp_path):
    run, _ = built
    (prediction,) = bsoid_gpu.predict(run.model, sessions[2], out=tmp_path / "out", backend="cpu")
    assert len(prediction.labels) == len(prediction.confidence) == 2700
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, atol=1e-5)
    labels = pd.read_csv(tmp_path / "out" / "mouse3.labels.csv")
    assert labels["frame"].tolist() == list(range(2700))
    assert labels["time_s"].iloc[-1] == pytest.approx(2699 / 30, abs=1e-6)
    assert np.array_equal(labels["label"], prediction.labels)
    summary = pd.read_csv(tmp_path / "out" / "mouse3.summary.csv")
    assert len(summary) == run.model.labels
    assert summary["share"].sum() == pytest.approx(1, abs=1e-5)
    runs = pd.read_csv(tmp_path / "out" / "mouse3.bouts.csv")
    assert runs["stop_frame"].iloc[-1] == 2700
    matrix = pd.read_csv(tmp_path / "out" / "mouse3.transitions.csv", index_col=["label", "behaviour"]).dropna()
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-5)
    (unsure,) = bsoid_gpu.predict(run.model, sessions[2], backend="cpu", min_confidence=0.9)
    assert np.array_equal(unsure.labels == -1, prediction.confidence < 0.9)
    assert (unsure.labels == -1).any()


def test_labels_agree_with_the_behaviours_without_lag(built, sessions):
    run, _ = built
    (prediction,) = bsoid_gpu.predict(run.model, sessions[2], backend="cpu")
    truth = pd.read_csv(sessions[2].parent / "truth" / "mouse3.truth.csv")["behaviour"]
    assert agreement.homogeneity(prediction.labels, truth) > 0.7  # after 3 minutes of training, and a short layout
    assert abs(agreement.best_lag(prediction.labels, truth, reach=15)) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_default_method_recovers_the_behaviours_of_a_held_out_session(seed, tmp_path):
    paths = simulate(tmp_path, sessions=3, minutes=5, fps=60, seed=seed)
    settings = Settings(validation=Validation(stability=False))
    run = bsoid_gpu.build(paths[:2], fps=60, settings=settings, backend="cpu")
    (prediction,) = bsoid_gpu.predict(run.model, paths[2], backend="cpu")
    truth = pd.read_csv(tmp_path / "truth" / "mouse3.truth.csv")["behaviour"]
    assert agreement.homogeneity(prediction.labels, truth) >= 0.80
    assert abs(agreement.best_lag(prediction.labels, truth)) <= 1


@pytest.mark.parametrize("frames", [2, 3, 50, 103])
def test_short_sessions_can_be_predicted(built, frames):
    run, _ = built
    pose, _ = simulate_session("short", frames, 30.0, np.random.default_rng(0))
    (prediction,) = bsoid_gpu.predict(run.model, pose, backend="cpu")
    assert len(prediction.labels) == frames


def test_sessions_may_have_another_frame_rate_than_the_model(built):
    run, _ = built
    pose, truth = simulate_session("fast", 6000, 59.94, np.random.default_rng(5))
    (prediction,) = bsoid_gpu.predict(run.model, pose, fps=59.94, backend="cpu")
    assert len(prediction.labels) == 6000
    assert agreement.homogeneity(prediction.labels, truth) > 0.65


def test_sessions_are_labelled_independently(built, sessions):
    run, _ = built
    together = bsoid_gpu.predict(run.model, sessions, backend="cpu")
    alone = [bsoid_gpu.predict(run.model, session, backend="cpu")[0] for session in sessions]
    for first, second in zip(together, alone, strict=True):
        assert np.array_equal(first.labels, second.labels)
    assert not np.array_equal(together[0].labels, together[1].labels)


def test_a_recording_in_parts_has_the_features_of_the_complete_recording(sessions, tmp_path, cpu):
    lines = sessions[0].read_text().splitlines(keepends=True)
    (tmp_path / "m_part1.csv").write_text("".join(lines[:1203]))
    (tmp_path / "m_part2.csv").write_text("".join(lines[:3] + lines[1203:]))
    settings = Settings(input=Input(fps=30, group="^(.*)_part"))
    parts = sources([tmp_path / "m_part1.csv", tmp_path / "m_part2.csv"])
    both = session_features([pose for part in parts for pose in part.read().tracks(30, cpu)], 30, settings, cpu)
    assert [part.recording for part in both] == ["m", "m"]
    assert np.array_equal(both[0].threshold, both[1].threshold)
    pose = read_pose(sessions[0], 30, cpu)
    complete = session_features([pose], 30, Settings(input=Input(fps=30)), cpu)[0]
    # the histogram lacks one more frame, the first of the second part
    np.testing.assert_allclose(both[0].threshold, complete.threshold, atol=0.02)
    np.testing.assert_allclose(both[0].features[:398], complete.features[:398])
    assert pose.frames == sum(part.frames for part in both)


def test_the_model_stores_thresholds_and_scales_and_uses_them_for_parts_of_a_recording(sessions, tmp_path):
    settings = replace(QUICK, input=Input(group="^(.*)$"))
    run = bsoid_gpu.build(sessions[:2], fps=30, settings=settings, backend="cpu")
    assert sorted(run.model.thresholds) == ["mouse1", "mouse2"]
    assert run.model.scales["mouse1"].shape == (2, 36)
    lines = sessions[0].read_text().splitlines(keepends=True)
    (tmp_path / "mouse1.csv").write_text("".join(lines[:903]))
    (part,) = bsoid_gpu.predict(run.model, tmp_path / "mouse1.csv", backend="cpu")
    (complete,) = bsoid_gpu.predict(run.model, sessions[0], backend="cpu")
    assert np.array_equal(part.labels[:890], complete.labels[:890])


def test_a_global_scale_is_stored_in_the_model(sessions):
    settings = replace(QUICK, features=Features(standardise="global"))
    run = bsoid_gpu.build(sessions[:2], fps=30, settings=settings, backend="cpu")
    assert list(run.model.scales) == [""]
    assert run.model.settings.features.standardise == "global"
    np.testing.assert_allclose(run.scaled_features.mean(axis=0), 0, atol=1e-9)


def test_sessions_of_different_geometry_on_a_global_scale_give_a_warning(tmp_path):
    poses = []
    for i, zoom in enumerate((1.0, 2.5)):
        pose, _ = simulate_session(f"m{i}", 2700, 30.0, np.random.default_rng(i))
        poses.append(replace(pose, position=pose.position * zoom))
    run = bsoid_gpu.build(
        poses, fps=30, settings=replace(QUICK, features=Features(standardise="global")), backend="cpu"
    )
    assert any('standardise = "session"' in warning for warning in run.warnings)
    assert run.scores["session_information"] > 0.9


def test_a_model_file_restores_the_model(built, tmp_path):
    run, folder = built
    loaded = bsoid_gpu.load_model(folder)
    assert loaded.to_bytes() == run.model.to_bytes()
    assert loaded.keypoints == mouse.KEYPOINTS
    assert loaded.settings == run.model.settings


def test_info_describes_the_model_as_text_and_as_json(built):
    run, folder = built
    text = CliRunner().invoke(main, ["info", str(folder)])
    assert text.exit_code == 0
    assert f"{run.model.labels} labels from" in text.stdout
    description = json.loads(CliRunner().invoke(main, ["info", str(folder / "model.safetensors"), "--json"]).stdout)
    assert description["keypoints"] == list(mouse.KEYPOINTS)
    assert sum(description["label_bins"]) == len(run.features)
