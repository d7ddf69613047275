"""Predictions of many recordings: completed, incomplete and unusable ones."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from quick import QUICK

import bsoid_gpu
from bsoid_gpu import machine
from bsoid_gpu.cli.main import main
from bsoid_gpu.errors import BadInput
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.method import labelling
from bsoid_gpu.run_folder import tables
from bsoid_gpu.synthetic.sessions import deeplabcut_csv, simulate_session
from bsoid_gpu.workflows import predict, recording_labels


def session(name, frames=300, seed=0):
    return simulate_session(name, frames, 30.0, np.random.default_rng(seed))[0]


@pytest.fixture(scope="module")
def model():
    poses = [session(f"mouse{i}", 2700, i) for i in range(2)]
    return bsoid_gpu.build(poses, fps=30, settings=QUICK, backend="cpu").model


@pytest.fixture
def folder(tmp_path):
    """Three short sessions."""
    for number in range(3):
        (tmp_path / f"s{number}.csv").write_bytes(deeplabcut_csv(session(f"s{number}", seed=number)))
    return tmp_path


def mtimes(folder: Path):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.labels.csv")}


def test_sessions_with_long_names_that_begin_alike_all_have_tables(model, tmp_path):
    names = [f"小鼠自由探索行为实验视频_{number:03}" for number in range(40)]
    (tmp_path / "in").mkdir()
    for number, name in enumerate(names):
        (tmp_path / "in" / f"{name}.csv").write_bytes(deeplabcut_csv(session(name, 30, number)))
    written = predict.predict_files(
        model, tmp_path / "in", out=tmp_path / "out", backend="cpu", executor=Executor(workers=2)
    )
    assert written == names
    records = [json.loads(path.read_text()) for path in (tmp_path / "out" / "records").iterdir()]
    assert len(records) == 40
    for record in records:
        for entry in record["sessions"].values():
            assert all((tmp_path / "out" / name).is_file() for name in entry["files"])


@pytest.mark.parametrize("upgraded", [(labelling, "VERSION"), (tables, "VERSION"), (recording_labels, "__version__")])
def test_a_new_version_of_the_code_predicts_again(model, folder, monkeypatch, upgraded):
    out = folder / "out"
    predict.predict_files(model, folder, out=out, backend="cpu")
    before = mtimes(out)
    predict.predict_files(model, folder, out=out, backend="cpu")
    assert mtimes(out) == before
    monkeypatch.setattr(*upgraded, 99)
    predict.predict_files(model, folder, out=out, backend="cpu")
    assert not set(mtimes(out).items()) & set(before.items())


def test_usable_sessions_are_returned_with_the_problems_of_the_others(model, folder, caplog):
    (folder / "s1.csv").write_text("scorer,a\nbodyparts,b\ncoords,x\n0,1\n")
    predictions = bsoid_gpu.predict(model, folder, backend="cpu")
    assert [one.name for one in predictions] == ["s0", "s2"]
    (problem,) = predictions.problems
    assert "s1.csv" in problem
    assert any("s1.csv" in record.message for record in caplog.records if record.levelname == "WARNING")
    with pytest.raises(BadInput, match=r"s1\.csv"):
        bsoid_gpu.predict(model, folder / "s1.csv", backend="cpu")


def test_the_command_writes_usable_sessions_and_exits_with_4_for_the_others(model, folder):
    (folder / "s1.csv").write_text("")
    model.save(folder / "model.safetensors")
    command = ["predict", folder / "model.safetensors", folder, "--out", folder / "out", "--backend", "cpu"]
    done = CliRunner().invoke(main, list(map(str, command)))
    assert done.exit_code == 4
    assert "s1.csv' is empty" in done.stderr
    assert sorted(mtimes(folder / "out")) == ["s0.labels.csv", "s2.labels.csv"]


@pytest.mark.parametrize("damaged", [b"", b"[]", b'{"asked": 3}', b"\xff\xfe", b'{"asked": {}, "sessions": {}}', None])
def test_a_damaged_record_gives_a_warning_and_its_session_is_predicted_again(model, folder, caplog, damaged):
    out = folder / "out"
    predict.predict_files(model, folder, out=out, backend="cpu")
    record = out / "records" / "s0.json"
    if damaged is None:
        record.write_bytes(record.read_bytes()[:-40])
    else:
        record.write_bytes(damaged)
    before = mtimes(out)
    predict.predict_files(model, [folder / "s1.csv", folder / "s2.csv"], out=out, backend="cpu")
    assert any("s0.json" in record.message for record in caplog.records if record.levelname == "WARNING")
    assert mtimes(out) == before
    assert sorted(json.loads((out / "manifest.json").read_text())["sessions"]) == ["s1", "s2"]
    predict.predict_files(model, folder, out=out, backend="cpu")
    assert {name for name, time in mtimes(out).items() if time != before[name]} == {"s0.labels.csv"}
    assert sorted(json.loads((out / "manifest.json").read_text())["sessions"]) == ["s0", "s1", "s2"]


@pytest.mark.parametrize("smallest", [float("nan"), -0.1, 1.1, "0.5", None])
def test_an_unusable_confidence_is_refused(model, smallest):
    with pytest.raises(BadInput, match="confidence"):
        bsoid_gpu.predict(model, session("s"), backend="cpu", min_confidence=smallest)


def test_problems_of_all_arguments_are_reported_together():
    settings = replace(QUICK, input=replace(QUICK.input, min_session_s=float("inf")))
    with pytest.raises(BadInput) as caught:
        bsoid_gpu.build(session("s"), fps=30, settings=settings, seed="some", keypoints="snout", backend="cpu")
    for problem in ("min_session_s = inf", "the seed is 'some'", "the keypoints are 'snout'"):
        assert problem in str(caught.value)


def test_a_frame_rate_in_settings_with_another_problem_is_not_missing():
    settings = replace(QUICK, input=replace(QUICK.input, fps=30.0, min_session_s=float("inf")))
    with pytest.raises(BadInput) as caught:
        bsoid_gpu.build(session("s"), settings=settings, backend="cpu")
    assert "min_session_s = inf" in str(caught.value)
    assert "frame rate" not in str(caught.value)


def test_a_resumed_run_records_the_versions_that_computed_its_stages(tmp_path, monkeypatch):
    poses = [session(f"mouse{i}", 2700, i) for i in range(2)]
    first = bsoid_gpu.build(poses, fps=30, settings=QUICK, backend="cpu", out=tmp_path / "run")
    made = json.loads((tmp_path / "run" / "manifest.json").read_text())["stages"]
    monkeypatch.setattr(machine, "versions", lambda: {"bsoid_gpu": "99.0"})
    monkeypatch.setattr(machine, "machine", lambda: {"host": "another"})
    again = bsoid_gpu.build(poses, fps=30, settings=QUICK, backend="cpu", out=tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["versions"] == {"bsoid_gpu": "99.0"}  # of the command that wrote it
    for name, stage in manifest["stages"].items():
        assert stage == {**made[name], "resumed": True}
    assert again.model.to_bytes() == first.model.to_bytes()


def test_stages_of_sessions_that_are_no_longer_used_are_removed(tmp_path):
    poses = [session(f"mouse{i}", 2700, i) for i in range(3)]
    for sessions in (poses, poses[:2]):
        bsoid_gpu.build(sessions, fps=30, settings=QUICK, backend="cpu", out=tmp_path / "run")
    stages = {path.name for path in (tmp_path / "run" / "stages").iterdir()}
    assert stages == {"features mouse0", "features mouse1", "embedding", "clusters", "classifier"}
