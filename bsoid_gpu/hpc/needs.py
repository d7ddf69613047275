"""How much memory and time jobs on sessions take, from the sizes of the files: rough, and rather too much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Needs:
    """What to ask a cluster for; ``predict_minutes`` is for all files, one after the other."""

    build_gb: int
    build_minutes: int
    predict_gb: int
    predict_minutes: float


def needs(files: Sequence[Path]) -> Needs:
    """Estimate for files that are there."""
    megabytes = [file.stat().st_size / 1e6 for file in files] or [0.0]
    total, largest = sum(megabytes), max(megabytes)
    return Needs(
        build_gb=math.ceil(4 + (4 * total + 10 * largest) / 1000),
        build_minutes=math.ceil(min(30 + total / 10, 24 * 60)),
        predict_gb=math.ceil(4 + 10 * largest / 1000),
        predict_minutes=sum(5 + 0.4 * size for size in megabytes) / 60,
    )
