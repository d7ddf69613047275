"""The report of a run and of a prediction."""

import numpy as np
import pandas as pd
import pytest
from commands import run
from page_reading import data_of, unpacked

from bsoid_gpu.behaviours.names_file import load_names
from bsoid_gpu.errors import BadInput
from bsoid_gpu.run_folder.labelled import load_session
from bsoid_gpu.run_folder.model_file import load_model
from bsoid_gpu.workflows.naming import Change, change_names
from bsoid_gpu.workflows.predict import predict, predict_files
from bsoid_gpu.workflows.report import report


def bouts_of(session):
    return {name: unpacked(packed) for name, packed in session["bouts"].items()}


def test_the_page_of_a_run_shows_the_labels_of_its_training_sessions(reported):
    data = data_of(reported / "run/report.html")
    model = load_model(reported / "run")
    assert (data["model"], data["labels"]) == (model.digest(), model.labels)
    assert [session["name"] for session in data["sessions"]] == ["mouse0", "mouse1"]
    for session in data["sessions"]:
        table = pd.read_csv(reported / f"run/labels/{session['name']}.bouts.csv")
        bouts = bouts_of(session)
        for column, name in (("label", "label"), ("start_frame", "start"), ("stop_frame", "stop")):
            assert table[column].tolist() == bouts[name].tolist()
    assert {clip["label"] for clip in data["clips"]} == set(range(model.labels))  # no behaviour without a clip
    assert [description["labels"] for description in data["descriptions"]] == [[i] for i in range(model.labels)]
    training = pd.read_csv(reported / "run/training.csv")
    assert unpacked(data["map"]["label"]).tolist() == training["soft_label"].tolist()
    chosen = data["tree"]["chosen"]
    cut = unpacked(data["tree"]["cuts"])[chosen].astype(int)
    assert np.mean((cut == training["label"]) | (cut == 65535)) == 1.0
    assert data["tree"]["clusters"][chosen] == model.labels
    assert np.sum(data["confusion"]) == len(training)


def test_a_clip_shows_the_positions_of_its_session_and_its_point_on_the_map(reported):
    data = data_of(reported / "run/report.html")
    starts = unpacked(data["map"]["start_s"])
    for clip in data["clips"][::5]:
        name = data["sessions"][clip["session"]]["name"]
        pose = load_session(reported / "run/labels", name).pose
        packed = clip["position"]
        shown = unpacked(packed) * clip["step"] + clip["origin"]
        frame = clip["start"] + clip["onset"] * round(30 / clip["fps"])
        np.testing.assert_allclose(shown[clip["onset"]], pose.position[frame, 0], atol=clip["step"])
        assert abs(starts[clip["point"]] - frame / 30) <= 0.1


def test_the_page_of_a_prediction_and_of_a_model_alone(reported):
    page = report(reported / "run", reported / "labels")
    assert page == reported / "labels/report.html"
    data = data_of(page)
    assert [session["name"] for session in data["sessions"]] == ["mouse2"]
    assert data["map"] is not None
    assert all(clip["point"] is None for clip in data["clips"])  # the session was not in training
    alone = report(reported / "run/model.safetensors", reported / "labels", reported / "alone.html")
    assert data_of(alone)["map"] is not None
    (reported / "mailed").mkdir()
    (reported / "run/model.safetensors").rename(reported / "mailed/model.safetensors")
    data = data_of(report(reported / "mailed/model.safetensors", reported / "labels", reported / "alone.html"))
    assert (data["map"], data["tree"], data["confusion"]) == (None, None, None)


def test_equal_labels_give_equal_bytes(reported):
    first = (reported / "run/report.html").read_bytes()
    assert report(reported / "run").read_bytes() == first


def test_what_a_page_needs_is_named(reported):
    with pytest.raises(BadInput, match="bsoid-gpu predict"):
        report(reported / "run", reported / "in")
    predict_files(reported / "run", reported / "in", 30, reported / "plain", backend="cpu")
    assert report(reported / "run", reported / "plain").exists()
    (reported / "labels/tracks/mouse2.safetensors").write_bytes(b"damaged")
    with pytest.raises(BadInput, match="missing or damaged"):
        report(reported / "run", reported / "labels")
    (reported / "run/manifest.json").unlink()
    assert data_of(report(reported / "run", reported / "plain"))["map"] is None


