"""The benchmark against known behaviours: its folders, its measures, and the recordings that it is given."""

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numba
import numpy as np
import pandas as pd
import pytest
from quick import TINY

import bsoid_gpu
from bsoid_gpu.errors import BadInput
from bsoid_gpu.statistics import agreement
from bsoid_gpu.synthetic.sessions import simulate

FPS = 30.0
FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module", autouse=True)
def benchmark():
    """Imports a benchmark by its name."""
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield importlib.import_module
    numba.set_num_threads(threads)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder, sessions=3, minutes=0.7, fps=FPS, seed=1)
    return folder


@pytest.fixture
def labelled(tmp_path):
    """A folder of two short sessions that can be changed."""
    simulate(tmp_path, sessions=2, minutes=0.1, fps=FPS)
    return tmp_path


def names(paths):
    return [path.name for path in paths]


def test_what_simulate_writes_is_accepted_as_it_is(benchmark, simulated):
    sessions = benchmark("labelled_folder").read_labelled(simulated, FPS)
    assert (names(sessions.learn), names(sessions.predict)) == (["mouse1.csv", "mouse3.csv"], ["mouse2.csv"])
    assert not sessions.same
    truth = pd.read_csv(simulated / "truth" / "mouse2.truth.csv")
    pd.testing.assert_series_equal(sessions.truth["mouse2"], truth.set_index("frame")["behaviour"], check_dtype=False)


def test_a_split_is_what_was_written(benchmark, labelled):
    folder = benchmark("labelled_folder")
    folder.write_split(labelled, 29.97, {"learn": ["mouse2"], "predict": ["mouse1", "mouse2"]})
    sessions = folder.read_labelled(labelled)
    assert sessions.fps == 29.97
    assert (names(sessions.learn), names(sessions.predict)) == (["mouse2.csv"], ["mouse1.csv", "mouse2.csv"])
    assert sessions.same
    assert folder.read_labelled(labelled, 25).fps == 25


def test_a_single_session_is_predicted_by_its_own_model(benchmark, labelled):
    (labelled / "mouse2.csv").unlink()
    sessions = benchmark("labelled_folder").read_labelled(labelled, FPS)
    assert names(sessions.learn) == names(sessions.predict) == ["mouse1.csv"]
    assert sessions.same


def test_an_animal_of_several_has_a_truth_of_its_own(benchmark, labelled):
    truth = labelled / "truth" / "mouse2.truth.csv"
    truth.rename(truth.with_name("mouse2_adult.truth.csv"))
    assert set(benchmark("labelled_folder").read_labelled(labelled, FPS).truth) == {"mouse2_adult"}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("split.toml", "", "--fps 30"),
        ("split.toml", "fps = 3\n", "frame rate"),
        ("split.toml", "fps = \n", "is not TOML"),
        ("split.toml", 'fps = 30\nlearn = ["mouse1"]\n', "predict of .* is None; expected names"),
        ("split.toml", 'fps = 30\nlearn = ["mouse9"]\npredict = ["mouse1"]\n', "'mouse9', which is no session"),
        ("split.toml", "fps = 30\ntest = 3\n", "'test'; expected fps, learn, predict"),
        ("truth/mouse2.truth.csv", "frame,label\n0,walk\n", "columns frame, label; expected frame, behaviour"),
        ("truth/mouse2.truth.csv", "frame,behaviour\n0,walk\n0,run\n", "1 frames more than once"),
    ],
)
def test_a_folder_that_cannot_be_used(benchmark, labelled, file, text, message):
    if file != "split.toml":
        (labelled / "split.toml").write_text("fps = 30\n")
    (labelled / file).write_text(text)
    with pytest.raises(BadInput, match=message):
        benchmark("labelled_folder").read_labelled(labelled)


def test_a_session_to_predict_needs_a_truth(benchmark, labelled):
    (labelled / "truth" / "mouse2.truth.csv").unlink()
    with pytest.raises(BadInput, match=r"no truth/mouse2\.truth\.csv"):
        benchmark("labelled_folder").read_labelled(labelled, FPS)
    with pytest.raises(BadInput, match="is no folder"):
        benchmark("labelled_folder").read_labelled(labelled / "nothing", FPS)


