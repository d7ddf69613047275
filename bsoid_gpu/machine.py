"""The machine and the versions that a result was computed with, for manifests."""

from __future__ import annotations

import contextlib
import os
import platform
from importlib import metadata
from typing import Any

from bsoid_gpu._version import __version__


def versions() -> dict[str, str]:
    """Versions of the program and of the libraries that its results depend on."""
    names = ("numpy", "scipy", "scikit-learn", "numba", "umap-learn", "hdbscan", "fast-hdbscan", "pyarrow")
    found = {"bsoid_gpu": __version__, "python": platform.python_version()}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def cores() -> int:
    """Cores that this process may use: those that the system or Slurm gives it, or ``NUMBA_NUM_THREADS``."""
    return int(os.environ.get("NUMBA_NUM_THREADS") or len(os.sched_getaffinity(0)))


def machine() -> dict[str, Any]:
    """Describe the machine, for the manifest."""
    import psutil

    return {
        "host": platform.node(),
        "system": platform.platform(),
        "cores": cores(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }
