"""Logging: what the program says while it works, to stderr and to the run folder."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from pathlib import Path
from typing import TypeVar

logger = logging.getLogger("bsoid_gpu")
T = TypeVar("T")
SHOWN_S = 0.2  # a terminal gets a new line of progress no more often than this
QUIET_S = 30.0  # a batch log gets a line of progress no more often than this


def to_stderr(level: int = logging.INFO) -> None:
    """Show the messages on stderr; warnings say that they are."""
    handler = logging.StreamHandler(sys.stderr)
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


class _Captures(logging.Filter):
    """Keeps the messages of threads that capture them, and lets those of other threads pass.

    A Dask worker may run several jobs at a time, so that the logger's own state is changed for all of them together:
    by the first that begins, and back by the last that ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_thread: dict[int, list[logging.LogRecord]] = {}
        self.lock = threading.Lock()
        self.level = logging.NOTSET

    def filter(self, record: logging.LogRecord) -> bool:
        records = self.by_thread.get(threading.get_ident())
        if records is None:
            return True
        record.msg, record.args = record.getMessage(), None
        records.append(record)
        return False


_captures = _Captures()
logger.addFilter(_captures)


@contextlib.contextmanager
def captured() -> Iterator[list[logging.LogRecord]]:
    """Keep the messages of this thread instead of showing them; they can be sent to another process."""
    records: list[logging.LogRecord] = []
    thread = threading.get_ident()
    with _captures.lock:
        if not _captures.by_thread:
            _captures.level = logger.level
            logger.setLevel(logging.INFO)
        _captures.by_thread[thread] = records
    try:
        yield records
    finally:
        with _captures.lock:
            del _captures.by_thread[thread]
            if not _captures.by_thread:
                logger.setLevel(_captures.level)


class _File(logging.FileHandler):
    """Does without what it cannot write: where the disk is full, the results tell of it, and stderr has it all."""

    def handleError(self, record: logging.LogRecord) -> None:
        """A message that cannot be written is left out."""

    def close(self) -> None:
        """A rest that cannot be written is left out too."""
        with contextlib.suppress(OSError):
            super().close()


class _Formatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        if record.levelno >= logging.WARNING:
            record.message = f"{record.levelname}: {record.message}"
        return super().formatMessage(record)


def progress(items: Iterable[T], what: str, total: int = 0) -> Iterator[T]:
    """Go through items, telling how far, how fast and how long still: on a terminal a line that changes, in a batch
    log one every 30 s. ``total`` is the number of items where they have no length.
    """  # noqa: D205
    total = len(items) if isinstance(items, Sized) else total
    terminal = sys.stderr.isatty()
    started = told = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and total > 1 and now - told > (SHOWN_S if terminal else QUIET_S):
            rate = done / (now - started)
            speed = f"{rate:.3g} a second" if rate >= 1 else f"{60 * rate:.3g} a minute"
            text = f"{what}: {done} of {total}, {speed}, {seconds_text((total - done) / rate)} left"
            if terminal:
                sys.stderr.write(f"\r{text}\x1b[K")
                sys.stderr.flush()
            else:
                logger.info(text)
            told = now
        yield item
    if terminal and told != started:
        sys.stderr.write("\r\x1b[K")


def progress_callback(what: str) -> Callable[[int, int], None]:
    """Report progress by (done, total)."""
    return lambda done, total: None


def seconds_text(seconds: float) -> str:
    """Write a duration for people: ``0.4 s``, ``75 s``, ``12 min``, ``3.1 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
