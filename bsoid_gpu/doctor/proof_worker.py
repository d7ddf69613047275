"""Builds and predictions in a process of their own, with one allocator of device memory: cold, warm, without a seed.

Allocators are chosen once a process; the first build compiles kernels and fills pools.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import bsoid_gpu
from bsoid_gpu.backends import get_backend
from bsoid_gpu.backends.cuda import POOL, CudaBackend
from bsoid_gpu.doctor.measuring import seconds_by_kind
from bsoid_gpu.files import digest, write_json
from bsoid_gpu.io.sessions import find_sessions
from bsoid_gpu.settings import toml

CUPY, RMM, RMM_POOL = "cupy", "rmm", "rmm-pool"
ALLOCATORS = {
    CUPY: "CuPy's pool, the default",
    RMM: "RMM without a pool: each array is a call of the driver",
    RMM_POOL: f"RMM's pool, {POOL}=1",
}
SEEDED = ("cold", "warm")
RUNS = {**dict.fromkeys(SEEDED), "no seed": "none"}  # by name: the seed, None for that of the settings


def choose(allocator: str, backend: str) -> None:
    """Choose the allocator of this process before its first array."""
    os.environ[POOL] = "1" if allocator == RMM_POOL else ""
    chosen = get_backend(backend)
    if allocator == RMM and isinstance(chosen, CudaBackend):
        chosen.cupy.cuda.set_allocator(chosen.library("rmm.allocators.cupy").rmm_cupy_allocator)


def timed(sessions: list[Path], settings: Any, backend: str, seed: str | None) -> dict[str, Any]:
    """Seconds of the stages of a build and of the prediction of its first session, and the digest of the model."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        started = time.perf_counter()
        run = bsoid_gpu.build(sessions, out=folder, settings=settings, backend=backend, seed=seed)
        built = time.perf_counter()
        bsoid_gpu.predict(run.model, sessions[0], backend=backend)
        seconds = {"build": built - started, "predict": time.perf_counter() - built}
        seconds |= seconds_by_kind(json.loads((folder / "manifest.json").read_text())["stages"])
    rounded = {name: round(number, 3) for name, number in seconds.items()}
    return {"seconds": rounded, "model": digest(run.model.to_bytes())}


def main(arguments: list[str] | None = None) -> None:
    """Run the jobs and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("folder", "settings", "backend", "allocator", "result"):
        parser.add_argument(name)
    asked = parser.parse_args(arguments)
    choose(asked.allocator, asked.backend)
    sessions, settings = find_sessions([asked.folder]), toml.load(asked.settings)
    runs = {name: timed(sessions, settings, asked.backend, seed) for name, seed in RUNS.items()}
    write_json(Path(asked.result), runs)


if __name__ == "__main__":
    main()
