"""The machine and the versions that a result was computed with, for manifests."""

from __future__ import annotations

import contextlib
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from bsoid_gpu._version import __version__


def versions() -> dict[str, str]:
    """Versions of the program and of the libraries that its results depend on."""
    names = ("numpy", "scipy", "scikit-learn", "numba", "umap-learn", "fast-hdbscan", "pyarrow")
    found = {"bsoid_gpu": __version__, "python": platform.python_version()}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def cores() -> int:
    """Cores that this process may use: those that the system or Slurm gives it, or ``NUMBA_NUM_THREADS``."""
    return int(os.environ.get("NUMBA_NUM_THREADS") or len(os.sched_getaffinity(0)))


def free_memory() -> int:
    """Bytes that this process may still take: of the machine, or of the limit that Slurm or a container sets."""
    import psutil

    free = psutil.virtual_memory().available
    for folder in _cgroups():
        with contextlib.suppress(OSError, ValueError):  # no such limit: the file is missing or says "max"
            limit, used = (int((folder / name).read_text()) for name in ("memory.max", "memory.current"))
            free = min(free, limit - used)
    return max(free, 0)


def _cgroups() -> list[Path]:
    """Folders of this process's control group and of those that it is in."""
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
