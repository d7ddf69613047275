"""A command of bsoid-gpu as a process of its own, timed."""

import os
import subprocess
import sys
import time


def timed(*arguments: object) -> tuple[float, float]:
    """Seconds, and peak memory in MB, of one process; worker processes do not count in the memory."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "bsoid_gpu", *map(str, arguments)], stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {arguments}")
    return time.perf_counter() - started, usage.ru_maxrss * 1.024 / 1e3
