"""Where jobs on many recordings run: in this process, or in others side by side.

A job is a function of a module, so that it can be sent; results come in the order of the items, and what a job says
in its process is said here.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeVar

from bsoid_gpu.errors import OutOfMemory
from bsoid_gpu.log import logger
from bsoid_gpu.machine import cores, free_memory
from bsoid_gpu.supervise import die_with_parent

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend

I = TypeVar("I")  # noqa: E741 - item
R = TypeVar("R")
WORTH_WORKERS = 6  # items; a worker takes as long to start as the work on two recordings


def run_each(job: Callable[[I], R], items: Sequence[I], backend: Backend, item_memory: int) -> Iterator[R]:
    """Results of a job on each item, in order.

    Parameters
    ----------
    job
        What to do with an item; a function of a module.
    items
        Many on the CPU are shared among processes; those for a GPU stay in this one.
    backend
        Where the job computes.
    item_memory
        Bytes that a job needs: no more run at a time than fit in free memory.
    """
    workers = min(cores(), len(items), max(1, int(free_memory() / 2 / max(item_memory, 1))))
    if backend.name != "cpu" or workers < 2 or len(items) < WORTH_WORKERS:
        yield from map(job, items)
        return
    from joblib import Parallel, delayed

    try:
        for result, said in Parallel(workers, return_as="generator")(delayed(_heard)(job, item) for item in items):
            for record in said:
                logger.handle(record)
            yield result
    except BrokenProcessPool as error:
        msg = (
            "a worker process was killed, most likely by the system for want of memory: give more memory, or fewer "
            "workers with NUMBA_NUM_THREADS=1, and run the same command again"
        )
        raise OutOfMemory(msg) from error


def _heard(job: Callable[[I], R], item: I) -> tuple[R, list[logging.LogRecord]]:
    """A job's result and what it said, in a worker: joblib lets each use its share of the cores."""
    die_with_parent(os.getppid())  # a job that is killed leaves no workers behind
    listener = _Listener()
    logger.handlers, logger.propagate = [listener], False
    logger.setLevel(logging.INFO)
    return job(item), listener.said


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = record.getMessage(), None
        self.said.append(record)
