"""Real disks that are full, whose quota is used up, or that are read-only: told in words, nothing lost."""

import contextlib
import os
import subprocess
import sys

import dlc
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk"),
]
SETTINGS = "[embedding]\nepochs = 30\n[classifier]\nfolds = {}\n"


@pytest.fixture
def mounted(tmp_path):
    """Mounts small disks, and takes them away again."""
    there = []

    def mount(options):
        disk = tmp_path / f"disk{len(there)}"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], capture_output=True).returncode:
            pytest.skip(f"this machine lets nobody mount a disk with {options}")
        there.append(disk)
        return disk

    yield mount
    for disk in there:
        subprocess.run(["umount", str(disk)], check=True)


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "bsoid_gpu", *map(str, arguments)], capture_output=True, text=True)


def refused(done, words):
    assert done.returncode == 4, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "Logging error" not in done.stderr


def content(folder):
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("manifest.json", "log.txt", ".lock")
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [("size=6m", "the disk is full"), ("size=50m,quota,usrquota_block_hardlimit=6M", "the quota is used up")],
)
def test_what_was_there_stays_and_the_same_command_goes_on(mounted, tmp_path, options, words):
    disk = mounted(options)
    sessions = [dlc.write(tmp_path / f"{name}.csv", dlc.wander(1400, seed=seed)) for seed, name in enumerate("abc")]
    for folds in (2, 3):
        (tmp_path / f"{folds}.toml").write_text(SETTINGS.format(folds))

    def build(folds):
        return run("build", sessions[0], "--fps", 20, "--config", tmp_path / f"{folds}.toml", "--out", disk / "run")

    def predict(*given):
        return run("predict", disk / "run", *given, "--out", disk / "labels")

    assert build(2).returncode == 0
    assert predict(sessions[0]).returncode == 0
    before = content(disk)
    with (disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(4096))
    refused(build(3), words)
    refused(predict(*sessions), words)
    left = content(disk)
    assert {path: left[path] for path in before} == before
    (disk / "ballast").unlink()
    assert predict(*sessions).returncode == 0
    assert build(3).returncode == 0
    assert not list(disk.rglob("*.part"))
    assert len(list((disk / "labels").glob("*.labels.csv"))) == 3


def test_a_disk_that_is_read_only(mounted, tmp_path):
    disk = mounted("size=20m")
    session = dlc.write(tmp_path / "a.csv", dlc.wander(1400))
    (tmp_path / "2.toml").write_text(SETTINGS.format(2))
    build = ("build", session, "--fps", 20, "--config", tmp_path / "2.toml", "--out")
    assert run(*build, disk / "run").returncode == 0
    before = content(disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    refused(run(*build, disk / "run"), "read-only")
    refused(run("predict", disk / "run", session, "--out", disk / "labels"), "read-only")
    assert content(disk) == before
