"""Logging: messages and progress, on stderr and in the run folder."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

logger = logging.getLogger("bsoid_gpu")
T = TypeVar("T")
SHORT_S = 0.2  # a job shorter than this gets no progress bar on a terminal
QUIET_S = 30.0  # without a terminal, a line of progress is logged no more often than this
LINE = "{desc}: {n_fmt} of {total_fmt}, {rate_fmt}, {remaining} left"


def to_stderr(level: int = logging.INFO) -> None:
    """Show the messages on stderr; warnings are marked as such."""
    handler = _Stderr(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False


def to_file(path: Path) -> logging.Handler:
    """Append the messages to a file too, until :func:`logging.Logger.removeHandler`."""
    handler = _File(path, encoding="utf-8")
    handler.setFormatter(_Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    logger.addHandler(handler)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    return handler


_captured: ContextVar[list[logging.LogRecord] | None] = ContextVar("_captured", default=None)


class _Captures(logging.Filter):
    """Keeps the messages of threads that capture them, and lets those of other threads pass.

    A Dask worker may run several jobs at a time. Each thread has its own context and so its own list of messages, but
    the level of the logger is common to all: the first capture lowers it, and the last one to end restores it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.count = 0
        self.level_before = self.effective_before = self.lowered = logging.NOTSET

    def filter(self, record: logging.LogRecord) -> bool:
        records = _captured.get()
        if records is None:
            return record.levelno >= self.effective_before  # as if no other thread had lowered the level
        record.msg, record.args = record.getMessage(), None  # arguments may be of types that cannot be sent
        records.append(record)
        return False

    def begin(self) -> None:
        with self.lock:
            self.count += 1
            if self.count == 1:
                self.level_before, self.effective_before = logger.level, logger.getEffectiveLevel()
                self.lowered = min(self.effective_before, logging.INFO)
                logger.setLevel(self.lowered)

    def end(self) -> None:
        with self.lock:
            self.count -= 1
            if self.count == 0:
                self.effective_before = logging.NOTSET
                if logger.level == self.lowered:  # else somebody has set it meanwhile
                    logger.setLevel(self.level_before)


_captures = _Captures()
logger.addFilter(_captures)


@contextlib.contextmanager
def captured() -> Iterator[list[logging.LogRecord]]:
    """Keep the messages of this thread instead of showing them; they can be sent to another process.

    The list holds what was logged in the block; :func:`show` logs it elsewhere. Progress is not shown meanwhile.
    """
    records: list[logging.LogRecord] = []
    _captures.begin()
    token = _captured.set(records)
    try:
        yield records
    finally:
        _captured.reset(token)
        _captures.end()


def show(records: Iterable[logging.LogRecord]) -> None:
    """Log messages that were captured, as if they were logged here."""
    for record in records:
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)


@contextlib.contextmanager
def collected() -> Iterator[list[str]]:
    """Warnings that are logged in the block, for a manifest; they are shown as well."""
    handler = _Collector(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield handler.messages
    finally:
        logger.removeHandler(handler)


class _Collector(logging.Handler):
    """Keeps the messages, each once."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if (message := record.getMessage()) not in self.messages:
            self.messages.append(message)


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg] # no generic class in Python 3.10
    """Writes above the progress bars of a terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        # without a terminal, progress is logged: it must not wait here for the lock of progress
        if "tqdm" in sys.modules and _on_terminal():
            with _meters()[0].external_write_mode(self.stream):
                super().emit(record)
        else:
            super().emit(record)


class _File(logging.FileHandler):
    """Leaves out what it cannot write: a full disk is reported by the results, and stderr has every message."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Leave out a message that cannot be written."""

    def close(self) -> None:
        """Leave out a remainder that cannot be written."""
        with contextlib.suppress(OSError):
            super().close()


class _Formatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        if record.levelno >= logging.WARNING:
            record.message = f"{record.levelname}: {record.message}"
        return super().formatMessage(record)


def progress(items: Iterable[T], what: str, total: int = 0) -> Iterator[T]:
    """Go through items and show the progress: done, total, rate and time left.

    On a terminal this is a bar. Elsewhere, as in the log of a batch job, a line is logged every 30 s, and none for a
    shorter job.

    Parameters
    ----------
    items
        What to go through.
    what
        What the items are, for people.
    total
        Number of items where they have no length.
    """
    with _meter(what, len(items) if isinstance(items, Sized) else total) as meter:
        for item in items:
            yield item
            meter.update()


def progress_callback(what: str) -> Callable[[int, int], None]:
    """Give a function ``report(done, total)`` that shows progress as :func:`progress` does.

    It is for code that knows nothing of logging. Work that was done before the first call does not count in the rate.
    Calls may come from several threads.
    """
    lock = threading.Lock()
    meter: Any = None

    def report(done: int, total: int) -> None:
        nonlocal meter
        with lock:
            if meter is None:
                meter = _meter(what, total, done)
            meter.update(max(done - meter.n, 0))  # another thread may have reported more already
            if done >= total:
                meter.close()
                meter = None

    return report


def _meter(what: str, total: int, done: int = 0) -> Any:
    bar, line = _meters()
    hidden = total < 2 or _captured.get() is not None
    shared = {"desc": what, "total": total, "initial": done, "disable": hidden, "leave": False, "miniters": 1}
    if _on_terminal():
        return bar(**shared, delay=SHORT_S, dynamic_ncols=True)
    return line(**shared, delay=QUIET_S, mininterval=QUIET_S, bar_format=LINE, file=io.StringIO())


@functools.cache
def _meters() -> tuple[Any, Any]:
    """A progress bar, and its form without a terminal; tqdm is imported where it is first needed."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        monitor_interval = 0  # tqdm's thread is for loops that do not look at the clock in every step

    class Line(tqdm):  # type: ignore[misc]
        monitor_interval = 0

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            if msg is None:  # else tqdm clears a bar
                logger.info(" ".join(str(self).split()))  # tqdm pads the rate

    # tqdm's own lock is for bars of several processes, and holds a semaphore of the system
    Bar.set_lock(threading.RLock())
    Line.set_lock(threading.RLock())
    return Bar, Line


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()  # a program without a console has none on Windows


def seconds_text(seconds: float) -> str:
    """Write a duration for people: ``0.4 s``, ``75 s``, ``12 min``, ``3.1 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
