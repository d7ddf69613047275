"""Logging: what the program says while it works, to stderr and to the run folder."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sized
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


def seconds_text(seconds: float) -> str:
    """Write a duration for people: ``0.4 s``, ``75 s``, ``12 min``, ``3.1 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def peak_memory_mb() -> float:
    """Largest memory that this process has held so far, in MB."""
    import resource

    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3 * 1.024, 1)
