"""A command in a process of its own, watched by one that does nothing else.

Long steps run in compiled code that hears no signal. The watcher does: it passes SIGTERM and SIGUSR1 on, with which
batch systems end a job, and where the command has not ended a few seconds later, it ends it. Nothing is lost by that,
since files appear whole or not at all. A command that the system has killed is told in words too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from bsoid_gpu.errors import OutOfMemory, Stopped
from bsoid_gpu.log import logger

ASKED = (signal.SIGTERM, signal.SIGUSR1)
GRACE_S = 3.0  # for the command to end by itself
PR_SET_PDEATHSIG = 1  # of Linux's prctl
STOPPED = "stopped by {}; the same command goes on where it stopped"
KILLED = (
    "error: killed by the system ({}), most likely for want of memory: give the job more, see `build --dry-run`; the "
    "same command goes on where it stopped"
)


def run(command: Callable[[], Any]) -> NoReturn:
    """Run a command that ends the process, and end with its exit code; 6 where it was stopped."""
    watcher = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, ASKED)  # none comes before somebody can take it
    child = os.fork()
    asked: list[int] = []

    def pass_on(number: int, _: object) -> None:
        asked.append(number)
        _send(child, number)
        signal.signal(signal.SIGALRM, lambda *_: _send(child, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)

    for number in ASKED:
        signal.signal(number, pass_on if child else _stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKED)
    if child == 0:
        die_with_parent(watcher)
        command()
        sys.exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal gives it to the command as well
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        sys.exit(code)
    ended_by = signal.Signals(-code)
    if asked or ended_by in ASKED:
        if ended_by == signal.SIGKILL:  # the command could not say so
            _tell(STOPPED.format(signal.Signals(asked[0]).name))
        sys.exit(Stopped.exit_code)
    if ended_by == signal.SIGKILL:
        _tell(KILLED.format(ended_by.name))
        sys.exit(OutOfMemory.exit_code)
    _tell(f"error: ended by {ended_by.name}: this is a bug in bsoid_gpu or in a library")
    sys.exit(1)


def _send(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(process, number)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def die_with_parent(parent: int) -> None:
    """Let the system kill this process when its parent ends, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def _stop(number: int, _: object) -> NoReturn:
    """End at once, wherever the command is: there is nothing to clean up that the next start does not."""
    logger.warning(STOPPED.format(signal.Signals(number).name))
    os._exit(Stopped.exit_code)
