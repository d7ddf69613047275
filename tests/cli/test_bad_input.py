"""Bad input is normal input: a clear message, exit code 4, nothing half-written, never a traceback.

Input that is repaired instead ends with exit code 0; the tests of the readers check the repair itself.
"""

from __future__ import annotations

import os
from pathlib import Path

import dlc
import numpy as np
import pytest
from click.testing import CliRunner

from bsoid_gpu.cli.main import main

FAST = """
[embedding]
epochs = 20
[clusters]
smallest = 0.02
largest = 0.06
step = 0.02
[classifier]
max_epochs = 20
[validation]
folds = 0
stability = false
"""


@pytest.fixture
def run(tmp_path):
    """Build from the files, on the command line: result of the command, and the run folder."""
    settings = tmp_path / "settings.toml"
    settings.write_text(FAST)

    def build(*sessions, fps="20", options=()):
        out = tmp_path / "run"
        arguments = ["build", *map(str, sessions), "--out", str(out), "--config", str(settings), *options]
        arguments += ["--fps", fps] if fps is not None else []
        return CliRunner().invoke(main, arguments), out

    return build


def refused(outcome, *parts):
    result, out = outcome
    assert result.exit_code == 4, result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""
    for part in parts:
        assert part in result.stderr
    assert not out.exists(), sorted(out.rglob("*"))


def good_lines(frames=700):
    return dlc.csv_text(dlc.wander(frames)).split("\n")


def test_an_empty_file(run, tmp_path):
    (tmp_path / "a.csv").write_text("")
    refused(run(tmp_path / "a.csv"), "a.csv", "empty")


def test_a_header_without_frames(run, tmp_path):
    (tmp_path / "a.csv").write_text("\n".join(good_lines()[:3]))
    refused(run(tmp_path / "a.csv"), "a.csv")


def test_a_folder_without_pose_files(run, tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "notes.txt").write_text("mouse 1")
    refused(run(folder), "recordings")


def test_a_path_that_does_not_exist(run, tmp_path):
    refused(run(tmp_path / "none.csv"), "none.csv")


@pytest.mark.parametrize("rows", [(0, 2), (0, 1)])
def test_two_header_rows(run, tmp_path, rows):
    lines = good_lines()
    (tmp_path / "a.csv").write_text("\n".join([lines[i] for i in rows] + lines[3:]))
    refused(run(tmp_path / "a.csv"), "a.csv", "scorer")


def test_a_wrong_header(run, tmp_path):
    (tmp_path / "a.csv").write_text("frame,freezing\n" + "0,1\n" * 500)
    refused(run(tmp_path / "a.csv"), "a.csv", "scorer")


def test_text_in_a_number(run, tmp_path):
    lines = good_lines()
    cells = lines[100].split(",")
    cells[4] = "oops"
    lines[100] = ",".join(cells)
    (tmp_path / "a.csv").write_text("\n".join(lines))
    refused(run(tmp_path / "a.csv"), "a.csv", "oops", "101", "left paw")


