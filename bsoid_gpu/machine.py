"""The machine and the versions that a result was computed with, for manifests."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
import threading
from importlib import metadata
from pathlib import Path
from typing import Any

from bsoid_gpu._version import __version__

CLEAR_MARK = Path("/proc/self/clear_refs")  # 5 written there resets the high-water mark of the process's memory
SAMPLE_S = 0.5  # a sample goes through all processes of the machine
_measuring: list[PeakMemory] = []


@functools.cache
def versions() -> dict[str, str]:
    """Versions of the program and of the libraries that its results depend on."""
    names = ("numpy", "scipy", "scikit-learn", "numba", "umap-learn", "fast-hdbscan", "pyarrow")
    installed = {"bsoid_gpu": __version__, "python": platform.python_version()}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            installed[name] = metadata.version(name)
    return installed


def cores() -> int:
    """Cores that this process may use: of the machine, the job or the container, or ``NUMBA_NUM_THREADS``."""
    import joblib

    return int(os.environ.get("NUMBA_NUM_THREADS") or joblib.cpu_count())


def free_memory() -> int:
    """Bytes that this process may still take: of the machine, or of the limit that Slurm or a container sets."""
    import psutil

    free = psutil.virtual_memory().available
    for folder in _cgroups():
        with contextlib.suppress(OSError, ValueError):  # no such limit: the file is missing or says "max"
            limit, used = (int((folder / name).read_text()) for name in ("memory.max", "memory.current"))
            free = min(free, limit - used)
    return max(free, 0)


class PeakMemory:
    """The most memory that this process and its children hold while the block runs: ``megabytes``.

    Linux keeps the high-water mark of a process, which is reset here; it includes short peaks that a sample misses.
    The memory of the children is sampled; on other systems that of this process too.
    """

    def __init__(self) -> None:
        self._peak = 0
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample_until_ended, daemon=True)

    def __enter__(self) -> PeakMemory:
        for other in tuple(_measuring):  # else the mark of a block around this one is lost
            other._sample()
        _measuring.append(self)
        self._has_mark = False
        with contextlib.suppress(OSError):
            CLEAR_MARK.write_text("5")
            self._has_mark = True
        self._sample()
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._sample()
        _measuring.remove(self)
        self._ended.set()
        self._sampler.join()

    @property
    def megabytes(self) -> float:
        """The peak so far; of the whole block when it has ended."""
        if not self._ended.is_set():
            self._sample()
        return round(self._peak / 1e6, 1)

    def _sample_until_ended(self) -> None:
        while not self._ended.wait(SAMPLE_S):
            self._sample()

    def _sample(self) -> None:
        import psutil

        own = psutil.Process()
        others = 0
        with contextlib.suppress(psutil.Error):
            for child in own.children(recursive=True):
                with contextlib.suppress(psutil.Error):  # it has just ended
                    others += child.memory_info().rss
        self._peak = max(self._peak, self._mark(), own.memory_info().rss + others)

    def _mark(self) -> int:
        """High-water mark of this process in bytes; 0 where the system keeps none."""
        if not self._has_mark:
            return 0
        match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return int(match[1]) * 1024 if match else 0


def _cgroups() -> list[Path]:
    """Folders of this process's control group and of its parents."""
    try:
        own = Path("/proc/self/cgroup").read_text().rsplit("::", 1)[1].strip()
    except (OSError, IndexError):
        return []
    lowest = Path("/sys/fs/cgroup", own.lstrip("/"))
    return [lowest, *lowest.parents][: len(lowest.parts) - 3]


def machine() -> dict[str, Any]:
    """Describe the machine, for the manifest."""
    import psutil

    return {
        "host": platform.node(),
        "system": platform.platform(),
        "cores": cores(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }
