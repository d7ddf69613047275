"""Jobs that are killed at any time and started again: the same bytes, no stage twice, no leftovers.

`pytest tests/workflows/test_kills.py --kills 50` kills 50 builds and 50 predictions.
"""

import json
import random
import subprocess
import sys
import time

import pytest

from bsoid_gpu.synthetic.sessions import simulate

# saves a checkpoint after every step of a long stage, instead of every ten seconds
CODE = (
    "from bsoid_gpu.run_folder import checkpoint; checkpoint.EVERY_S = 0.0; from bsoid_gpu.__main__ import run; run()"
)
REWRITTEN = {"manifest.json", "log.txt", ".lock"}  # with times and messages


def run(*arguments, kill_after=None):
    """Seconds until the command ended or was killed."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *map(str, arguments)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        _, errors = process.communicate(timeout=kill_after)
        assert process.returncode == 0, errors.decode()
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    return time.monotonic() - started


@pytest.fixture
def single(tmp_path):
    """Options of a build whose stability is not measured."""
    (tmp_path / "single.toml").write_text("[validation]\nstability = false\n")
    return "--config", tmp_path / "single.toml"


def content(folder):
    """Bytes of each file; the page has the name of its folder as its title."""
    title = f'"{folder.name}"'.encode()
    return {
        str(path.relative_to(folder)): path.read_bytes().replace(title, b'"FOLDER"')
        if path.name == "report.html"
        else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in REWRITTEN
    }


@pytest.fixture(scope="module")
def kills(request):
    """Number of kills, and a random number generator for their times."""
    return request.config.getoption("--kills"), random.Random(request.config.getoption("--kills"))


@pytest.mark.slow
def test_a_killed_build_ends_with_the_same_bytes(tmp_path, kills):
    sessions = tmp_path / "sessions"
    # 9,000 bins, in worker processes too; the second model, which shows which labels return, is killed too
    simulate(sessions, sessions=7, minutes=2.15, fps=60.0, seed=3)
    command = ("build", sessions, "--fps", 60, "--backend", "cpu", "--out")
    run(*command, tmp_path / "complete")
    seconds = run(*command, tmp_path / "timed")
    complete = content(tmp_path / "complete")
    assert content(tmp_path / "timed") == complete
    number, rng = kills
    for i in range(number):
        out = tmp_path / f"killed{i}"
        run(*command, out, kill_after=rng.uniform(0, seconds))
        completed = {path.parent.name for path in out.glob("stages/[!.]*/manifest.json")}
        run(*command, out)
        assert content(out) == complete
        stages = json.loads((out / "manifest.json").read_text())["stages"]
        assert {name for name, stage in stages.items() if stage["resumed"]} == completed


@pytest.mark.slow
def test_a_killed_prediction_ends_with_the_same_bytes(tmp_path, kills, single):
    sessions = tmp_path / "sessions"
    simulate(sessions, sessions=10, minutes=2.0, fps=60.0, seed=4)
    run("build", sessions / "mouse1.csv", "--fps", 60, "--backend", "cpu", "--out", tmp_path / "run", *single)
    command = ("predict", tmp_path / "run", sessions, "--backend", "cpu", "--out")
    run(*command, tmp_path / "complete")
    seconds = run(*command, tmp_path / "timed")
    complete = content(tmp_path / "complete")
    assert len(complete) == 10 * 6 + 1  # four tables, a track and a record of each, and the page
    manifest = (tmp_path / "complete" / "manifest.json").read_bytes()
    number, rng = kills
    for i in range(number):
        out = tmp_path / f"killed{i}"
        run(*command, out, kill_after=rng.uniform(0, seconds))
        completed = {path: path.stat().st_mtime_ns for path in out.glob("records/*.json")}
        run(*command, out)
        assert content(out) == complete
        assert (out / "manifest.json").read_bytes() == manifest
        assert {path: path.stat().st_mtime_ns for path in completed} == completed


@pytest.mark.slow
def test_two_predictions_can_write_to_one_folder_at_the_same_time(tmp_path, single):
    simulate(tmp_path / "sessions", sessions=4, minutes=2.0, fps=60.0, seed=4)
    mouse, out = tmp_path / "sessions" / "mouse1.csv", tmp_path / "run"
    run("build", mouse, "--fps", 60, "--backend", "cpu", "--out", out, *single)
    command = [sys.executable, "-m", "bsoid_gpu", "predict", tmp_path / "run", tmp_path / "sessions", "--out"]
    alone, together = tmp_path / "alone", tmp_path / "together"
    assert subprocess.run([*command, alone], stderr=subprocess.DEVNULL).returncode == 0
    jobs = [subprocess.Popen([*command, together], stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [job.wait() for job in jobs] == [0, 0]
    assert content(together) == content(alone)
