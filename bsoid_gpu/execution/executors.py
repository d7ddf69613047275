"""Where jobs on many recordings run: in this process, in others of this machine, or on the nodes of a cluster.

A job is a function of a module and an item is its input, so that both can be sent to another process. Results come in
the order of the items, and what a job logs in another process is logged here.
"""

from __future__ import annotations

import logging
import os
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bsoid_gpu.errors import BackendUnavailable, BadInput, OutOfMemory
from bsoid_gpu.execution.signals import die_with_parent
from bsoid_gpu.log import captured, logger, show
from bsoid_gpu.machine import cores, free_memory

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend

I = TypeVar("I")  # noqa: E741 - item
R = TypeVar("R")
WORTH_WORKERS = 6  # items; a worker takes as long to start as the work on two recordings
MOST_THREADS = 4  # that share a device: reading keeps ahead of it
SCHEDULERS = ("processes", "dask", "slurm")
ADDRESSES = ("tcp://", "tls://", "ucx://", "ucxx://")
QUIET = "127.0.0.1:0"  # any free port: jobs share machines
NODES = 4  # jobs submitted to Slurm by default
LOST = (
    "a worker was killed repeatedly, most likely by the system for lack of memory: give more memory, or fewer workers, "
    "and run the same command again"
)


@dataclass(frozen=True)
class Executor:
    """Distributes jobs among workers.

    Parameters
    ----------
    scheduler
        ``"processes"`` of this machine, ``"dask"`` workers of this machine (one for each GPU on the cuda backend),
        ``"slurm"`` jobs that are Dask workers, or the address of a Dask scheduler that runs already.
    workers
        How many; 0 for as many as there are cores, GPUs or recordings.

    Raises
    ------
    BadInput
        Another scheduler.
    """

    scheduler: str = "processes"
    workers: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.workers, int) or self.workers < 0:
            msg = f"the number of workers is {self.workers!r}; expected a whole number from 0 (as many as fit)"
            raise BadInput(msg)
        if self.scheduler not in SCHEDULERS and not self.scheduler.startswith(ADDRESSES):
            msg = (
                f"the scheduler is {self.scheduler!r}; expected {', '.join(SCHEDULERS)}, or the address of a Dask "
                "scheduler such as tcp://node1:8786"
            )
            raise BadInput(msg)

    def run_each(
        self, job: Callable[[I], R], items: Sequence[I], backend: Backend, item_memory: int, *, heavy: bool = False
    ) -> Iterator[R]:
        """Results of a job on each item, in order.

        Parameters
        ----------
        job
            What to do with an item; a function of a module.
        items
            Inputs that pickle can serialise.
        backend
            Where the job computes; worker processes are for the CPU only.
        item_memory
            Bytes that a job needs: on this machine, no more jobs run at a time than fit in free memory.
        heavy
            Each job takes long and fills a device: two are enough for processes, and on a GPU they run one by one.

        On a GPU light jobs run in threads: files are read and parsed while the device computes.
        """
        if not items:
            return
        if self.scheduler != "processes":
            yield from _on_dask(self, job, items, backend, item_memory)
            return
        room = max(1, int(min(free_memory(), backend.free_bytes()) / 2 / max(item_memory, 1)))
        workers = min(self.workers or cores(), len(items), room)
        if backend.name != "cpu":
            yield from _in_threads(1 if heavy else min(workers, MOST_THREADS), job, items)
        elif workers < 2 or len(items) < (2 if heavy else WORTH_WORKERS):
            yield from map(job, items)
        else:
            yield from _in_processes(workers, job, items)


def _in_threads(workers: int, job: Callable[[I], R], items: Sequence[I]) -> Iterator[R]:
    """Run them in threads, not further ahead than there are workers: a result waits in memory."""
    if workers < 2:
        yield from map(job, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[tuple[R, list[logging.LogRecord]]]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(_captured, job, item))
                if len(waiting) == workers:
                    yield _shown(waiting.popleft().result())
            while waiting:
                yield _shown(waiting.popleft().result())
        finally:
            pool.shutdown(cancel_futures=True)


def _shown(outcome: tuple[R, list[logging.LogRecord]]) -> R:
    """The result of a job, after its messages are logged."""
    result, messages = outcome
    show(messages)
    return result


