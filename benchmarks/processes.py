"""Time and memory of a command of bsoid-gpu in a separate process, on Linux."""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time

import psutil

SAMPLING_S = 0.5


def timed(*arguments: object) -> tuple[float, float]:
    """Seconds, and peak memory in MB, of a command with all its processes.

    Memory is the sum over the processes with shared pages counted once (PSS), sampled twice a second, or the peak of
    one process (RSS), whichever is larger.
    """
    command = [sys.executable, "-m", "bsoid_gpu", *map(str, arguments)]
    with tempfile.TemporaryFile() as messages:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=messages)
        ended, sampled = threading.Event(), [0.0]

        def sample() -> None:
            while not ended.wait(SAMPLING_S):
                sampled.append(memory_mb(process.pid))

        sampler = threading.Thread(target=sample)
        sampler.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)  # waited for here, which `process` cannot know
        ended.set()
        sampler.join()
        if status:
            messages.seek(0)
            sys.exit(f"failed: {' '.join(command)}\n{messages.read().decode()}")
    return seconds, max(usage.ru_maxrss * 1.024 / 1e3, *sampled)


def memory_mb(pid: int) -> float:
    """MB of a process and its descendants."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total / 1e6
