"""What runs where Windows and macOS lack something of Linux. What they have in its place is not tried here."""

import subprocess
import sys

import pytest
from other_systems import LACKING, environment
from quick import files

from bsoid_gpu.synthetic.sessions import simulate

MODULES = """
import importlib, pkgutil, sys
import bsoid_gpu

for module in pkgutil.walk_packages(bsoid_gpu.__path__, "bsoid_gpu."):
    if not module.name.endswith((".backends.cuda", ".__main__")):  # the one needs RAPIDS, the other is run
        importlib.import_module(module.name)
"""
LACKED = """
import os, signal, mmap
from bsoid_gpu.execution import signals
from bsoid_gpu.run_folder import arrays

assert hasattr(os, "fork") and hasattr(signal, "SIGUSR1") and hasattr(mmap, "MADV_DONTNEED")
assert not hasattr(signals.os, "fork") and not hasattr(signals.signal, "SIGUSR1")
assert not hasattr(arrays.mmap, "MADV_DONTNEED")
assert signals._prctl() is None
"""
SETTINGS = """
[embedding]
epochs = 50
[clusters]
smallest = 0.01
largest = 0.03
step = 0.01
[validation]
folds = 3
stability = false
"""
systems = pytest.mark.parametrize("system", LACKING)


@systems
def test_every_module_is_imported(tmp_path, system):
    done = subprocess.run([sys.executable, "-c", MODULES], env=environment(tmp_path, system), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_stand_in_lacks_what_it_should(tmp_path):
    subprocess.run([sys.executable, "-c", LACKED], env=environment(tmp_path, "Windows"), check=True)


@pytest.mark.slow
@systems
def test_a_build_and_a_prediction_give_the_same_labels(tmp_path, system):
    sessions = tmp_path / "sessions"
    simulate(sessions, sessions=7, minutes=0.6, fps=30.0, seed=1)  # for worker processes too
    (tmp_path / "settings.toml").write_text(SETTINGS)
    lacking = tmp_path / "lacking"
    lacking.mkdir()

    def run(name, env):
        out, command = tmp_path / name, [sys.executable, "-m", "bsoid_gpu"]
        build = ["build", sessions, "--fps", "30", "--config", tmp_path / "settings.toml", "--out", out / "run"]
        predict = ["predict", out / "run", sessions, "--out", out / "labels"]
        for arguments in (build, predict):
            subprocess.run([*command, *map(str, arguments), "--backend", "cpu"], env=env, check=True)
        return out

    plain, other = run("plain", None), run("other", environment(lacking, system))
    assert files(other / "run") == files(plain / "run")
    assert files(other / "labels") == files(plain / "labels") != {}
