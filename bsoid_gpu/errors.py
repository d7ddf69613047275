"""Errors that users can meet, each with its exit code of the command line.

0 done, 1 a bug, 2 usage (by click), 3 backend unavailable, 4 bad input, 5 out of memory, 6 stopped by a signal,
130 interrupted by Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Iterable


class BsoidError(Exception):
    """An error that the command line reports as a message, without a traceback."""

    exit_code = 1


class BackendUnavailable(BsoidError):
    """The requested backend cannot run on this machine."""

    exit_code = 3


class BadInput(BsoidError):
    """Recordings, settings or folders that cannot be used."""

    exit_code = 4


class OutOfMemory(BsoidError):
    """A stage does not fit in memory."""

    exit_code = 5


class Stopped(BsoidError):
    """A signal ended the job; the same command resumes it."""

    exit_code = 6


def raise_all(problems: Iterable[str], heading: str = "") -> None:
    """Raise one :class:`BadInput` that lists all problems; return if there are none."""
    listed = list(problems)
    if not listed:
        return
    if len(listed) == 1 and not heading:
        raise BadInput(listed[0])
    lines = [heading or f"{len(listed)} problems with the input:", *(f"  - {problem}" for problem in listed)]
    raise BadInput("\n".join(lines))
