"""Fixtures: the CPU backend, the array libraries, and real recordings."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from quick import QUICK

from bsoid_gpu.backends import get_backend
from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.errors import BackendUnavailable
from bsoid_gpu.log import logger
from bsoid_gpu.run_folder import checkpoint
from bsoid_gpu.synthetic.sessions import deeplabcut_csv, simulate_session
from bsoid_gpu.workflows.build import build
from bsoid_gpu.workflows.predict import predict_files
from bsoid_gpu.workflows.report import report_of_training

settings.register_profile("without deadline", deadline=None)
settings.register_profile("fewer", deadline=None, max_examples=20)
settings.load_profile("without deadline")


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=3, help="number of times that a build and a prediction are killed")
    parser.addoption("--require-gpu", action="store_true", help="fail instead of skipping the tests that need a GPU")


@pytest.fixture(autouse=True)
def _fresh_logger():
    """Undo the logging set up by the commands of the last test."""
    logger.handlers, logger.propagate = [], True
    logger.setLevel(logging.NOTSET)


DEFAULT_RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of real recordings, which are not part of this project."""
    folder = Path(os.environ.get("BSOID_GPU_TEST_DATA", DEFAULT_RECORDINGS))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set BSOID_GPU_TEST_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def _reported(tmp_path_factory) -> Path:
    """A folder with two sessions in ``in``, a run of them in ``run``, and the labels of a third one in ``labels``."""
    folder = tmp_path_factory.mktemp("reported")
    (folder / "in").mkdir()
    poses = [simulate_session(f"mouse{i}", 1800, 30.0, np.random.default_rng(i))[0] for i in range(3)]
    for pose in poses[:2]:
        (folder / "in" / f"{pose.name}.csv").write_bytes(deeplabcut_csv(pose))
    few = replace(QUICK, clusters=replace(QUICK.clusters, smallest=0.03, largest=0.05))
    build(folder / "in", 30, folder / "run", settings=few, backend="cpu")
    report_of_training(folder / "run", folder / "in", 30, backend="cpu")
    predict_files(folder / "run", poses[2], 30, folder / "labels", backend="cpu")
    return folder


@pytest.fixture
def reported(_reported, tmp_path) -> Path:
    """A copy of a small run with its labels and page, to change: ``in``, ``run`` and ``labels``."""
    return Path(shutil.copytree(_reported, tmp_path / "reported"))


@pytest.fixture(scope="session")
def golden(recordings: Path) -> Path:
    """Folder of the original program's results on these recordings."""
    folder = recordings.parent / "golden"
    if not folder.is_dir():
        pytest.skip(f"no results of the original program at {folder}")
    return folder


@pytest.fixture(scope="session")
def cpu() -> CpuBackend:
    return CpuBackend()


@pytest.fixture(scope="session")
def cuda(request):
    """The CUDA backend on a real device."""
    try:
        return get_backend("cuda")
    except BackendUnavailable as error:
        (pytest.fail if request.config.getoption("--require-gpu") else pytest.skip)(f"no GPU: {error}")


@pytest.fixture
def stop_in(monkeypatch):
    """Interrupts a stage after so many checkpoints, one per step; returns the growing list of its checkpoints."""

    def stop(stage, number):
        save, written = checkpoint.Checkpoint.save, []

        def save_and_stop(self, gather):
            save(self, gather)
            if stage in str(self._file):
                written.append(1)
                if len(written) == number:
                    raise KeyboardInterrupt

        monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
        monkeypatch.setattr(checkpoint.Checkpoint, "save", save_and_stop)
        return written

    return stop


class NumpyArrays:
    """NumPy arrays on the host."""

    def asarray(self, values):
        return np.asarray(values)

    def to_host(self, values):
        assert isinstance(values, np.ndarray | np.generic | float)  # NumPy returns numbers as the latter two
        return values


class StrictArrays:
    """Only the array API standard, on a device that refuses every conversion to NumPy."""

    def __init__(self):
        if np.__version__ < "2":
            pytest.skip("array_api_strict needs NumPy 2")
        self.xp = pytest.importorskip("array_api_strict", "2.3")
        self.device = self.xp.Device("device1")

    def asarray(self, values):
        return self.xp.asarray(np.asarray(values), device=self.device)

    def to_host(self, values):
        assert values.device == self.device
        return np.asarray(values.to_device(self.xp.Device("CPU_DEVICE")))


@pytest.fixture(params=[NumpyArrays, StrictArrays], ids=["numpy", "strict-device"])
def arrays(request):
    return request.param()
