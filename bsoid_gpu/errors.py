"""The errors a user can meet; each carries the exit code of the command line.

0 done, 1 a bug, 2 usage (click's own), 3 backend unavailable, 4 bad input, 5 out of memory, 6 stopped by a signal.
"""

from __future__ import annotations

from collections.abc import Iterable


class BsoidError(Exception):
    """Anything that is told to the user in words instead of a traceback."""

    exit_code = 1


class BackendUnavailable(BsoidError):
    """The asked-for backend cannot run on this machine."""

    exit_code = 3


class BadInput(BsoidError):
    """Recordings, settings, or folders that cannot be used as they are."""

    exit_code = 4


class OutOfMemory(BsoidError):
    """A stage does not fit in memory."""

    exit_code = 5


class Stopped(BsoidError):
    """A batch system ended the job; the same command goes on where it stopped."""

    exit_code = 6


def raise_all(problems: Iterable[str], heading: str = "") -> None:
    """Raise one :class:`BadInput` that tells every problem, or return when there is none."""
    found = list(problems)
    if not found:
        return
    if len(found) == 1 and not heading:
        raise BadInput(found[0])
    lines = [heading or f"{len(found)} problems with the input:", *(f"  - {problem}" for problem in found)]
    raise BadInput("\n".join(lines))