def test_a_row_that_is_cut_short(run, tmp_path):
    lines = good_lines()
    lines[100] = lines[100][: len(lines[100]) // 2]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    refused(run(tmp_path / "a.csv"), "a.csv", "101")


def test_duplicated_keypoints(run, tmp_path):
    dlc.write(tmp_path / "a.csv", names=("snout", "snout", "tail"))
    refused(run(tmp_path / "a.csv"), "snout")


def test_sessions_with_different_keypoints(run, tmp_path):
    dlc.write(tmp_path / "a.csv")
    dlc.write(tmp_path / "b.csv", names=("snout", "left paw", "right paw", "tail tip"))
    refused(run(tmp_path / "a.csv", tmp_path / "b.csv"), "b", "tail tip", "tail/base")


def test_an_unknown_keypoint_suggests_similar_names(run, tmp_path):
    dlc.write(tmp_path / "a.csv")
    refused(run(tmp_path / "a.csv", options=("--keypoints", "snout,paw left,Right Paw")), "right paw", "left paw")


def test_a_part_of_a_name_selects_nothing(run, tmp_path):
    dlc.write(tmp_path / "a.csv", names=("left_ear", "right_ear", "ear"))
    refused(run(tmp_path / "a.csv", options=("--keypoints", "paw,ear")), "paw")


def test_one_keypoint(run, tmp_path):
    dlc.write(tmp_path / "a.csv", names=("snout",))
    refused(run(tmp_path / "a.csv"), "at least 2")


@pytest.mark.parametrize("frames", [3, 10, 50, 103])
def test_a_session_that_is_too_short(run, tmp_path, frames):
    dlc.write(tmp_path / "a.csv", dlc.wander(frames))
    dlc.write(tmp_path / "b.csv")
    refused(run(tmp_path / "a.csv", tmp_path / "b.csv"), f"{frames} frames", "too short")


@pytest.mark.parametrize("fps", ["9.9", "sixty", "nan", "inf", "-60", None, ""])
def test_frame_rates(run, tmp_path, fps):
    dlc.write(tmp_path / "a.csv")
    refused(run(tmp_path / "a.csv", fps=fps), "frame rate", "--fps")


def test_a_keypoint_that_is_never_seen(run, tmp_path):
    values = dlc.wander()
    values[:, 2] = np.nan
    dlc.write(tmp_path / "a.csv", values)
    refused(run(tmp_path / "a.csv"), "right paw", "--keypoints")


def test_a_keypoint_that_is_seen_only_in_the_first_frame(run, tmp_path):
    values = dlc.wander()
    values[1:, 2] = np.nan
    dlc.write(tmp_path / "a.csv", values)
    refused(run(tmp_path / "a.csv"), "right paw", "--keypoints")


def test_a_link_to_nowhere_and_a_folder_of_that_name(run, tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone.csv")
    refused(run(tmp_path / "a.csv"), "a.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(run, tmp_path):
    dlc.write(tmp_path / "a.csv").chmod(0)
    refused(run(tmp_path / "a.csv"), "a.csv")


def test_a_file_that_vanishes_while_others_are_read(run, tmp_path, monkeypatch):
    from bsoid_gpu.workflows.extraction import Extraction

    dlc.write(tmp_path / "a.csv")
    gone = dlc.write(tmp_path / "b.csv", dlc.wander(seed=1))
    extract = Extraction.run

    def vanish(*arguments):
        gone.unlink(missing_ok=True)
        return extract(*arguments)

    monkeypatch.setattr(Extraction, "run", vanish)
    refused(run(tmp_path / "a.csv", gone), "b.csv")


def test_a_path_with_quotes_and_newlines(run, tmp_path):
    file = tmp_path / 'it\'s "a"\nmouse.csv'
    file.write_text("frame,freezing\n0,1\n")
    refused(run(file), "mouse.csv")
    assert "\nmouse" not in run(file)[0].stderr


def test_all_problems_are_reported_together(run, tmp_path):
    (tmp_path / "a.csv").write_text("")
    dlc.write(tmp_path / "b.csv", dlc.wander(20))
    dlc.write(tmp_path / "c.csv", names=("snout",))
    refused(run(tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"), "a.csv", "b: 20 frames", "c")


def test_too_few_bins_for_the_method(run, tmp_path):
    dlc.write(tmp_path / "a.csv", dlc.wander(500))
    refused(run(tmp_path / "a.csv"), "249 bins", "300", "longer sessions")


def test_more_neighbours_than_bins(run, tmp_path):
    dlc.write(tmp_path / "a.csv")
    settings = tmp_path / "many.toml"
    settings.write_text("[embedding]\nneighbours = 900\n")
    refused(run(tmp_path / "a.csv", options=("--config", str(settings))), "349 bins", "neighbours = 900")


def test_a_setting_that_does_not_exist(run, tmp_path):
    dlc.write(tmp_path / "a.csv")
    settings = tmp_path / "wrong.toml"
    settings.write_text("[clusters]\nsmalest = 1\n")
    refused(run(tmp_path / "a.csv", options=("--config", str(settings))), "did you mean 'smallest'")


def test_an_output_folder_that_cannot_be_created(run, tmp_path):
    dlc.write(tmp_path / "a.csv")
    (tmp_path / "run").write_text("a file")
    result, out = run(tmp_path / "a.csv")
    assert result.exit_code == 4
    assert "choose another output folder" in result.stderr
    assert out.read_text() == "a file"


def full_disk(monkeypatch, name_part: str):
    """A disk that is full once a file with that part in its name is written."""
    import errno

    from bsoid_gpu import files

    write = files.writing

    def fails(path):
        if name_part in path.name:
            raise files.BadInput(str(OSError(errno.ENOSPC, "disk is full")))
        return write(path)

    monkeypatch.setattr(files, "writing", fails)


def test_a_disk_that_fills_up_at_the_end_loses_no_finished_stage(run, tmp_path, monkeypatch):
    dlc.write(tmp_path / "a.csv")
    with monkeypatch.context() as patch:
        full_disk(patch, "model.safetensors")
        result, out = run(tmp_path / "a.csv")
        assert result.exit_code == 4
        assert "disk is full" in result.stderr
        assert not (out / "model.safetensors").exists()
        assert not (out / "manifest.json").exists()
    result, out = run(tmp_path / "a.csv")
    assert result.exit_code == 0, result.stderr
    assert "embedding: resumed from the run folder" in result.stderr
    assert (out / "model.safetensors").exists()


def repaired(outcome, *parts):
    result, out = outcome
    assert result.exit_code == 0, result.stderr
    assert result.stdout.strip() == str(out)
    for part in parts:
        assert part in result.stderr


def test_cells_without_a_number_are_filled_and_reported(run, tmp_path):
    values = dlc.wander()
    values[:2, 0] = np.nan  # leading
    values[50:60, 1, :2] = np.nan  # a likelihood near 1 for a missing position
    values[0] = np.nan  # the complete first row
    values[200, 3] = 0.0  # a missing position in files of several animals
    dlc.write(tmp_path / "a.csv", values, newline="\r\n", final_newline=False)
    outcome = run(tmp_path / "a.csv")
    repaired(
        outcome, "700 frames x 4 keypoints", "snout, tail/base: 2 of 700", "left paw: 11 of 700", "right paw: 1 of 700"
    )


def test_no_likelihood_column(run, tmp_path):
    dlc.write(tmp_path / "a.csv", likelihood=False)
    repaired(run(tmp_path / "a.csv"), "likelihood")


def test_keypoints_are_put_in_the_order_of_the_first_session(run, tmp_path):
    dlc.write(tmp_path / "a.csv")
    values = dlc.wander(seed=1)
    dlc.write(tmp_path / "b.csv", values[:, ::-1], names=dlc.NAMES[::-1])
    repaired(run(tmp_path / "a.csv", tmp_path / "b.csv"))
    again = dlc.write(tmp_path / "b.csv", values)
    first = (tmp_path / "run" / "training.csv").read_bytes()
    repaired(run(tmp_path / "a.csv", again))
    assert (tmp_path / "run" / "training.csv").read_bytes() == first


def test_a_good_file_in_a_path_with_quotes_and_newlines(run, tmp_path):
    folder = tmp_path / 'it\'s "here"\n$HOME'
    folder.mkdir()
    file = dlc.write(folder / 'mouse 1, "grey"\n.csv')
    repaired(run(file))
    out = tmp_path / "labels"
    result = CliRunner().invoke(main, ["predict", str(tmp_path / "run"), str(folder), "--out", str(out)])
    assert result.exit_code == 0, result.stderr
    assert len((out / f"{file.stem}.labels.csv").read_text().splitlines()) == 701


def test_keypoints_that_the_model_does_not_have_are_left_out_and_reported(model, tmp_path):
    values = dlc.wander(60, 5)
    alone = dlc.write(tmp_path / "alone.csv", values[:, :4])
    more = dlc.write(tmp_path / "more.csv", values, names=(*dlc.NAMES, "tail tip"))
    out = tmp_path / "labels"
    result = CliRunner().invoke(main, ["predict", str(model), str(alone), str(more), "--out", str(out)])
    assert result.exit_code == 0, result.stderr
    assert "more: keypoints that were not requested are left out: 'tail tip'" in result.stderr
    assert (out / "more.labels.csv").read_bytes() == (out / "alone.labels.csv").read_bytes()


def test_two_keypoints_work(run, tmp_path):
    dlc.write(tmp_path / "a.csv", names=("snout, tip", "tail"))
    repaired(run(tmp_path / "a.csv", options=("--keypoints", '"snout, tip",tail')))


PREDICT_PROBLEMS = {
    "other keypoints": lambda folder: dlc.write(folder / "n.csv", names=("nose", "left paw", "right paw", "tail/base")),
    "one frame": lambda folder: dlc.write(folder / "n.csv", dlc.wander(1)),
    "empty": lambda folder: Path(folder / "n.csv").write_text("") or folder / "n.csv",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    (folder / "settings.toml").write_text(FAST)
    recording = dlc.write(folder / "a.csv")
    options = ["--fps", "20", "--out", str(folder / "run"), "--config", str(folder / "settings.toml")]
    result = CliRunner().invoke(main, ["build", str(recording), *options])
    assert result.exit_code == 0, result.output
    return folder / "run"


@pytest.mark.parametrize("problem", PREDICT_PROBLEMS)
def test_sessions_that_cannot_be_predicted(model, tmp_path, problem):
    file = PREDICT_PROBLEMS[problem](tmp_path)
    result = CliRunner().invoke(main, ["predict", str(model), str(file), "--out", str(tmp_path / "out")])
    assert result.exit_code == 4, result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_good_sessions_are_predicted_beside_bad_ones(model, tmp_path):
    dlc.write(tmp_path / "good.csv", dlc.wander(60))
    (tmp_path / "bad.csv").write_text("")
    out = tmp_path / "out"
    arguments = ["predict", str(model), str(tmp_path / "bad.csv"), str(tmp_path / "good.csv"), "--out", str(out)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 4
    assert "bad.csv" in result.stderr
    assert len((out / "good.labels.csv").read_text().splitlines()) == 61


@pytest.mark.parametrize("content", [None, b"", b"not a model", bytes(100)])
def test_a_file_that_is_not_a_model(tmp_path, content):
    file = tmp_path / "model.safetensors"
    if content is not None:
        file.write_bytes(content)
    for command in (["info", str(file)], ["predict", str(file), str(file), "--out", str(tmp_path / "out")]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 4, result.output
        assert "model" in result.stderr


@pytest.mark.parametrize("value", ["-0.1", "1.5", "nan"])
def test_a_confidence_out_of_range(model, tmp_path, value):
    file = dlc.write(tmp_path / "a.csv")
    arguments = ["predict", str(model), str(file), "--out", str(tmp_path / "out"), "--min-confidence", value]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 4
    assert "--min-confidence" in result.stderr