def _in_processes(workers: int, job: Callable[[I], R], items: Sequence[I]) -> Iterator[R]:
    """Run them by joblib, which gives each process its share of the cores."""
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    # a command that is killed leaves no workers behind, not even those that have no job yet
    pool = Parallel(workers, return_as="generator", initializer=die_with_parent, initargs=(os.getpid(),))
    try:
        for outcome in pool(delayed(_captured)(job, item) for item in items):
            yield _shown(outcome)
    except BrokenProcessPool as error:
        raise OutOfMemory(LOST) from error
    finally:  # else idle workers hold their memory for five minutes
        get_reusable_executor(reuse=True).shutdown(kill_workers=True)


def _on_dask(
    executor: Executor, job: Callable[[I], R], items: Sequence[I], backend: Backend, item_memory: int
) -> Iterator[R]:
    with _client(executor, len(items), backend, item_memory) as client:
        from distributed.scheduler import KilledWorker

        logger.info("Dask at %s: %d recordings", client.scheduler.address, len(items))
        waiting = client.map(_captured, [job] * len(items), items, pure=False)
        try:
            while waiting:  # Dask repeats the job of a lost worker on another one
                outcome = waiting[0].result()
                del waiting[0]  # so that its worker frees the result
                yield _shown(outcome)
        except KilledWorker as error:
            raise OutOfMemory(LOST) from error


@contextmanager
def _client(executor: Executor, items: int, backend: Backend, item_memory: int) -> Iterator[Any]:
    """A client of the executor's scheduler; a scheduler that starts here ends here."""
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        msg = f"the scheduler {executor.scheduler!r} needs Dask: pip install 'bsoid-gpu[cluster]'"
        raise BackendUnavailable(msg) from error
    if executor.scheduler.startswith(ADDRESSES):
        try:
            client = Client(executor.scheduler, timeout="30s")
        except (OSError, TimeoutError, ValueError) as error:
            msg = f"no Dask scheduler answers at {executor.scheduler}: correct it, or start one by `dask scheduler`"
            raise BackendUnavailable(msg) from error
        with client:
            yield client
        return
    if executor.scheduler == "slurm":
        cluster = _slurm_cluster(dask, backend, item_memory)
        _check_jobs(cluster.job_script())
        cluster.scale(jobs=executor.workers or min(items, NODES))
    elif backend.name == "cuda":
        cluster = _cuda_cluster(executor)
    else:
        workers = min(executor.workers or cores(), items)
        cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=QUIET)
    with cluster, Client(cluster) as client:
        yield client


def _slurm_cluster(dask: Any, backend: Backend, item_memory: int) -> Any:
    """One Dask worker a job; the user's Dask configuration (jobqueue.slurm) takes precedence."""
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        msg = "the scheduler 'slurm' needs dask-jobqueue: pip install 'bsoid-gpu[cluster]'"
        raise BackendUnavailable(msg) from error
    options: dict[str, Any] = {"cores": 1, "processes": 1, "memory": f"{2 + 2 * item_memory // 10**9}GB"}
    if backend.name == "cuda":
        options["job_extra_directives"] = ["--gres=gpu:1"]
    for name in options:
        options[name] = dask.config.get(f"jobqueue.slurm.{name.replace('_', '-')}", None) or options[name]
    return SLURMCluster(**options, scheduler_options={"dashboard_address": ":0"})


def _check_jobs(script: str) -> None:
    """Ask Slurm whether it would accept the jobs: where it does not, Dask only logs that and waits for ever."""
    try:
        done = subprocess.run(["sbatch", "--test-only"], input=script, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        msg = "the scheduler 'slurm' needs sbatch, which is not here: run this on a node of the cluster"
        raise BackendUnavailable(msg) from error
    if done.returncode:
        reason = " ".join(done.stderr.split())
        msg = f"Slurm refuses the workers' jobs: {reason}; correct jobqueue.slurm in ~/.config/dask/jobqueue.yaml"
        raise BackendUnavailable(msg)


def _cuda_cluster(executor: Executor) -> Any:
    """One Dask worker for each GPU of this machine."""
    try:
        from dask_cuda import LocalCUDACluster
    except ImportError as error:
        msg = "the scheduler 'dask' needs dask-cuda for GPUs: mamba install dask-cuda, from the channel of your RAPIDS"
        raise BackendUnavailable(msg) from error
    return LocalCUDACluster(n_workers=executor.workers or None, dashboard_address=QUIET)


def _captured(job: Callable[[I], R], item: I) -> tuple[R, list[logging.LogRecord]]:
    """A job's result and its messages."""
    with captured() as messages:
        return job(item), messages
