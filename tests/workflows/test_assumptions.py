"""What is assumed, chosen or unusual is a warning in the log and in the manifest."""

import json
from dataclasses import replace

import numpy as np
import pytest
from quick import QUICK

import bsoid_gpu
from bsoid_gpu.errors import BadInput
from bsoid_gpu.settings.schema import Input
from bsoid_gpu.synthetic.sessions import simulate_session
from bsoid_gpu.workflows.predict import predict_files

FPS = 30.0


def session(name, frames=900, seed=9):
    return simulate_session(name, frames, FPS, np.random.default_rng(seed))[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    mice = [session(f"mouse{i}", 2700, i) for i in range(2)]
    settings = replace(QUICK, input=Input(px_per_mm=2.0))
    folder = tmp_path_factory.mktemp("run")
    return bsoid_gpu.build(mice, fps=FPS, settings=settings, backend="cpu", out=folder / "run"), folder / "run"


def warnings_of(folder):
    return json.loads((folder / "manifest.json").read_text())["warnings"]


def predicted(run, pose, out, **options):
    predict_files(run.model, pose, out=out, backend="cpu", **options)
    (one,) = bsoid_gpu.predict(run.model, pose, backend="cpu", **options)
    return one, warnings_of(out)


def test_an_animal_three_times_as_large_is_named_and_scaled(run, tmp_path):
    plain, none = predicted(run[0], session("m"), tmp_path / "plain", fps=FPS)
    assert none == []
    large = replace(session("m"), position=3 * session("m").position)
    labelled, warnings = predicted(run[0], large, tmp_path / "large", fps=FPS)
    assert any("times as large as in training" in warning for warning in warnings)
    moving = plain.labels != np.bincount(plain.labels).argmax()  # the commonest label is rest, at any size
    assert np.mean(labelled.labels[moving] == plain.labels[moving]) < 0.5
    scaled, _ = predicted(run[0], large, tmp_path / "scaled", fps=FPS, scale=1 / 3)
    assert np.mean(scaled.labels == plain.labels) > 0.999
    assert scaled.scale == 1 / 3
    by_mm, _ = predicted(run[0], large, tmp_path / "mm", fps=FPS, px_per_mm=6.0)
    assert np.array_equal(by_mm.labels, scaled.labels)
    automatic, warnings = predicted(run[0], large, tmp_path / "auto", fps=FPS, scale="auto")
    assert any("multiplied by" in warning for warning in warnings)
    assert automatic.scale == pytest.approx(1 / 3, rel=0.15)
    record = json.loads((tmp_path / "auto/manifest.json").read_text())["sessions"]["m"]
    assert record["scale"] == automatic.scale


def test_the_frame_rate_that_is_assumed_is_named(run, tmp_path):
    _, warnings = predicted(run[0], session("m"), tmp_path)
    assert warnings == ["the frame rate is not given: 30 fps are assumed, as in training; --fps gives another"]


def test_a_frame_rate_that_the_movements_contradict(run, tmp_path):
    whole = session("m", 3600)
    every_second = replace(
        whole, position=whole.position[::2], confidence=whole.confidence[::2], frame_numbers=np.arange(1800)
    )
    _, warnings = predicted(run[0], every_second, tmp_path, fps=FPS)
    assert any("the frame rate is about" in warning for warning in warnings)


def test_animals_are_chosen_by_name(run, tmp_path):
    one, two = session("m", seed=1), session("m", seed=2)
    both = replace(
        one,
        position=np.concatenate([one.position, two.position], axis=1),
        confidence=np.concatenate([one.confidence, two.confidence], axis=1),
        individuals=("black", "white"),
    )
    alone = bsoid_gpu.predict(run[0].model, both, backend="cpu", individuals=["white"])
    together = bsoid_gpu.predict(run[0].model, both, backend="cpu")
    assert [len(alone), len(together)] == [1, 2]
    assert np.array_equal(alone[0].labels, together[1].labels)
    with pytest.raises(BadInput, match="no individual is named 'whit'; did you mean 'white'"):
        bsoid_gpu.predict(run[0].model, both, backend="cpu", individuals=["whit"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0}, "the scale is 0; expected a number above 0, or auto"),
        ({"scale": "big"}, "the scale is 'big'"),
        ({"px_per_mm": -1}, "--px-per-mm is -1"),
        ({"px_per_mm": 2.0, "scale": 2}, "leave out one"),
    ],
)
def test_options_that_cannot_be_used(run, options, message):
    with pytest.raises(BadInput, match=message):
        bsoid_gpu.predict(run[0].model, session("m"), backend="cpu", **options)


def test_a_model_without_a_range_says_so(run, tmp_path):
    old = replace(run[0].model, training_range=None)
    predict_files(old, session("m"), FPS, tmp_path, backend="cpu")
    assert any("does not store the range" in warning for warning in warnings_of(tmp_path))
    with pytest.raises(BadInput, match="does not store body lengths"):
        bsoid_gpu.predict(old, session("m"), backend="cpu", scale="auto")


def test_lengths_in_millimetres(run):
    result, folder = run
    header, first = (folder / "training.csv").read_text().splitlines()[:2]
    cells = dict(zip(header.replace('"', "").split(","), first.split(","), strict=True))
    name = "distance snout - right_forepaw"
    assert float(cells[f"{name} (mm)"]) == pytest.approx(result.features[0, 0] / 2.0, abs=1e-5)
    assert float(cells["turn snout - right_forepaw"]) == pytest.approx(result.features[0, 15], abs=1e-5)
    loaded = bsoid_gpu.load_model(folder)
    assert np.array_equal(loaded.training_range.quantiles, result.model.training_range.quantiles)


def test_notes_are_logged_again_when_the_tables_are_complete(run, tmp_path):
    pose = session("m")
    position = pose.position.copy()
    position[100:200] = np.nan
    absent = replace(pose, position=position, confidence=np.where(np.isnan(position[..., 0]), 0, pose.confidence))
    for _ in range(2):
        predict_files(run[0].model, absent, FPS, tmp_path, backend="cpu")
        assert any("100 to 199) do not show the animal" in warning for warning in warnings_of(tmp_path))
