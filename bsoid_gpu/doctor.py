"""What this machine can run, and why not."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from bsoid_gpu._version import __version__
from bsoid_gpu.backends import get_backend
from bsoid_gpu.errors import BackendUnavailable

CPU_LIBRARIES = {
    "array_api_compat": "array-api-compat",
    "fast_hdbscan": "fast-hdbscan",
    "hdbscan": "hdbscan",
    "numba": "numba",
    "numpy": "numpy",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "tables": "tables",
    "umap": "umap-learn",
}


@dataclass(frozen=True)
class Diagnosis:
    """Whether a backend works here; if not, why, and what to type."""

    backend: str
    usable: bool
    findings: tuple[str, ...]
    remedies: tuple[str, ...] = ()


def diagnose_cpu() -> Diagnosis:
    """Import every library of the CPU backend, and look for room for numba's compiled code."""
    findings, remedies = [], []
    usable = True
    for module, package in CPU_LIBRARIES.items():
        try:
            import_module(module)
        except ImportError as error:
            usable = False
            findings.append(f"{package} does not import: {error}")
            remedies.append(f"pip install --force-reinstall {package}")
    cache = os.environ.get("NUMBA_CACHE_DIR")
    if cache and not _writable(Path(cache)):
        findings.append(f"NUMBA_CACHE_DIR {cache!r} is not writable: numba compiles again at every start")
        remedies.append("export NUMBA_CACHE_DIR=$TMPDIR/numba")
    if usable:
        findings.insert(0, f"all {len(CPU_LIBRARIES)} libraries import")
    return Diagnosis("cpu", usable, tuple(findings), tuple(remedies))


def diagnose_cuda() -> Diagnosis:
    """Ask for the CUDA backend and keep the reason where it cannot run."""
    try:
        get_backend("cuda")
    except BackendUnavailable as error:
        return Diagnosis("cuda", False, (str(error),), ("bsoid-gpu build --backend cpu ...",))
    return Diagnosis("cuda", True, ())


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def examine() -> dict[str, Any]:
    """Machine, and the diagnosis of each backend, as JSON can write them."""
    import psutil

    memory = psutil.virtual_memory()
    return {
        "bsoid_gpu": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory.total / 1e9, 1),
        "memory_free_gb": round(memory.available / 1e9, 1),
        "temporary_folder": tempfile.gettempdir(),
        "temporary_free_gb": round(shutil.disk_usage(tempfile.gettempdir()).free / 1e9, 1),
        "backends": [asdict(diagnose_cpu()), asdict(diagnose_cuda())],
    }


def report(examined: dict[str, Any]) -> str:
    """The examination in lines for people."""
    lines = [
        f"bsoid_gpu {examined['bsoid_gpu']}, Python {examined['python']}, {examined['system']}",
        f"{examined['cores']} cores, {examined['memory_free_gb']} of {examined['memory_gb']} GB memory free, "
        f"{examined['temporary_free_gb']} GB free in {examined['temporary_folder']}",
    ]
    for backend in examined["backends"]:
        lines.append(f"{backend['backend']}: {'works' if backend['usable'] else 'does not work'}")
        lines += [f"  {finding}" for finding in backend["findings"]]
        lines += [f"  try: {remedy}" for remedy in backend["remedies"]]
    return "\n".join(lines)
