"""What reports of measurements name: machine, versions, and the seconds of the stages of a run."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from bsoid_gpu.machine import machine, versions

STAGES = ("build", "features", "embedding", "clusters", "classifier", "labels", "predict")


def text_of(seconds: Mapping[str, float]) -> str:
    """Seconds of a build and a prediction, and of their stages, as text."""
    return ", ".join(f"{stage} {seconds[stage]:.1f} s" for stage in STAGES if stage in seconds)


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
