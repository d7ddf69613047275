import os
import subprocess
import sys

import numpy as np
import psutil
import pytest

from bsoid_gpu import machine

MB = 2**20


def test_the_peak_of_a_block_is_its_own():
    with machine.PeakMemory() as first:
        held = np.ones(200 * MB, dtype=np.uint8)
        del held
    resting = psutil.Process().memory_info().rss / 1e6
    with machine.PeakMemory() as second:
        pass
    assert first.megabytes > second.megabytes + 100
    assert abs(second.megabytes - resting) < 100


def test_a_nested_block_leaves_the_peak_of_the_outer_one():
    with machine.PeakMemory() as outer:
        held = np.ones(200 * MB, dtype=np.uint8)
        del held
        with machine.PeakMemory() as inner:
            pass
    assert outer.megabytes > inner.megabytes + 100


def test_child_processes_count():
    code = "held = b'x' * (300 * 2**20); print(flush=True); input()"
    with (
        machine.PeakMemory() as memory,
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child,
    ):
        child.stdout.readline()
        with_child = memory.megabytes
        child.communicate(b"\n")
    assert with_child > psutil.Process().memory_info().rss / 1e6 + 250


def test_without_a_mark_of_the_system_samples_are_taken(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "CLEAR_MARK", tmp_path / "missing" / "file")
    with machine.PeakMemory() as memory:
        pass
    assert memory.megabytes > 10


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot keep a process on a core")
def test_the_cores_are_those_that_this_process_may_use():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
        "from bsoid_gpu import machine; print(machine.cores())"
    )

    def cores(threads):
        environment = {key: value for key, value in os.environ.items() if key != "NUMBA_NUM_THREADS"} | threads
        return subprocess.check_output([sys.executable, "-c", code], env=environment)

    assert int(cores({})) == 1
    assert int(cores({"NUMBA_NUM_THREADS": "3"})) == 3
