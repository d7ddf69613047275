"""Small inputs of the kinds that trackers leave behind, through the command line; they are not part of this project."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from quick import QUICK

import bsoid_gpu
from bsoid_gpu.cli.main import main
from bsoid_gpu.settings import toml
from bsoid_gpu.synthetic.sessions import simulate_session

FPS = 30.0


@pytest.fixture(scope="module")
def cases(recordings):
    folder = recordings.parent / "cases"
    if not folder.is_dir():
        pytest.skip(f"no cases at {folder}")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of the simulated mice, whose keypoints the cases have."""
    folder = tmp_path_factory.mktemp("model") / "run"
    mice = [simulate_session(f"m{i}", 2700, FPS, np.random.default_rng(i))[0] for i in range(2)]
    bsoid_gpu.build(mice, fps=FPS, out=folder, settings=QUICK, backend="cpu")
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "quick.toml"
    path.write_text(toml.to_toml(QUICK))
    return str(path)


def run(*arguments):
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def build(sessions, out, config, *more):
    return run("build", sessions, "--fps", FPS, "--out", out, "--config", config, "--backend", "cpu", *more)


def predict(model, file, out, *more):
    result = run("predict", model, file, "--out", out, "--backend", "cpu", *more)
    tables = {path.name.removesuffix(".labels.csv"): pd.read_csv(path) for path in out.glob("*.labels.csv")}
    return result, tables


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def plain(cases, tmp_path):
    """The track that several cases were made from."""
    file = tmp_path / "plain.csv"
    shutil.copy(cases / "11_skeleton_h5_in_folder/in/day1DLC_resnet50_testJan1shuffle1_1000.csv", file)
    return file


@pytest.mark.parametrize("case", ["01_filtered_twins", "02_filtered_csv_raw_h5"])
def test_raw_and_filtered_tracks_count_once(cases, tmp_path, config, case):
    result = build(cases / case / "in", tmp_path / "run", config)
    assert result.exit_code == 0, result.output
    written = manifest(tmp_path / "run")
    assert len(written["sessions"]) == 2
    assert all("_filtered" in session["name"] for session in written["sessions"])
    assert len(written["digests"]) == 2
    for day in ("day1", "day2"):
        assert any(day in warning and "_filtered" in warning for warning in written["warnings"])


@pytest.mark.parametrize("folder", ["in", "in2"])
def test_several_models_of_one_video_are_refused(cases, tmp_path, config, folder):
    place = cases / "03_same_video_several_models" / folder
    for arguments in ([place], sorted(place.iterdir())):
        result = run("build", *arguments, "--fps", FPS, "--out", tmp_path / "run", "--config", config)
        assert result.exit_code == 4
        for file in place.iterdir():
            assert file.name in result.output
        assert not (tmp_path / "run").exists()


