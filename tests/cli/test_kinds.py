"""Inputs that could be misread, through the command line: each outcome is right, or a warning, or a refusal."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from quick import QUICK

import bsoid_gpu
from bsoid_gpu.cli.main import main
from bsoid_gpu.settings import toml
from bsoid_gpu.synthetic.sessions import deeplabcut_csv, simulate_session

FPS, FRAMES = 30.0, 600


def mouse(seed, frames=FRAMES):
    return simulate_session("m", frames, FPS, np.random.default_rng(seed))[0]


HEADER, *ROWS = deeplabcut_csv(mouse(9)).decode().splitlines()
HEADER, ROWS = [HEADER, *ROWS[:2]], [row.split(",") for row in ROWS[2:]]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "run"
    bsoid_gpu.build(
        [replace(mouse(seed, 2700), name=f"m{seed}") for seed in (0, 1)],
        fps=FPS,
        out=folder,
        settings=QUICK,
        backend="cpu",
    )
    return folder


@pytest.fixture(scope="module")
def expected(model):
    return bsoid_gpu.predict(model, mouse(9), fps=FPS, backend="cpu")[0].labels


def text(rows, header=HEADER):
    return "\n".join([*header, *(",".join(row) for row in rows)]) + "\n"


def numbered(number):
    return text([[str(number(i)), *row[1:]] for i, row in enumerate(ROWS)])


def without_animal(*cells, frames=range(200, 400)):
    width = (len(ROWS[0]) - 1) // 3
    return text([[row[0], *cells * width] if i in frames else row for i, row in enumerate(ROWS)])


def predict(model, content, tmp_path, *options):
    (tmp_path / "m.csv").write_text(content)
    arguments = ["predict", model, tmp_path / "m.csv", "--fps", FPS, "--out", tmp_path / "L", "--backend", "cpu"]
    result = CliRunner().invoke(main, [*map(str, arguments), *options])
    assert isinstance(result.exception, SystemExit | None)
    if result.exit_code:
        return result.exit_code, result.output, None
    warnings = json.loads((tmp_path / "L/manifest.json").read_text())["warnings"]
    assert all(warning in result.output for warning in warnings)
    return 0, "\n".join(warnings), pd.read_csv(tmp_path / "L/m.labels.csv")


FRAME_NUMBERS = {  # content, own numbers of the frames, rows of the track, warning
    "from 1": (numbered(lambda i: i + 1), np.arange(1, 601), np.arange(600), "begin at number 1"),
    "from 100": (numbered(lambda i: i + 100), np.arange(100, 700), np.arange(600), "begin at number 100"),
    "from a million": (
        numbered(lambda i: i + 10**6),
        10**6 + np.arange(600),
        np.arange(600),
        "begin at number 1000000",
    ),
    "as decimals": (numbered(lambda i: f"{i}.0"), np.arange(600), np.arange(600), ""),
    "last part first": (text(ROWS[300:] + ROWS[:300]), np.arange(600), np.arange(600), "not in order"),
    "backwards": (text(ROWS[::-1]), np.arange(600), np.arange(600), "not in order"),
    "two exchanged": (text([ROWS[1], ROWS[0], *ROWS[2:]]), np.arange(600), np.arange(600), "not in order"),
    "no numbers": (text([["", *row[1:]] for row in ROWS]), np.arange(600), np.arange(600), "counted from 0"),
    "a name": (text([["frame", *[""] * (len(ROWS[0]) - 1)], *ROWS]), np.arange(600), np.arange(600), ""),
    "blank rows": (text([*ROWS[:9], [""] * len(ROWS[0]), *ROWS[9:]]), np.arange(600), np.arange(600), "left out: 1"),
    "blank lines": ("\n\n".join(text(ROWS).splitlines()), np.arange(600), np.arange(600), ""),
}


@pytest.mark.parametrize("kind", FRAME_NUMBERS)
def test_labels_carry_the_frame_numbers_of_the_file(model, expected, tmp_path, kind):
    content, numbers, rows, warning = FRAME_NUMBERS[kind]
    code, warnings, table = predict(model, content, tmp_path)
    assert code == 0, warnings
    assert warning in warnings
    assert warning or "frame" not in warnings.replace("the frame rate is about", "")
    assert np.array_equal(table["frame"], numbers)
    assert np.allclose(table["time_s"], np.round(numbers / FPS, 6))
    assert np.array_equal(table["label"], expected[rows])


@pytest.mark.parametrize("gap", [(200, 300), (1, 40), (560, 599)])
def test_gaps_end_windows_and_bouts(model, tmp_path, gap):
    kept = np.r_[0 : gap[0], gap[1] : FRAMES]
    code, warnings, table = predict(model, text([ROWS[i] for i in kept]), tmp_path)
    assert code == 0
    assert f"({gap[0]} to {gap[1] - 1})" in warnings
    assert np.array_equal(table["frame"], kept)
    bouts = pd.read_csv(tmp_path / "L/m.bouts.csv")
    assert not ((bouts["start_frame"] < gap[0]) & (bouts["stop_frame"] > gap[0])).any()
    summary = pd.read_csv(tmp_path / "L/m.summary.csv")
    assert summary["frames"].sum() == (table["confidence"] > 0).sum()


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (text(ROWS[:300] + ROWS[299:]), "repeated"),
        (numbered(lambda i: i % 300), "repeated"),
        (numbered(lambda i: 2 * i), "every 2nd frame"),
        (text(ROWS[::4]), "every 4th frame"),
        (numbered(lambda i: round(i / 30, 4)), "times in seconds"),
        (numbered(lambda i: i - 5), "whole numbers from 0"),
        (numbered(lambda i: f"labeled-data/day1/img{i:04d}.png"), "the name of an image"),
        (text(ROWS) + text(ROWS), "two files joined"),
        (text(ROWS[:300]) + text(ROWS[300:]), "two files joined"),
        (text([*ROWS[:5], ["", *ROWS[5][1:]], *ROWS[6:]]), "no frame number"),
        (text([*ROWS[:-1], ROWS[-1][:4]]), "is the file cut short"),
    ],
)
def test_frame_numbers_that_cannot_be_used(model, tmp_path, content, cause):
    code, output, _ = predict(model, content, tmp_path)
    assert code == 4
    assert cause in output
    assert not (tmp_path / "L").exists() or not list((tmp_path / "L").glob("*.csv"))


ABSENT = {
    "empty": ("", "", ""),
    "nan": ("nan", "nan", "0.0"),
    "zeros": ("0.0", "0.0", "0.0"),
    "zeros with confidence": ("0.0", "0.0", "1.0"),
    "minus one": ("-1.0", "-1.0", "-1.0"),
    "minus one with confidence 0": ("-1", "-1", "0"),
    "negative confidence": ("350.0", "350.0", "-1.0"),
    "no confidence": ("350.0", "350.0", ""),
    "infinite": ("inf", "inf", "1.0"),
}


@pytest.mark.parametrize("kind", ABSENT)
@pytest.mark.parametrize("frames", [range(200, 400), range(100), range(550, 600)])
def test_frames_without_the_animal_have_no_behaviour(model, expected, tmp_path, kind, frames):
    code, warnings, table = predict(model, without_animal(*ABSENT[kind], frames=frames), tmp_path)
    absent = np.isin(np.arange(FRAMES), frames)
    assert code == 0
    assert f"{frames.start} to {frames.stop - 1}) do not show the animal" in warnings
    assert np.array_equal(table["label"] == -1, absent)
    assert np.array_equal(table["confidence"] == 0, absent)
    far = np.convolve(absent, np.ones(15), "same") == 0  # windows that no absence reaches
    held = np.mean(table["label"][far] == expected[far])  # thresholds may differ: they are those of fewer frames
    assert held > 0.9
    shares = pd.read_csv(tmp_path / "L/m.summary.csv")
    assert shares["frames"].sum() == (~absent).sum()
    assert shares["share"].sum() == pytest.approx(1, abs=1e-4)


def test_a_short_absence_is_bridged_with_a_warning(model, tmp_path):
    code, warnings, table = predict(model, without_animal("", "", "", frames=range(200, 215)), tmp_path)
    assert code == 0
    assert "15 of 600 frames have no position" in warnings
    assert (table["label"] >= 0).all()


def test_a_low_likelihood_of_every_keypoint_is_named(model, tmp_path):
    code, warnings, _ = predict(model, without_animal("350.0", "350.0", "0.01"), tmp_path)
    assert code == 0
    assert "200 to 399) every keypoint is below its likelihood threshold" in warnings


@pytest.mark.parametrize("factor", [3.0, 0.5, 0.1])
def test_another_scale_is_named_with_the_remedy_that_works(model, expected, tmp_path, factor):
    rows = [[row[0], *(repr(float(c) * (factor, factor, 1)[i % 3]) for i, c in enumerate(row[1:]))] for row in ROWS]
    plain = ["--smooth", "0"]  # smoothed, a few other frames may be a whole bout
    code, warnings, table = predict(model, text(rows), tmp_path, *plain)
    assert code == 0
    assert "times as large as in training" in warnings
    _, _, of_file = predict(model, text(ROWS), tmp_path, *plain)
    assert np.mean(table["label"] == of_file["label"]) < 0.6
    remedy = warnings.split("--scale ")[1].split()[0]
    _, warnings, table = predict(model, text(rows), tmp_path, *plain, "--scale", remedy)
    assert "times as large" not in warnings
    _, _, of_training = predict(model, text(ROWS), tmp_path, *plain, "--scale", "auto")
    assert np.mean(table["label"] == of_training["label"]) > 0.98  # the remedy has four digits
    _, _, table = predict(model, text(rows), tmp_path, "--scale", str(1 / factor))
    assert np.mean(table["label"] == expected) > 0.999


def with_points(*points, noise=0.5):
    """Three header rows and rows with still points of the arena, by name and place."""
    rng = np.random.default_rng(0)
    header = [
        ",".join([HEADER[0], *["DLC"] * 3 * len(points)]),
        ",".join([HEADER[1], *[name for name, *_ in points for _ in range(3)]]),
        ",".join([HEADER[2], *["x,y,likelihood"] * len(points)]),
    ]
    added = [
        [cell for _, x, y in points for cell in (f"{x + noise * rng.normal()}", f"{y + noise * rng.normal()}", "0.99")]
        for _ in ROWS
    ]
    return text([row + more for row, more in zip(ROWS, added, strict=True)], header)


@pytest.mark.parametrize(
    "points", [[("corner", 0, 0)], [("feeder, left", 350, 600)], [("tl", 0, 0), ("tr", 700, 0), ("object", 300, 300)]]
)
def test_points_of_the_arena_are_named_with_the_remedy_that_works(tmp_path, points):
    lines = with_points(*points).splitlines()
    lines[1] = lines[1].replace("feeder, left", '"feeder, left"')
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "quick.toml").write_text(toml.to_toml(replace(QUICK, input=replace(QUICK.input, min_session_s=1.0))))
    arguments = ["build", str(tmp_path / "a.csv"), "--fps", "30", "--config", str(tmp_path / "quick.toml")]
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "run"), "--dry-run"])
    (warning,) = (line for line in result.output.splitlines() if "in place while" in line)
    assert all(name in warning for name, *_ in points)
    option = warning.split("--keypoints ")[1].strip("'")
    assert option == "snout,right_forepaw,left_forepaw,right_hindpaw,left_hindpaw,tail_base"
    result = CliRunner().invoke(main, [*arguments, "--keypoints", option, "--out", str(tmp_path / "run"), "--dry-run"])
    assert "in place while" not in result.output