def test_names_go_through_tables_page_and_predictions(reported):
    model = load_model(reported / "run")
    first = pd.read_csv(reported / "run/labels/mouse0.bouts.csv")
    common = first["label"].value_counts().index
    a, b = sorted(common[common > 0][:2].tolist())
    change_names(reported / "run", [Change(0, "name", "rest"), Change(0, "colour", "#102030")], [([a, b], "walk")])
    names = load_names(reported / "run", model.digest(), model.labels).names()
    others = sorted({*range(1, model.labels)} - {a, b})
    assert [names[0], names[a], names[b], names[others[0]]] == ["rest", "walk", "walk", f"label {others[0]}"]
    frames = pd.read_csv(reported / "run/labels/mouse0.labels.csv")
    assert frames["behaviour"].tolist() == [names[label] for label in frames["label"]]
    assert set(frames["label"]) >= {a, b}  # the labels of the model remain
    bouts = pd.read_csv(reported / "run/labels/mouse0.bouts.csv")
    assert b not in bouts["label"].tolist()
    assert bouts["behaviour"].tolist() == [names[label] for label in bouts["label"]]
    assert bouts["duration_s"].sum() == pytest.approx(first["duration_s"].sum())
    neighbours = first["label"].isin([a, b]) & first["label"].shift().isin([a, b])
    assert len(first) - len(bouts) == neighbours.sum()  # neighbours that are one behaviour are one bout
    summary = pd.read_csv(reported / "run/labels/mouse0.summary.csv")
    assert summary["label"].tolist() == sorted([0, a, *others])
    assert summary["share"].sum() == pytest.approx(1, abs=1e-5)
    matrix = pd.read_csv(reported / "run/labels/mouse0.transitions.csv", index_col=["label", "behaviour"])
    assert str(b) not in matrix.columns
    np.testing.assert_allclose(matrix.dropna().sum(axis=1), 1, atol=1e-5)
    training = pd.read_csv(reported / "run/training.csv")
    assert training["behaviour"].tolist() == [names[label] for label in training["predicted"]]

    data = data_of(report(reported / "run"))
    assert [one["labels"] for one in data["behaviours"]] == sorted([[0], [a, b], *([label] for label in others)])
    assert data["behaviours"][0]["colour"] == "#102030"
    assert data["descriptions"][-1]["labels"] == [a, b]

    before = (reported / "labels/mouse2.labels.csv").stat().st_mtime_ns
    (pose,) = [load_session(reported / "labels", "mouse2").pose]
    predict_files(reported / "run", pose, 30, reported / "labels", backend="cpu")
    again = pd.read_csv(reported / "labels/mouse2.labels.csv")
    assert again["behaviour"].tolist() == [names[label] for label in again["label"]]
    assert (reported / "labels/mouse2.labels.csv").stat().st_mtime_ns > before
    assert load_names(reported / "labels", model.digest(), model.labels).names() == names


def test_tables_with_other_names_are_those_of_a_new_prediction(reported):
    change_names(reported / "run", [Change(0, "name", "rest")], [([1, 4], "")])
    predict_files(reported / "run", reported / "in", 30, reported / "fresh", backend="cpu")
    for table in sorted((reported / "run/labels").glob("*.csv")):
        assert table.read_bytes() == (reported / "fresh" / table.name).read_bytes()


def test_the_stored_positions_are_those_that_were_labelled(reported):
    (direct,) = predict(reported / "run", reported / "in/mouse0.csv", 30, backend="cpu")
    session = load_session(reported / "run/labels", "mouse0")
    np.testing.assert_array_equal(session.labels, direct.labels)
    np.testing.assert_allclose(session.confidence, direct.confidence, atol=1e-4)
    np.testing.assert_array_equal(session.pose.position[:, 0], direct.position)


def test_build_and_predict_write_the_page(reported):
    settings = reported / "settings.toml"
    settings.write_bytes((reported / "run/settings.toml").read_bytes())
    command = ["build", reported / "in", "--fps", 30, "--backend", "cpu", "--config", settings, "--out"]
    assert run(*command, reported / "plain", "--no-report") == f"{reported / 'plain'}\n"
    assert not (reported / "plain/labels").exists()
    assert run(*command, reported / "plain") == f"{reported / 'plain'}\n"
    assert (reported / "plain/report.html").exists()
    run("predict", reported / "plain", reported / "in", "--fps", 30, "--out", reported / "new")
    assert (reported / "new/report.html").exists()
    out = run("report", reported / "run", reported / "labels", "--out", reported / "page.html")
    assert out == f"{reported / 'page.html'}\n"
