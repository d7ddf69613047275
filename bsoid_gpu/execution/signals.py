"""A command in a process of its own, supervised by one that does nothing else.

Long steps run in compiled code, during which Python handles no signal. The supervisor does: it passes SIGTERM and
SIGUSR1 on, with which batch systems end a job, and kills the command where it has not ended a few seconds later.
Nothing is lost by that, since files appear whole or not at all. The supervisor also reports a command that the system
killed.

Windows cannot fork, so that the command runs in this process there: a signal during compiled code takes effect when
that code returns, and nothing is reported where the system kills the command. Outside Linux, a process whose parent was
killed ends by a thread of its own, and so not during compiled code that holds the interpreter.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from bsoid_gpu.errors import OutOfMemory, Stopped
from bsoid_gpu.log import logger

# SIGBREAK is Windows' signal of a console that closes
ASKED = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGBREAK") if hasattr(signal, name))
GRACE_S = 3.0  # for the command to end by itself
LOOK_S = 1.0  # how often a process looks for its parent, where the system does not end it
PR_SET_PDEATHSIG = 1  # of Linux's prctl
RESUME = "run the same command again to resume"
STOPPED = f"stopped by {{}}; {RESUME}"
KILLED = (
    "error: killed by the system ({}), most likely for lack of memory: give the job more, see `build --dry-run`; "
    f"{RESUME}"
)


def run(command: Callable[[], Any]) -> NoReturn:
    """Run a command that ends the process, and end with its exit code; 6 where it was stopped."""
    if hasattr(os, "fork"):
        _run_supervised(command)
    for number in ASKED:
        signal.signal(number, _stop)
    command()
    sys.exit(0)


def _run_supervised(command: Callable[[], Any]) -> NoReturn:
    supervisor = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, ASKED)  # until there are handlers for them
    child = os.fork()
    received: list[int] = []

    def pass_on(number: int, _: object) -> None:
        received.append(number)
        _send(child, number)
        signal.signal(signal.SIGALRM, lambda *_: _send(child, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)

    for number in ASKED:
        signal.signal(number, pass_on if child else _stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKED)
    if child == 0:
        die_with_parent(supervisor)
        command()
        sys.exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the command as well
    _, status = os.waitpid(child, 0)
    _exit_as(os.waitstatus_to_exitcode(status), received)


def _exit_as(code: int, received: list[int]) -> NoReturn:
    """End as the command did: ``code`` is its exit code, or a signal's number below 0."""
    if code >= 0:
        sys.exit(code)
    ended_by = signal.Signals(-code)
    if received or ended_by in ASKED:
        if ended_by == signal.SIGKILL:  # the command could not say so
            _write(STOPPED.format(signal.Signals(received[0]).name))
        sys.exit(Stopped.exit_code)
    if ended_by == signal.SIGKILL:
        _write(KILLED.format(ended_by.name))
        sys.exit(OutOfMemory.exit_code)
    _write(f"error: ended by {ended_by.name}: this is a bug in bsoid_gpu or in a library")
    sys.exit(1)


def _send(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(process, number)


def _write(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _stop(number: int, _: object) -> NoReturn:
    """End at once, wherever the command is: the next start cleans up whatever needs it."""
    logger.warning(STOPPED.format(signal.Signals(number).name))
    os._exit(Stopped.exit_code)


def die_with_parent(parent: int) -> None:
    """End this process when its parent ends, however that ends: by the system on Linux, elsewhere by a thread."""
    prctl = _prctl()
    if prctl is None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
        return
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def _prctl() -> Any:
    with contextlib.suppress(AttributeError, TypeError):  # macOS lacks the function, Windows the library of None
        return ctypes.CDLL(None).prctl
    return None


def _end_after(parent: int) -> None:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):  # it has ended already
        process = psutil.Process(parent)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(LOOK_S)
    os._exit(1)
