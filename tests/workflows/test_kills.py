"""Jobs killed at any moment and started again: the same bytes, no stage twice, nothing left behind.

`pytest tests/workflows/test_kills.py --kills 50` tries 50 moments of a build and 50 of a prediction.
"""

import json
import random
import subprocess
import sys
import time

import pytest

from bsoid_gpu.synthetic.sessions import simulate

# a checkpoint is kept after every step of a long stage, instead of every ten seconds
OFTEN = (
    "from bsoid_gpu.run_folder import checkpoint; checkpoint.EVERY_S = 0.0; from bsoid_gpu.__main__ import run; run()"
)
OF_EACH_RUN = {"manifest.json", "log.txt", ".lock"}  # times and messages


def run(*arguments, kill_after=None):
    """Seconds until the command ended or was killed."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", OFTEN, *map(str, arguments)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        _, messages = process.communicate(timeout=kill_after)
        assert process.returncode == 0, messages.decode()
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    return time.monotonic() - started


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in OF_EACH_RUN
    }


@pytest.fixture(scope="module")
def moments(request):
    return request.config.getoption("--kills"), random.Random(request.config.getoption("--kills"))


@pytest.mark.slow
def test_a_build_killed_at_any_moment_ends_with_the_same_bytes(tmp_path, moments):
    sessions = tmp_path / "sessions"
    simulate(sessions, sessions=7, minutes=2.15, fps=60.0, seed=3)  # 9,000 bins, in worker processes too
    command = ("build", sessions, "--fps", 60, "--backend", "cpu", "--out")
    run(*command, tmp_path / "whole")
    seconds = run(*command, tmp_path / "timed")
    whole = content(tmp_path / "whole")
    assert content(tmp_path / "timed") == whole
    number, chance = moments
    for i in range(number):
        out = tmp_path / f"killed{i}"
        run(*command, out, kill_after=chance.uniform(0, seconds))
        finished = {path.parent.name for path in out.glob("stages/[!.]*/manifest.json")}
        run(*command, out)
        assert content(out) == whole
        stages = json.loads((out / "manifest.json").read_text())["stages"]
        assert {name for name, stage in stages.items() if stage["resumed"]} == finished


@pytest.mark.slow
def test_a_prediction_killed_at_any_moment_ends_with_the_same_bytes(tmp_path, moments):
    sessions = tmp_path / "sessions"
    simulate(sessions, sessions=10, minutes=2.0, fps=60.0, seed=4)
    run("build", sessions / "mouse1.csv", "--fps", 60, "--backend", "cpu", "--out", tmp_path / "run")
    command = ("predict", tmp_path / "run", sessions, "--backend", "cpu", "--out")
    run(*command, tmp_path / "whole")
    seconds = run(*command, tmp_path / "timed")
    whole = content(tmp_path / "whole")
    assert len(whole) == 10 * 5
    manifest = (tmp_path / "whole" / "manifest.json").read_bytes()
    number, chance = moments
    for i in range(number):
        out = tmp_path / f"killed{i}"
        run(*command, out, kill_after=chance.uniform(0, seconds))
        finished = {path: path.stat().st_mtime_ns for path in out.glob("records/*.json")}
        run(*command, out)
        assert content(out) == whole
        assert (out / "manifest.json").read_bytes() == manifest
        assert {path: path.stat().st_mtime_ns for path in finished} == finished


@pytest.mark.slow
def test_two_predictions_into_one_folder_at_the_same_time(tmp_path):
    simulate(tmp_path / "sessions", sessions=4, minutes=2.0, fps=60.0, seed=4)
    run("build", tmp_path / "sessions" / "mouse1.csv", "--fps", 60, "--backend", "cpu", "--out", tmp_path / "run")
    command = [sys.executable, "-m", "bsoid_gpu", "predict", tmp_path / "run", tmp_path / "sessions", "--out"]
    alone, together = tmp_path / "alone", tmp_path / "together"
    assert subprocess.run([*command, alone], stderr=subprocess.DEVNULL).returncode == 0
    jobs = [subprocess.Popen([*command, together], stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [job.wait() for job in jobs] == [0, 0]
    assert content(together) == content(alone)
