"""What a build will cost: time and memory of each stage, known before it begins.

The terms follow the work of each stage; their constants were fitted to measured jobs (``benchmarks/scale.py``) and are
given for one core of that machine. :func:`speed` compares this one with it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bsoid_gpu import embed, engines
from bsoid_gpu.backends import device_memory
from bsoid_gpu.log import seconds_text

if TYPE_CHECKING:
    from bsoid_gpu.config import Settings
    from bsoid_gpu.io.outline import Outline

REFERENCE_S = 0.040  # that the work in `speed` took on one core of the reference machine
LABELS = 30  # as many as a job finds, about
BASE_MB = 400.0  # the program and its libraries


class Step(NamedTuple):
    """Cost of one stage; seconds are NaN where nothing was ever measured."""

    name: str
    seconds: float
    memory_mb: float


class Size(NamedTuple):
    """What the cost follows from."""

    files: int
    megabytes: float
    largest_mb: float
    bins: int
    training_bins: int
    columns: int


def size(files: Sequence[Outline], settings: Settings) -> Size:
    """Size of the job on these files."""
    bin_frames = (settings.input.fps or 1.0) * settings.features.bin_s
    bins = sum(int(file.frames / bin_frames) * file.individuals for file in files)
    keypoints = len(settings.input.keypoints) or max(len(file.keypoints) for file in files)
    sizes = [file.size / 1e6 for file in files]
    columns = 2 * math.comb(keypoints, 2) + keypoints
    return Size(len(files), sum(sizes), max(sizes), bins, min(bins, settings.max_training_bins), columns)


def on_cpu(job: Size, settings: Settings, cores: int, relative_speed: float = 1.0) -> list[Step]:
    """Seconds and peak memory of each stage on the CPU.

    Parameters
    ----------
    job
        Size of the job.
    settings
        All settings.
    cores
        Cores that work at the same time.
    relative_speed
        Of this machine; see :func:`speed`.
    """
    n, d = job.training_bins, job.columns
    method = embed.resolved(settings.embedding, n)
    k, epochs = method.neighbours, method.epochs
    workers = min(cores, job.files) if job.files >= engines.WORTH_WORKERS else 1
    fits = 3 + settings.classifier.folds
    layers = (d, *settings.classifier.hidden, LABELS)
    weights = sum(inputs * units for inputs, units in pairwise(layers))
    features = 0.0125 * job.megabytes / workers + (1.5 if workers > 1 else 0.0)
    neighbours = n * n * (0.7e-9 + 0.045e-9 * d)
    graph = n * k * 0.25e-6
    layout = n * epochs * ((2 + method.negative_samples) * math.log2(max(k, 2)) * 2.9e-8 + k / 8 * 4e-9)
    tree = n * math.log2(max(n, 2)) * 2.75e-6 + 0.75
    classifier = n * fits * settings.classifier.max_epochs * weights * 0.84e-10
    tables = job.bins * d * 1.2e-7
    steps = [
        Step("features", features, BASE_MB + reading_memory(job, workers)),
        Step("embedding", (neighbours + graph + layout) / cores + 1.5, BASE_MB + n * (k * 37 + d * 24) / 1e6),
        Step("clusters", tree, BASE_MB + n * 900 / 1e6),
        Step("classifier", classifier / min(cores, fits) + 1.3, BASE_MB + n * d * 8 * (1 + 3 * min(cores, fits)) / 1e6),
        Step("tables", tables + 1.0, BASE_MB + job.bins / max(job.files, 1) * (d + 10) * 40 / 1e6),
    ]
    return [step._replace(seconds=step.seconds / relative_speed) for step in steps]


def reading_memory(job: Size, workers: int) -> float:
    """MB that reading takes in all workers together."""
    return workers * (4.0 * job.largest_mb + (250.0 if workers > 1 else 0.0))


def on_cuda(job: Size, settings: Settings) -> list[Step]:
    """Device memory of each stage on a GPU; no time there has been measured."""
    n = job.training_bins
    method = embed.resolved(settings.embedding, n)
    needed = {
        "features": device_memory.table(round(job.largest_mb * 1e6)),
        "embedding": device_memory.umap(n, job.columns, method.neighbours, method.dimensions),
        "clusters": device_memory.hdbscan(n, method.dimensions, settings.clusters.min_samples),
        "classifier": 4 * 8 * n * job.columns,
    }
    return [Step(name, math.nan, memory / 1e6) for name, memory in needed.items()]


def speed() -> float:
    """How fast one core of this machine is, 1 for the reference: the best of some matrix products and sorts."""
    from threadpoolctl import threadpool_limits

    numbers = np.random.default_rng(0).random((512, 512), dtype=np.float32)
    taken = []
    with threadpool_limits(1, "blas"):
        for _ in range(5):
            started = time.perf_counter()
            for _ in range(4):
                numbers @ numbers
                np.sort(numbers, axis=None)
            taken.append(time.perf_counter() - started)
    return REFERENCE_S / min(taken)


def report(steps: Sequence[Step], job: Size) -> str:
    """The plan in lines for people."""
    lines = [
        f"{job.files} files, {job.megabytes:,.0f} MB, about {job.bins:,} bins of {job.columns} columns"
        + (f"; {job.training_bins:,} of them are learnt from" if job.training_bins < job.bins else ""),
        f"{'stage':<12} {'time':>8}  {'peak memory':>11}",
    ]
    for step in steps:
        seconds = "?" if math.isnan(step.seconds) else seconds_text(step.seconds)
        lines.append(f"{step.name:<12} {seconds:>8}  {step.memory_mb / 1e3:8.1f} GB")
    total = sum(step.seconds for step in steps)
    seconds = "not measured on a GPU" if math.isnan(total) else seconds_text(total)
    lines.append(f"{'together':<12} {seconds:>8}  {max(step.memory_mb for step in steps) / 1e3:8.1f} GB")
    return "\n".join(lines)
