"""What all benchmarks need: seconds of functions and of stages, and a report that names machine and versions."""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from bsoid_gpu.doctor.measuring import circumstances, seconds_by_kind

__all__ = ["circumstances", "seconds_by_kind", "timed", "write"]

T = TypeVar("T")


def timed(function: Callable[..., T], *arguments: Any, repeats: int = 1, **keywords: Any) -> tuple[T, float]:
    """Last result, and median of the seconds."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = function(*arguments, **keywords)
        seconds.append(time.perf_counter() - started)
    return result, round(statistics.median(seconds), 3)


def write(report: Mapping[str, Any], result: Path) -> None:
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(report, indent=1) + "\n")
