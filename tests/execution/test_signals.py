"""How a batch system ends a job: on real processes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from other_systems import LACKING, environment

from bsoid_gpu.synthetic.sessions import simulate

BUSY = """
import os, sys, time
from bsoid_gpu.execution import signals

def command():
    print(os.getpid(), flush=True)
    {}

signals.run(command)
"""
DEAF = "import ctypes; ctypes.PyDLL(None).sleep(60)"  # holds the interpreter, as compiled code does


def start(doing, env=None):
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY.format(doing)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return process, int(process.stdout.readline())


def ended(process, pid):
    """Exit code and messages, when both processes have ended."""
    _, messages = process.communicate(timeout=10)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
    return process.returncode, messages


@pytest.mark.parametrize("doing", ["time.sleep(60)", DEAF])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
@pytest.mark.parametrize("system", ["Linux", "macOS"])
def test_a_signal_ends_the_command_with_a_code_of_its_own(tmp_path, doing, number, system):
    process, pid = start(doing, environment(tmp_path, system))
    process.send_signal(number)
    assert ended(process, pid) == (6, f"stopped by {number.name}; run the same command again to resume\n")


def test_a_signal_ends_the_command_where_no_process_can_be_forked(tmp_path):
    process, pid = start("time.sleep(60)", environment(tmp_path, "Windows"))
    assert pid == process.pid
    process.terminate()
    assert ended(process, pid) == (6, "stopped by SIGTERM; run the same command again to resume\n")


@pytest.mark.parametrize("system", ["Linux", "macOS"])
def test_nothing_stays_behind_where_the_supervisor_is_killed(tmp_path, system):
    process, pid = start("time.sleep(60)", environment(tmp_path, system))
    process.kill()
    assert ended(process, pid) == (-9, "")


def test_a_command_that_the_system_kills():
    process, pid = start("os.kill(os.getpid(), 9)")
    code, messages = ended(process, pid)
    assert code == 5
    assert "for lack of memory" in messages


@pytest.mark.parametrize(("doing", "code"), [("pass", 0), ("sys.exit(4)", 4)])
@pytest.mark.parametrize("system", ["Linux", *LACKING])
def test_the_exit_code_of_the_command(tmp_path, doing, code, system):
    process, pid = start(doing, environment(tmp_path, system))
    assert ended(process, pid) == (code, "")


def test_the_log_of_a_build_that_was_stopped(tmp_path):
    simulate(tmp_path / "sessions", sessions=8, minutes=1.5, fps=30.0, seed=1)  # for workers too
    out = tmp_path / "run"
    arguments = ["build", tmp_path / "sessions", "--fps", "30", "--out", out, "--backend", "cpu"]
    process = subprocess.Popen([sys.executable, "-m", "bsoid_gpu", *map(str, arguments)], stderr=subprocess.PIPE)
    log = out / "log.txt"
    while not (log.exists() and "features mouse2" in log.read_text()):
        assert process.poll() is None
        time.sleep(0.02)
    process.terminate()
    _, messages = process.communicate(timeout=10)
    assert process.returncode == 6
    assert b"stopped by SIGTERM" in messages
    assert b"Warning" not in messages  # of the process that cleans up after the workers
    assert "features mouse2" in log.read_text()
    assert "stopped by SIGTERM" in log.read_text()
