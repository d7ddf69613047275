"""Memory and time to request from a cluster: twice the estimate of the plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bsoid_gpu.io import outline
from bsoid_gpu.settings.schema import Settings
from bsoid_gpu.workflows import cost
from bsoid_gpu.workflows.recording import BYTES_PER_BYTE

MARGIN = 2.0  # times the estimate
SLOW = cost.Speed(0.5, 0.5)  # an unknown, shared core of a node
FILE_S = 10.0  # to label any file: its share of the start, and its tables
MEGABYTE_S = 0.05  # to label each MB


class Needs(NamedTuple):
    """Memory and time to request."""

    gigabytes: int
    minutes: float


def build_needs(files: Sequence[Path], settings: Settings, cores: int) -> Needs:
    """To build a model on the CPU from files at the frame rate of the settings."""
    size = cost.size([outline(file) for file in files], settings)
    steps = cost.on_cpu(size, settings, cores, SLOW)
    return Needs(
        math.ceil(MARGIN * max(step.memory_mb for step in steps) / 1000),
        MARGIN * sum(step.seconds for step in steps) / 60,
    )


def label_needs(files: Sequence[Path]) -> Needs:
    """To label files, one after the other."""
    megabytes = [file.stat().st_size / 1e6 for file in files]
    memory = MARGIN * (cost.BASE_MB + BYTES_PER_BYTE * max(megabytes))
    return Needs(math.ceil(memory / 1000), MARGIN * sum(FILE_S + MEGABYTE_S * size for size in megabytes) / 60)
