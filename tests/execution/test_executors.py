import logging
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from click.testing import CliRunner
from other_systems import LACKING, environment
from quick import QUICK, files

import bsoid_gpu
from bsoid_gpu import machine
from bsoid_gpu.backends import get_backend
from bsoid_gpu.cli.main import main
from bsoid_gpu.errors import BackendUnavailable, BadInput
from bsoid_gpu.execution import executors
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.synthetic.sessions import simulate

# the event loop of Dask closes its sockets when it is collected
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def square(item):
    """Of a module, so that it can be sent."""
    logging.getLogger("bsoid_gpu").info("item %d", item)
    return item * item, os.getpid()


def killed_once(path):
    """Kills the worker that it first runs on."""
    if not path.exists():
        path.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@pytest.mark.parametrize("scheduler", ["processes", "dask"])
def test_results_come_in_order_and_messages_are_logged_here(scheduler, monkeypatch, caplog):
    monkeypatch.setattr(executors, "cores", lambda: 2)
    caplog.set_level("INFO", "bsoid_gpu")
    results = list(Executor(scheduler).run_each(square, range(8), get_backend("cpu"), 1))
    assert [value for value, _ in results] == [i * i for i in range(8)]
    assert os.getpid() not in {process for _, process in results}
    assert [r.message for r in caplog.records if r.message.startswith("item")] == [f"item {i}" for i in range(8)]


class OnDevice:
    """A backend that is not the CPU's, with memory for so many jobs of one byte at a time."""

    name = "cuda"

    def __init__(self, jobs):
        self.free_bytes = lambda: 2 * jobs


@pytest.mark.parametrize("jobs", [1, 2, 100])
def test_on_a_device_jobs_share_the_process_and_results_come_in_order(jobs, monkeypatch, caplog):
    monkeypatch.setattr(executors, "cores", lambda: 8)
    caplog.set_level("INFO", "bsoid_gpu")
    running, most, lock = [0], [0], threading.Lock()

    def job(item):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= 1
        return square(item)

    results = list(Executor().run_each(job, range(12), OnDevice(jobs), 1))
    assert results == [(i * i, os.getpid()) for i in range(12)]
    assert [r.message for r in caplog.records if r.message.startswith("item")] == [f"item {i}" for i in range(12)]
    assert most[0] <= min(jobs, executors.MOST_THREADS)


def test_an_error_in_a_thread_ends_the_others():
    seen = []

    def job(item):
        seen.append(item)
        if item == 1:
            msg = "broken"
            raise BadInput(msg)
        return item

    with pytest.raises(BadInput, match="broken"):
        list(Executor(workers=2).run_each(job, range(100), OnDevice(100), 1))
    assert len(seen) < 10


KILLED = """
import os, signal
from bsoid_gpu.execution import executors

def items():
    yield from range({})
    os.kill(os.getpid(), signal.SIGKILL)

list(executors._in_processes(2, abs, items()))
"""


@pytest.mark.parametrize("items", [2, 8], ids=["workers without a job yet", "workers between jobs"])
@pytest.mark.parametrize("system", ["Linux", *LACKING])
def test_a_command_that_is_killed_leaves_no_workers_behind(tmp_path, system, items):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(items)], env=environment(tmp_path, system), stderr=subprocess.PIPE
    )
    process.communicate(timeout=60)  # until nobody has its stderr open any more
    assert process.returncode == -signal.SIGKILL


def test_few_workers_where_memory_is_scarce(monkeypatch):
    monkeypatch.setattr(executors, "cores", lambda: 8)
    monkeypatch.setattr(executors, "free_memory", lambda: 1000)
    results = list(Executor().run_each(square, range(9), get_backend("cpu"), 600))
    assert {process for _, process in results} == {os.getpid()}
    assert machine.free_memory() > 0


def test_a_worker_that_is_lost_costs_only_its_item(tmp_path):
    items = [tmp_path / f"{i}" for i in range(3)]
    items[0].write_text("")
    items[2].write_text("")
    assert list(Executor("dask", 2).run_each(killed_once, items, get_backend("cpu"), 1)) == ["done"] * 3


@pytest.mark.slow
def test_the_same_bytes_by_any_scheduler(tmp_path):
    from distributed import LocalCluster

    sessions = simulate(tmp_path / "sessions", sessions=7, minutes=0.6, fps=30.0, seed=1)
    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address="127.0.0.1:0") as running:
        for name, executor in {
            "processes": Executor(),
            "dask": Executor("dask", 2),
            "address": Executor(running.scheduler_address),
        }.items():
            given = {"backend": "cpu", "executor": executor}
            bsoid_gpu.build(sessions, fps=30, out=tmp_path / name, settings=QUICK, **given)
            bsoid_gpu.predict(tmp_path / name, sessions, out=tmp_path / f"{name} labels", **given)
    for name in ("dask", "address"):
        assert files(tmp_path / name) == files(tmp_path / "processes")
        assert files(tmp_path / f"{name} labels", without=()) == files(tmp_path / "processes labels", without=())


def test_slurm_that_is_not_here_or_refuses(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendUnavailable, match="needs sbatch"):
        executors._check_jobs("")
    (tmp_path / "sbatch").write_text("#!/bin/sh\necho 'error: invalid partition' >&2\nexit 1\n")
    (tmp_path / "sbatch").chmod(0o755)
    with pytest.raises(BackendUnavailable, match=r"refuses the workers' jobs: error: invalid partition; correct"):
        executors._check_jobs("")


def test_another_scheduler_is_refused(tmp_path):
    with pytest.raises(BadInput, match="expected processes, dask, slurm, or the address"):
        Executor("sge")
    done = CliRunner().invoke(main, ["predict", "run", str(tmp_path), "--out", "labels", "--scheduler", "sge"])
    assert done.exit_code == 4


def test_a_scheduler_that_does_not_answer(monkeypatch):
    import distributed

    def refuses(address, timeout):
        raise TimeoutError(address)

    monkeypatch.setattr(distributed, "Client", refuses)
    with pytest.raises(BackendUnavailable, match=r"no Dask scheduler answers at tcp://nowhere:1"):
        list(Executor("tcp://nowhere:1").run_each(time.sleep, [0], get_backend("cpu"), 1))


def test_the_cuda_backend_is_sent_by_its_name():
    from bsoid_gpu.backends.cuda import CudaBackend

    assert CudaBackend.__reduce__(object.__new__(CudaBackend)) == (CudaBackend, ())