def prediction(name, labels, frame_numbers=None):
    labels = np.array(labels)
    frames = np.arange(len(labels)) if frame_numbers is None else np.array(frame_numbers)
    return SimpleNamespace(name=name, labels=labels, fps=10.0, frame_numbers=frames, observed=labels >= 0)


def test_frames_are_compared_by_their_numbers(benchmark):
    truth = {"a": pd.Series({12: "walk", 11: "still", 14: "run"}), "b": pd.Series({0: "run"})}
    frames = benchmark("truth").scored([prediction("a", [5, 6, 7], [10, 11, 12]), prediction("b", [8, 8])], truth)
    assert frames["label"].tolist() == [6, 7, 8]
    assert frames["behaviour"].tolist() == ["still", "walk", "run"]
    assert frames["session"].tolist() == ["a", "a", "b"]
    with pytest.raises(BadInput, match="compare names and frame numbers"):
        benchmark("truth").scored([prediction("a", [5, 6], [100, 101])], truth)


def test_measures_by_hand(benchmark):
    # bouts of 2, 1 and 3 frames at 10 fps in a (a frame number is missing: the last two are apart), one of 4 in b
    predictions = [prediction("a", [0, 0, 1, 0, 0, 0, -1], [0, 1, 2, 3, 4, 6, 7]), prediction("b", [1] * 4)]
    truth = {"a": pd.Series(list("xxyxx xx"[:8])).drop(5), "b": pd.Series(list("yyyx"))}
    truth_module = benchmark("truth")
    frames = truth_module.scored(predictions, truth)
    of = truth_module.measures(frames, predictions)
    assert of["majority_accuracy"] == pytest.approx(10 / 11)
    assert of["mean_bout_s"] == pytest.approx((0.2 + 0.1 + 0.2 + 0.1 + 0.4) / 5)
    assert of["median_bout_s"] == pytest.approx(0.2)
    assert of["ami"] == pytest.approx(agreement.adjusted_information(frames["label"], frames["behaviour"]))
    assert of["left_out_accuracy"] == pytest.approx((1 / 7 + 3 / 4) / 2)  # label 1: y; 0 and -1 are not in b


def test_scores_are_those_of_the_labels_on_other_sessions(benchmark, simulated, tmp_path, monkeypatch, capsys):
    truth = benchmark("truth")
    presets = {"tiny": TINY, "other": replace(TINY, input=replace(TINY.input, keypoints=("nose", "ear")))}
    monkeypatch.setattr(bsoid_gpu, "preset", presets.__getitem__)
    monkeypatch.setattr(truth, "WARM_UP_FRAMES", 600)
    result = tmp_path / "truth.json"
    arguments = [simulated, "--presets", "tiny,other", "--seeds", "3,4", "--fps", FPS, "--smooth", 0, "--out", result]
    monkeypatch.setattr(sys, "argv", ["truth", *map(str, arguments)])
    truth.main()
    report = json.loads(result.read_text())
    assert (report["learn"], report["predict"]) == (["mouse1.csv", "mouse3.csv"], ["mouse2.csv"])
    scores = report["presets"]["tiny"]
    known = pd.read_csv(simulated / "truth" / "mouse2.truth.csv")["behaviour"]
    labels = []
    for seed in (3, 4):
        learned = [simulated / "mouse1.csv", simulated / "mouse3.csv"]
        settings = replace(TINY, validation=replace(TINY.validation, stability=False))
        run = bsoid_gpu.build(learned, fps=FPS, settings=settings, backend="cpu", seed=seed)
        (labelled,) = bsoid_gpu.predict(run.model, simulated / "mouse2.csv", backend="cpu", smooth=0, fps=FPS)
        own = scores["seeds"][str(seed)]
        assert own["majority_accuracy"] == agreement.majority_accuracy(labelled.labels, known)
        assert (own["clusters"], own["frames"]) == (run.model.labels, 1260)
        assert own["left_out_accuracy"] is None  # one session is predicted
        labels.append(labelled.labels)
    (between,) = scores["between_seeds"].values()
    assert between["adjusted_rand"] == pytest.approx(agreement.adjusted_rand(*labels))
    assert scores["mean_between_seeds"] == between
    assert scores["mean"]["ami"] == pytest.approx(np.mean([own["ami"] for own in scores["seeds"].values()]))
    assert "nose" in report["presets"]["other"]["failed"]
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in printed[1:]] == [
        ["tiny", "3"],
        ["tiny", "4"],
        ["tiny", "mean"],
        ["other", "failed"],
    ]


