"""How much memory and time to ask a cluster for: what is planned, and as much again to spare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bsoid_gpu.io.outline import outline
from bsoid_gpu.settings.schema import Settings
from bsoid_gpu.workflows import cost
from bsoid_gpu.workflows.recording import BYTES_PER_BYTE

SPARE = 2.0  # times what is planned
SLOW = cost.Speed(0.5, 0.5)  # of a node's core, shared and unknown
START_S = 10.0  # of a file's labelling: its share of the start, and its tables
LABEL_S = 0.05  # for each MB


class Needs(NamedTuple):
    """What to ask for."""

    gigabytes: int
    minutes: float


def to_build(files: Sequence[Path], settings: Settings, cores: int) -> Needs:
    """To learn from files, as fast as the CPU does it; ``settings`` tell the frame rate."""
    size = cost.size([outline(file) for file in files], settings)
    steps = cost.on_cpu(size, settings, cores, SLOW)
    return Needs(
        math.ceil(SPARE * max(step.memory_mb for step in steps) / 1000),
        SPARE * sum(step.seconds for step in steps) / 60,
    )


def to_label(files: Sequence[Path]) -> Needs:
    """To label files one after the other."""
    megabytes = [file.stat().st_size / 1e6 for file in files]
    memory = SPARE * (cost.BASE_MB + BYTES_PER_BYTE * max(megabytes))
    return Needs(math.ceil(memory / 1000), SPARE * sum(START_S + LABEL_S * size for size in megabytes) / 60)
