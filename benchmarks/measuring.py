"""What all benchmarks need: seconds of functions and of stages, and a report that names machine and versions."""

import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from bsoid_gpu.machine import machine, versions

T = TypeVar("T")


def timed(function: Callable[..., T], *arguments: Any, repeats: int = 1, **keywords: Any) -> tuple[T, float]:
    """Last result, and median of the seconds."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = function(*arguments, **keywords)
        seconds.append(time.perf_counter() - started)
    return result, round(statistics.median(seconds), 3)


def seconds_by_kind(stages: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Seconds of each kind of stage in the manifest of a run: those of the features of all recordings are added up."""
    seconds: dict[str, float] = {}
    for name, stage in stages.items():
        kind = name.split()[0]
        seconds[kind] = seconds.get(kind, 0.0) + stage["seconds"]
    return seconds


def circumstances(*libraries: str) -> dict[str, Any]:
    """Machine, without its name, and versions: of the program, of what it depends on, and of more libraries."""
    about = machine() | {"system": f"{platform.system()} {platform.machine()}"}
    del about["host"]
    return {"machine": about, "versions": versions() | {name: metadata.version(name) for name in libraries}}


def write(report: Mapping[str, Any], result: Path) -> None:
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(report, indent=1) + "\n")
