"""Disks that are full, over quota or read-only: the error names the remedy, and no file is lost."""

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
SETTINGS = "[embedding]\nepochs = 30\n[validation]\nfolds = {}\nstability = false\n"


def run_or_skip(*command):
    """Run a command that a machine may lack or refuse; skip the test there."""
    try:
        process = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip(f"{command[0]} is not installed")
    if process.returncode:
        pytest.skip(f"{command[0]} fails on this machine: {process.stderr.strip()}")


class Disks:
    """Mounts small disks, and unmounts them."""

    def __init__(self, folder):
        self.folder = folder
        self.mounted = []

    def _mount(self, *options):
        disk = self.folder / f"disk{len(self.mounted)}"
        disk.mkdir()
        run_or_skip("mount", *options, disk)
        self.mounted.append(disk)
        return disk

    def small(self, size):
        return self._mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs")

    def with_quota(self, size):
        """A folder with a quota; Btrfs enforces it for root too, unlike other file systems."""
        image = self.folder / "image"
        with image.open("wb") as file:
            file.truncate(256 << 20)
        run_or_skip("mkfs.btrfs", "--quiet", image)
        disk = self._mount("-t", "btrfs", "-o", "loop", image)
        run_or_skip("btrfs", "quota", "enable", disk)
        run_or_skip("btrfs", "subvolume", "create", disk / "home")
        run_or_skip("btrfs", "qgroup", "limit", size, disk / "home")
        return disk / "home"

    def unmount(self):
        for disk in self.mounted:
            subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def disks(tmp_path):
    disks = Disks(tmp_path)
    yield disks
    disks.unmount()


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "bsoid_gpu", *map(str, arguments)], capture_output=True, text=True)


def refused(process, message):
    assert process.returncode == 4, process.stderr
    assert message in process.stderr
    assert "Traceback" not in process.stderr
    assert "Logging error" not in process.stderr


def content(folder):
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("manifest.json", "log.txt", ".lock")
    }


@pytest.mark.parametrize(
    ("kind", "message"), [(Disks.small, "the disk is full"), (Disks.with_quota, "the quota is used up")]
)
def test_earlier_files_remain_and_the_same_command_resumes(disks, tmp_path, kind, message):
    disk = kind(disks, "6M")
    sessions = [dlc.write(tmp_path / f"{name}.csv", dlc.wander(1400, seed=seed)) for seed, name in enumerate("abc")]
    for folds in (2, 3):
        (tmp_path / f"{folds}.toml").write_text(SETTINGS.format(folds))

    def build(folds):
        return run("build", sessions[0], "--fps", 20, "--config", tmp_path / f"{folds}.toml", "--out", disk / "run")

    def predict(*paths):
        return run("predict", disk / "run", *paths, "--out", disk / "labels")

    assert build(2).returncode == 0
    assert predict(sessions[0]).returncode == 0
    before = content(disk)
    with (disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(4096))
    refused(build(3), message)
    refused(predict(*sessions), message)
    after = content(disk)
    assert {path: after[path] for path in before} == before
    (disk / "ballast").unlink()
    assert predict(*sessions).returncode == 0
    assert build(3).returncode == 0
    assert not list(disk.rglob("*.part"))
    assert len(list((disk / "labels").glob("*.labels.csv"))) == 3


def test_a_read_only_disk_is_an_error_and_stays_unchanged(disks, tmp_path):
    disk = disks.small("20M")
    session = dlc.write(tmp_path / "a.csv", dlc.wander(1400))
    (tmp_path / "2.toml").write_text(SETTINGS.format(2))
    build = ("build", session, "--fps", 20, "--config", tmp_path / "2.toml", "--out")
    assert run(*build, disk / "run").returncode == 0
    before = content(disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    refused(run(*build, disk / "run"), "read-only")
    refused(run("predict", disk / "run", session, "--out", disk / "labels"), "read-only")
    assert content(disk) == before
