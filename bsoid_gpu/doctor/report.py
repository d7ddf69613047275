"""Report on the backends that work on this machine, and why others do not."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import tempfile
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu._version import __version__
from bsoid_gpu.backends import cuda_probe, try_cuda
from bsoid_gpu.backends.cuda_diagnosis import Diagnosis
from bsoid_gpu.log import logger
from bsoid_gpu.machine import cores

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend

CPU_LIBRARIES = {
    "array_api_compat": "array-api-compat",
    "fast_hdbscan": "fast-hdbscan",
    "filelock": "filelock",
    "h5py": "h5py",
    "joblib": "joblib",
    "numba": "numba",
    "numpy": "numpy",
    "pandas": "pandas",
    "psutil": "psutil",
    "pyarrow": "pyarrow",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "threadpoolctl": "threadpoolctl",
    "tqdm": "tqdm",
}


def diagnose_cpu() -> Diagnosis:
    """Import every library of the CPU backend, and check that numba can write its cache."""
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
        findings.append(f"NUMBA_CACHE_DIR {cache!r} is not writable: numba compiles at every start")
        remedies.append("export NUMBA_CACHE_DIR=$TMPDIR/numba")
    if usable:
        findings.insert(0, f"all {len(CPU_LIBRARIES)} libraries import")
    return Diagnosis("cpu", usable, tuple(findings), tuple(remedies))


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def examine(*, check: bool = True) -> dict[str, Any]:
    """Machine, diagnosis of each backend, and self-check, for JSON.

    Parameters
    ----------
    check
        Run a small job on both backends if CUDA works, which takes about a minute.
    """
    import psutil

    memory = psutil.virtual_memory()
    survey = cuda_probe.survey()
    cpu = diagnose_cpu()
    cuda, diagnosis = try_cuda(survey)
    results = _self_check(cuda) if check and cuda is not None and cpu.usable else None
    return {
        "bsoid_gpu": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": cores(),
        "memory_gb": round(memory.total / 1e9, 1),
        "memory_free_gb": round(memory.available / 1e9, 1),
        "temporary_folder": tempfile.gettempdir(),
        "temporary_free_gb": round(shutil.disk_usage(tempfile.gettempdir()).free / 1e9, 1),
        "survey": survey.to_dict(),
        "backends": [asdict(cpu), asdict(diagnosis)],
        "self_check": results,
    }


def _self_check(cuda: Backend) -> list[dict[str, Any]]:
    from bsoid_gpu.backends.cpu import CpuBackend
    from bsoid_gpu.doctor import selfcheck

    logger.info("self-check: a small job on both backends, about a minute; --no-check skips it")
    level = logger.level
    logger.setLevel(logging.WARNING)  # without the messages of the job
    try:
        return [asdict(result) for result in selfcheck.check(CpuBackend(), cuda)]
    finally:
        logger.setLevel(level)


def works(examined: dict[str, Any], backend: str) -> bool:
    """Whether a backend is usable and, if the self-check was run, agrees with the other one."""
    usable = {item["backend"]: item["usable"] for item in examined["backends"]}
    agree = all(result["passed"] for result in examined["self_check"] or ())
    return bool(usable[backend] and (agree or backend == "cpu"))


def report(examined: dict[str, Any]) -> str:
    """The examination as text."""
    lines = [
        f"bsoid_gpu {examined['bsoid_gpu']}, Python {examined['python']}, {examined['system']}",
        f"{examined['cores']} cores, {examined['memory_free_gb']} of {examined['memory_gb']} GB memory free, "
        f"{examined['temporary_free_gb']} GB free in {examined['temporary_folder']}",
    ]
    for backend in examined["backends"]:
        lines.append(f"{backend['backend']}: {'works' if backend['usable'] else 'does not work'}")
        lines += [f"  {finding}" for finding in backend["findings"]]
        lines += [f"  try: {remedy}" for remedy in backend["remedies"]]
    if examined["self_check"] is not None:
        failed = [result["name"] for result in examined["self_check"] if not result["passed"]]
        lines.append(f"self-check of cuda against cpu: {'failed' if failed else 'passed'}")
        for result in examined["self_check"]:
            lines.append(f"  {'passed' if result['passed'] else 'FAILED'}  {result['name']}: {result['text']}")
        if failed:
            lines.append(
                "  do not trust cuda on this machine: type --backend cpu, and report the output of doctor --json"
            )
    return "\n".join(lines)
