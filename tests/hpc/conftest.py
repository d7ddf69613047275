"""Fixtures for tests on a real, private Slurm: installed by apt if possible, removed at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from hpc.cluster import BIN, Cluster

MODULE_INITS = [Path("/usr/share/lmod/lmod/init/bash"), Path("/usr/share/modules/init/bash")]


def install(*packages: str) -> None:
    """Install system packages, or skip the test with the reason."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip(f"needs {' '.join(packages)}, which only root can install, with apt-get")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *command], env=environment, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"apt-get {command[0]} failed: {done.stderr[-500:]}")


@pytest.fixture(scope="session")
def slurm():
    """A running :class:`Cluster` with ``bsoid-gpu`` on the PATH of its jobs."""
    if os.geteuid() != 0:
        pytest.skip("the private Slurm runs as root")
    if shutil.which("slurmctld", path="/usr/sbin:/usr/bin") is None or shutil.which("sbatch") is None:
        install("slurm-wlm", "munge")
    with tempfile.TemporaryDirectory(
        prefix="slurm-"
    ) as folder:  # pytest's folders make the names of the sockets too long
        Path(folder).chmod(0o755)  # required by munge
        cluster = Cluster(Path(folder))
        cluster.env["PATH"] = f"{BIN}{os.pathsep}{cluster.env['PATH']}"
        cluster.env["NUMBA_CACHE_DIR"] = str(cluster.base / "cache")  # all jobs share compiled code
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture(scope="session")
def module_init() -> Path:
    """The file that defines the command ``module`` in a shell: of Lmod or of Environment Modules."""
    if not any(init.exists() for init in MODULE_INITS):
        install("lmod")
    return next(init for init in MODULE_INITS if init.exists())


@pytest.fixture(scope="session")
def recordings_60(tmp_path_factory) -> Path:
    """Three simulated sessions of 1.5 minutes."""
    folder = tmp_path_factory.mktemp("simulated")
    subprocess.run(
        [BIN / "bsoid-gpu", "simulate", folder, "--sessions", "3", "--minutes", "1.5"], check=True, capture_output=True
    )
    return folder