def test_sessions_scored_by_their_own_model_are_marked(benchmark):
    mean = dict.fromkeys(benchmark("truth").SCORES, 0.5)
    presets = {"default": {"seeds": {0: mean}, "mean": mean, "mean_between_seeds": {}}}
    table = {same: benchmark("truth").table_of({"predicted_are_learned": same, "presets": presets}) for same in (0, 1)}
    assert "default*" in table[1]
    assert "*" not in table[0]


EVENTS = pd.DataFrame(
    [
        (0.2, "adult", "explore", "START"),
        (0.4, "adult", "groom", "START"),
        (0.5, "young", "rest", "START"),
        (0.6, "adult", "explore", "STOP"),
        (0.75, "adult", "groom", "STOP"),
        (0.8, "adult", "call", "POINT"),
        (0.9, "adult", "explore", "START"),
    ],
    columns=["Time", "Subject", "Behavior", "Status"],
)


def test_the_behaviour_of_a_frame_is_the_last_that_started(benchmark):
    behaviours = benchmark("labelled").behaviour_of_frames(EVENTS, "adult", 11, 10.0)
    assert behaviours == [*["none"] * 2, *["explore"] * 2, *["groom"] * 4, "none", *["explore"] * 2]
    assert benchmark("labelled").behaviour_of_frames(EVENTS, "young", 6, 10.0) == [*["none"] * 5, "rest"]
    with pytest.raises(BadInput, match="there are events of adult, young"):
        benchmark("labelled").behaviour_of_frames(EVENTS, "pup", 11, 10.0)
    with pytest.raises(BadInput, match=r"stops at 0\.6 s"):
        benchmark("labelled").behaviour_of_frames(EVENTS[EVENTS["Time"] > 0.2], "adult", 11, 10.0)


def test_halves_of_a_recording_by_hand(benchmark, tmp_path):
    labelled = benchmark("labelled")
    rows = [
        ["scorer", "s", "s"],
        ["individuals", "adult", "young"],
        ["bodyparts", "nose", "nose"],
        ["coords", "x", "x"],
        *([str(frame), f"{frame}.5", f"-{frame}"] for frame in range(4)),
    ]
    both = labelled.single_animal(rows, ["adult", "young"])
    assert both[:3] == [["scorer", "s", "s"], ["bodyparts", "adult nose", "young nose"], ["coords", "x", "x"]]
    assert both[4] == ["1", "1.5", "-1"]
    young = labelled.single_animal(rows, ["young"])
    assert [row[1] for row in young] == ["s", "young nose", "x", "-0", "-1", "-2", "-3"]
    labelled.write_halves(young, list("abcd"), 30.0, tmp_path)
    assert (tmp_path / "second_half.csv").read_text() == "scorer,s\nbodyparts,young nose\ncoords,x\n0,-2\n1,-3\n"
    assert (tmp_path / "truth" / "second_half.truth.csv").read_text() == "frame,behaviour\n0,c\n1,d\n"
    assert (tmp_path / "first_half.csv").read_text().endswith("\n0,-0\n1,-1\n")


def test_recordings_with_human_labels(benchmark, recordings, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["labelled", str(recordings), str(tmp_path)])
    benchmark("labelled").main()
    read = benchmark("labelled_folder").read_labelled
    freezing, mice, alone = (read(tmp_path / name) for name in ("freezing", "two_mice", "two_mice_alone"))
    assert freezing.same
    assert freezing.truth["demo1_tracking"].value_counts().to_dict() == {"none": 4632, "freezing": 1368}
    assert not mice.same
    pd.testing.assert_series_equal(mice.truth["second_half"], alone.truth["second_half"])
    of_second_half = [(117.725, 117.925), (119.525, 124.25), (124.95, 125.8), (173.325, 173.75), (174.15, 180.55)]
    frames = sum(stop - start for start, stop in of_second_half) * 30
    assert (mice.truth["second_half"] == "interact").sum() == pytest.approx(frames, abs=5)
    assert mice.fps == 30
