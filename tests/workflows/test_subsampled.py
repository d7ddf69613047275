"""More bins than the training subsample, and more recordings than one process reads."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from quick import QUICK, files

import bsoid_gpu
from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.cli.main import main
from bsoid_gpu.execution import executors
from bsoid_gpu.log import logger
from bsoid_gpu.method.columns import feature_names
from bsoid_gpu.method.session_features import session_features
from bsoid_gpu.method.subsample import training_bins
from bsoid_gpu.method.windows import bin_centres
from bsoid_gpu.settings.schema import Features, Input
from bsoid_gpu.synthetic import mouse
from bsoid_gpu.synthetic.sessions import simulate, simulate_session

SESSIONS = 7


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("many"), sessions=SESSIONS, minutes=0.6, fps=30.0, seed=1)


@pytest.fixture(scope="module")
def subsampled(sessions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("subsampled") / "run"
    settings = replace(QUICK, max_training_bins=1500, clusters=replace(QUICK.clusters, smallest=0.03))
    return bsoid_gpu.build(sessions, fps=30, out=folder, settings=settings, backend="cpu"), folder


def test_a_subsample_is_embedded_and_every_bin_is_labelled(subsampled, sessions):
    run, folder = subsampled
    table = pd.read_csv(folder / "training.csv")
    bins = sum(session["bins"] for session in run.sessions)
    assert len(run.features) == len(run.soft_labels) == len(run.training_bins) == 1500
    assert len(table) == len(run.predicted_labels) == bins > 2400
    embedded = table["embedding_1"].notna()
    assert np.flatnonzero(embedded).tolist() == run.training_bins.tolist()
    assert embedded.groupby(table["session"]).sum().between(214, 215).all()
    names = feature_names(mouse.KEYPOINTS, Features())
    np.testing.assert_allclose(table.loc[embedded, names], run.features, atol=1e-6)
    of_training, ours = table[embedded].reset_index(drop=True).drop(columns="behaviour"), run.table()
    pd.testing.assert_frame_equal(ours, of_training, check_exact=False, rtol=0, atol=1e-4, check_dtype=False)
    assert table.loc[embedded, "soft_label"].tolist() == run.soft_labels.tolist()
    assert table["predicted"].tolist() == run.predicted_labels.tolist()
    assert np.mean(table.loc[embedded, "predicted"] == table.loc[embedded, "soft_label"]) > 0.9
    # the prediction of a single session has the same labels, before they are smoothed, at the centres of the bins
    alone = table[table["session"] == "mouse3"]
    again = bsoid_gpu.predict(run.model, sessions[2], backend="cpu", smooth=0)[0]
    assert np.mean(again.labels[bin_centres(1080 - 1, 3.0)] == alone["predicted"]) > 0.999


@pytest.mark.parametrize("workers", [1, 2])
def test_the_result_does_not_depend_on_the_number_of_processes(subsampled, sessions, tmp_path, monkeypatch, workers):
    run, folder = subsampled
    monkeypatch.setattr(executors, "cores", lambda: workers)
    bsoid_gpu.build(sessions, fps=30, out=tmp_path / "again", settings=run.model.settings, backend="cpu")
    assert files(tmp_path / "again") == files(folder)


def test_errors_and_messages_of_worker_processes_are_reported(sessions, tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO", logger.name)
    monkeypatch.setattr(executors, "cores", lambda: 2)
    caplog.set_level("INFO", "bsoid_gpu")
    broken = tmp_path / "mouse9.csv"
    broken.write_bytes(sessions[0].read_bytes()[:-40] + b"oh\n")
    with pytest.raises(bsoid_gpu.errors.BadInput, match=r"mouse9\.csv"):
        bsoid_gpu.build([*sessions, broken], fps=30, settings=QUICK, backend="cpu")
    assert "mouse5: 1080 frames x 6 keypoints" in caplog.text


def test_completed_predictions_do_not_run_again(subsampled, sessions, tmp_path):
    _, folder = subsampled
    first, _ = cli_predict(folder, sessions, tmp_path / "labels")
    assert first == {f"mouse{i + 1}" for i in range(SESSIONS)}
    before = files(tmp_path / "labels", without=())
    for damage in ("mouse2.bouts.csv", "records/mouse3.json"):
        (tmp_path / "labels" / damage).unlink()
    (tmp_path / "labels" / "mouse4.labels.csv").write_text("half")
    changed = tmp_path / "other" / "mouse5.csv"  # the name of a completed session with other content
    changed.parent.mkdir()
    changed.write_bytes(sessions[5].read_bytes())
    _, log = cli_predict(folder, [*sessions[:4], changed, *sessions[5:]], tmp_path / "labels")
    assert re.findall(r"(\w+): \d+ frames labelled", log) == ["mouse2", "mouse3", "mouse4", "mouse5"]
    after = files(tmp_path / "labels", without=())
    same = {name for name in before if before[name] == after[name]}
    assert before.keys() == after.keys()
    assert before.keys() - same >= {"mouse5.labels.csv", "manifest.json"}
    assert all(name.startswith("mouse5.") or name in ("manifest.json", "report.html") for name in before.keys() - same)


def cli_predict(folder, sessions, out):
    done = CliRunner().invoke(
        main, ["predict", str(folder), *map(str, sessions), "--out", str(out), "--backend", "cpu"]
    )
    assert done.exit_code == 0, done.stderr
    return set(json.loads((out / "manifest.json").read_text())["sessions"]), done.stderr


def test_a_recording_without_training_bins_has_the_scale_of_all_its_bins():
    lengths = [5406, 8, 5400]  # 1,801, 2 and 1,799 bins: the subsample of 1,000 has none of the second session
    poses = [simulate_session(f"m{i}", n, 30.0, np.random.default_rng(i))[0] for i, n in enumerate(lengths)]
    assert [len(chosen) for chosen in training_bins([1801, 2, 1799], 1000, QUICK.seed)] == [500, 0, 500]
    settings = replace(QUICK, max_training_bins=1000, input=Input(min_session_s=0.1))
    run = bsoid_gpu.build(poses, fps=30, settings=settings, backend="cpu")
    assert [session["bins"] for session in run.sessions] == [1801, 2, 1799]
    (short,) = session_features(poses[1:2], 30.0, replace(settings, input=Input(min_session_s=0.1)), CpuBackend())
    mean, deviation = run.model.scales["m1"]
    np.testing.assert_allclose(mean, short.features.mean(axis=0))
    varies = short.features.std(axis=0) > 1e-6
    np.testing.assert_allclose(deviation[varies], short.features.std(axis=0)[varies])
    assert all(np.isfinite(scale).all() for scale in run.model.scales.values())
