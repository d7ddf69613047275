"""Another cut of the tree, and what the page of a run asks for."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from page_reading import data_of, unpacked

from bsoid_gpu.backends import get_backend
from bsoid_gpu.behaviours.names_file import Conflict
from bsoid_gpu.errors import BadInput
from bsoid_gpu.run_folder.model_file import load_model
from bsoid_gpu.run_folder.stored_run import load_run
from bsoid_gpu.workflows.build import build
from bsoid_gpu.workflows.naming import Change, change_names
from bsoid_gpu.workflows.predict import predict_files
from bsoid_gpu.workflows.recut import recut
from bsoid_gpu.workflows.view import RunActions


@pytest.mark.parametrize(("size", "selection"), [(12, "eom"), (25, "leaf")])
def test_another_cut_is_a_build_with_that_size(reported, size, selection):
    run = load_run(reported / "run")
    for path in (reported / "in").iterdir():
        path.rename(reported / path.name)  # the recordings are not needed
    recut(run, size, selection, get_backend("cpu"), reported / "run/labels")
    model = load_model(reported / "run")
    assert model.digest() != run.model.digest()
    for path in reported.glob("mouse*.csv"):
        path.rename(reported / "in" / path.name)
    same = build(reported / "in", 30, reported / "same", settings=model.settings, backend="cpu")
    np.testing.assert_array_equal(same.soft_labels, pd.read_csv(reported / "run/training.csv")["soft_label"])
    assert replace(same.model, versions={}).to_bytes() == replace(model, versions={}).to_bytes()
    predict_files(reported / "run", reported / "in", 30, reported / "fresh", backend="cpu")
    for table in sorted((reported / "run/labels").glob("*.labels.csv")):
        made_again, fresh = pd.read_csv(table), pd.read_csv(reported / "fresh" / table.name)
        assert np.mean(made_again["label"] == fresh["label"]) > 0.999  # the stored positions are rounded to float32


def test_the_page_asks_for_a_cut_and_applies_it(reported):
    actions = RunActions(reported / "run")
    bins = actions._data["map"]["bins"]
    answer = actions.recut({"size": 40, "selection": "leaf"})
    labels = unpacked(answer["labels"])
    assert len(set(labels.tolist()) - {65535}) == answer["clusters"]
    assert np.mean(labels == 65535) == pytest.approx(answer["noise"])
    for wrong in ({"size": 1}, {"size": bins + 1}, {"size": "40"}, {"size": 40, "selection": "other"}, {}):
        with pytest.raises(BadInput):
            actions.recut(wrong)
        with pytest.raises(BadInput):
            actions.apply(wrong)
    assert actions.apply({"size": 40, "selection": "leaf"})["running"]
    with pytest.raises(BadInput, match="wait"):
        actions.apply({"size": 40, "selection": "leaf"})
    for _ in range(600):
        if not actions.progress()["running"]:
            break
        time.sleep(0.1)
    assert actions.progress()["done"], actions.progress()
    (reported / "page.html").write_bytes(actions.page("token"))
    data = data_of(reported / "page.html")
    assert data["labels"] == load_model(reported / "run").labels == answer["clusters"]
    assert data["server"] == {"token": "token"}
    assert {clip["label"] for clip in data["clips"]} == set(range(data["labels"]))


def test_names_are_saved_once_and_clips_are_added(reported):
    actions = RunActions(reported / "run")
    data = actions._data
    behaviours = [{**one, "name": "rest"} if one["labels"] == [0] else one for one in data["behaviours"]]
    assert actions.names({"version": 0, "behaviours": behaviours}) == {"version": 1}
    with pytest.raises(Conflict):
        actions.names({"version": 0, "behaviours": behaviours})
    with pytest.raises(BadInput, match="unknown key"):
        actions.names({"version": 1, "behaviours": [{"labels": [0], "title": "x"}]})
    with pytest.raises(BadInput, match="load the page again"):
        actions.names({"version": 1, "behaviours": behaviours, "model": "other"})
    frames = pd.read_csv(reported / "run/labels/mouse0.labels.csv")
    assert ((frames["behaviour"] == "rest") == (frames["label"] == 0)).all()
    label = int(np.argmax(data["bouts_of_label"]))
    here = sum(clip["label"] == label for clip in data["clips"])
    more = actions.clips({"label": label, "more": 8})["clips"]
    assert len(more) == min(here + 8, data["bouts_of_label"][label])
    for wrong in ({"label": -1}, {"label": 999}, {"label": "0"}, {"label": 0, "more": 0}, {}):
        with pytest.raises(BadInput):
            actions.clips(wrong)


def test_labels_of_several_models_have_no_single_tree(reported):
    settings = replace(load_model(reported / "run").settings, models=2)
    build(reported / "in", 30, reported / "joined", settings=settings, backend="cpu")
    predict_files(reported / "joined", reported / "in", 30, reported / "joined/labels", backend="cpu")
    actions = RunActions(reported / "joined")
    assert actions._data["tree"] is None
    with pytest.raises(BadInput, match="joined from several models"):
        actions.recut({"size": 40})


def test_names_of_a_run_whose_labels_are_cut_anew_are_kept(reported):
    change_names(reported / "run", [Change(0, "name", "rest")])
    recut(load_run(reported / "run"), 25, "leaf", get_backend("cpu"), reported / "run/labels")
    assert list(reported.glob("run/behaviours.*.toml"))
    assert "rest" not in set(pd.read_csv(reported / "run/labels/mouse0.bouts.csv")["behaviour"])