def test_frames_and_animals_that_are_absent(cases, model, tmp_path, config):
    result, tables = predict(model, cases / "07_absent_nan/in.csv", tmp_path / "L")
    assert result.exit_code == 0, result.output
    assert sorted(tables) == ["in_animal_0", "in_animal_1"]
    assert all(len(table) == 600 for table in tables.values())
    absent = np.isin(np.arange(600), np.arange(200, 400))
    assert (tables["in_animal_0"]["label"] >= 0).all()
    assert np.array_equal(tables["in_animal_1"]["label"] == -1, absent)
    assert (tables["in_animal_1"]["confidence"][absent] == 0).all()
    warnings = manifest(tmp_path / "L")["warnings"]
    assert any("animal_2" in warning and "left out" in warning for warning in warnings)
    assert any("200 to 399" in warning for warning in warnings)
    bouts = pd.read_csv(tmp_path / "L/in_animal_1.bouts.csv")
    assert not ((bouts["start_frame"] < 400) & (bouts["stop_frame"] > 200)).any()
    assert pd.read_csv(tmp_path / "L/in_animal_1.summary.csv")["frames"].sum() == 400

    result, tables = predict(model, cases / "07_absent_nan/late.csv", tmp_path / "late")
    assert np.array_equal(tables["late"]["label"] == -1, np.arange(600) < 300)

    result = build(cases / "07_absent_nan/in.csv", tmp_path / "run", config)
    assert result.exit_code == 0, result.output
    sessions = {session["name"]: session for session in manifest(tmp_path / "run")["sessions"]}
    assert {name: session["observed_frames"] for name, session in sessions.items()} == {
        "in_animal_0": 600,
        "in_animal_1": 400,
    }
    assert sessions["in_animal_1"]["bins"] == 2 * (199 // 3)
    times = pd.read_csv(tmp_path / "run/training.csv").query("session == 'in_animal_1'")["time_s"]
    assert not ((times > 199 / FPS) & (times < 400 / FPS - 1e-3)).any()


@pytest.mark.parametrize("file", ["index_name.csv", "blank_tail.csv", "trailing_commas.csv"])
def test_rows_and_cells_that_are_no_frames(cases, model, tmp_path, file):
    _, expected = predict(model, plain(cases, tmp_path), tmp_path / "plain")
    result, tables = predict(model, cases / "10_extra_rows" / file, tmp_path / "L")
    assert result.exit_code == 0, result.output
    pd.testing.assert_frame_equal(tables[file.removesuffix(".csv")], expected["plain"])


def test_a_skeleton_file_in_a_folder_is_left_out(cases, tmp_path, config):
    result = build(cases / "11_skeleton_h5_in_folder/in", tmp_path / "run", config)
    assert result.exit_code == 0, result.output
    written = manifest(tmp_path / "run")
    assert len(written["sessions"]) == 2
    assert any("_skeleton.h5" in warning for warning in written["warnings"])
    assert any("_skeleton.csv" in warning for warning in written["warnings"])


@pytest.mark.parametrize("file", ["smoothed.csv", "live.h5"])
def test_extra_coordinates_are_not_used(cases, model, tmp_path, file):
    _, expected = predict(model, plain(cases, tmp_path), tmp_path / "plain")
    result, tables = predict(model, cases / "12_extra_coordinates" / file, tmp_path / "L")
    assert result.exit_code == 0, result.output
    (table,) = tables.values()
    pd.testing.assert_frame_equal(table, expected["plain"])
    names = ("x_ens_median", "x_posterior_var") if file == "smoothed.csv" else ("frame_time", "pose_time")
    assert all(any(name in warning for warning in manifest(tmp_path / "L")["warnings"]) for name in names)


def test_points_of_the_arena_are_named_with_the_option_that_leaves_them_out(cases, tmp_path, config):
    result = build(cases / "13_arena_points/in", tmp_path / "run", config)
    assert result.exit_code == 0, result.output
    (warning,) = (text for text in manifest(tmp_path / "run")["warnings"] if "stay in place" in text)
    assert warning.startswith("corner_tl, corner_tr, corner_bl stay in place")
    option = warning.split("--keypoints ")[1]
    assert option == "snout,right_forepaw,left_forepaw,right_hindpaw,left_hindpaw,tail_base"
    again = build(cases / "13_arena_points/in", tmp_path / "again", config, "--keypoints", option)
    assert again.exit_code == 0
    assert not any("stay in place" in text for text in manifest(tmp_path / "again")["warnings"])


def test_two_species_in_one_file(cases, model, tmp_path, config):
    prey = cases / "14_two_species/prey.csv"
    refused = build(prey, tmp_path / "refused", config)
    assert refused.exit_code == 4
    assert "--individuals mouse" in refused.output
    for number, (option, keypoints) in enumerate(
        {("--individuals", "mouse"): 6, ("--keypoints", "snout,tail_base"): 2}.items()
    ):
        result = build(prey, tmp_path / f"run{number}", config, *option)
        assert f"prey: 600 frames x {keypoints} keypoints" in result.output
        assert "1 files imported: 1 sessions" in result.output  # which are too short to build from
    result, tables = predict(model, prey, tmp_path / "L")
    assert result.exit_code == 0
    assert len(tables) == 1
    assert any("cricket" in warning for warning in manifest(tmp_path / "L")["warnings"])
    result, _ = predict(model, cases / "14_two_species/part_never_seen.csv", tmp_path / "never")
    assert result.exit_code == 4
    assert "right_forepaw" in result.output
    assert "leave this file out, or build a model without" in result.output


@pytest.mark.parametrize(
    ("file", "causes"),
    [
        ("semicolon.csv", [";", "decimal"]),
        ("tab.csv", ["tab"]),
        ("day1.csv.gz", ["gzip"]),
        ("utf16.csv", ["UTF-16"]),
    ],
)
def test_files_in_another_form_are_refused_with_the_cause(cases, model, tmp_path, config, file, causes):
    path = cases / "15_wrong_separator_and_gz" / file
    for result in (build(path, tmp_path / "run", config), predict(model, path, tmp_path / "L")[0]):
        assert result.exit_code == 4
        assert all(cause in result.output for cause in causes), result.output
    result = run("build", path, "--fps", FPS, "--out", tmp_path / "run", "--dry-run")
    assert result.exit_code == 4
