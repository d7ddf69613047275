"""A job as small as can be, on the reference backend."""

from dataclasses import replace

import pytest
from quick import TINY

from bsoid_gpu.doctor.job import Recordings, run
from bsoid_gpu.doctor.sessions import FPS, simulated
from bsoid_gpu.settings.schema import Input


@pytest.fixture(scope="session")
def tiny():
    """Settings with the frame rate of the simulated sessions."""
    return replace(TINY, input=Input(fps=FPS))


@pytest.fixture(scope="session")
def job(tiny, cpu):
    """400 bins."""
    return run(Recordings(simulated(400), tiny), cpu)
