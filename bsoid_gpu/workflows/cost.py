"""What a build will cost: time and memory of each stage, known before it begins.

The terms follow the work of each stage; their constants were fitted to measured jobs (``benchmarks/scale.py``) and are
given for one core of that machine, the reference. :func:`speed` compares this one with it.
"""

from __future__ import annotations

import math
import timeit
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bsoid_gpu.backends import device_memory
from bsoid_gpu.execution import executors
from bsoid_gpu.kernels import umap_layout
from bsoid_gpu.log import seconds_text
from bsoid_gpu.method import embedding

if TYPE_CHECKING:
    from bsoid_gpu.io import Outline
    from bsoid_gpu.settings.schema import Settings

LABELS = 30  # as many as a job finds, about
BASE_MB = 400.0  # the program and its libraries


class Step(NamedTuple):
    """Cost of one stage; seconds are NaN where nothing was ever measured."""

    name: str
    seconds: float
    memory_mb: float


class Speed(NamedTuple):
    """How fast one core is, 1 for the reference: at matrix products, and at compiled code that goes step by step."""

    products: float = 1.0
    steps: float = 1.0


REFERENCE_S = Speed(0.0129, 0.0074)  # that the work in `speed` took on one core of the reference machine


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


def on_cpu(job: Size, settings: Settings, cores: int, core: Speed = Speed()) -> list[Step]:  # noqa: B008
    """Seconds and peak memory of each stage on the CPU.

    Parameters
    ----------
    job
        Size of the job.
    settings
        All settings.
    cores
        Cores that work at the same time.
    core
        Speed of each; see :func:`speed`.
    """
    n, d = job.training_bins, job.columns
    method = embedding.resolved(settings.embedding, n)
    k, epochs = method.neighbours, method.epochs
    workers = min(cores, job.files) if job.files >= executors.WORTH_WORKERS else 1
    fits = 3 + settings.classifier.folds
    layers = (d, *settings.classifier.hidden, LABELS)
    weights = sum(inputs * units for inputs, units in pairwise(layers))

    def seconds(alone: float, shared: float = 0.0, products: float = 0.0, by: int = cores) -> float:
        """Of work by one core, and of steps and products that several share."""
        return (alone + shared / by) / core.steps + products / by / core.products

    neighbours = n * (n * 6.4e-10 + k * 1.3e-7)
    graph = n * k * 2.6e-7
    firings = math.log2(max(k, 2))  # of the edges of a point, in an epoch
    layout = n * epochs * (firings * ((2 + method.negative_samples) * 1.6e-8 + 4.2e-8) + k * 5e-10)
    turns = epochs * umap_layout.STEPS * 6e-5  # the beginning of each step
    fitting = n * fits * settings.classifier.max_epochs * weights * 0.9e-10
    of_workers = 1.5 if workers > 1 else 0.0
    at_once = min(cores, fits)
    return [
        Step(
            "features",
            seconds(of_workers, 0.015 * job.megabytes, by=workers),
            BASE_MB + reading_memory(job, workers),
        ),
        Step(
            "embedding",
            seconds(1.0 + turns + n * 3e-5, neighbours + graph + layout, n * n * (d + 1) * 3e-11),
            BASE_MB + n * (k * 27 + d * 24) / 1e6,
        ),
        Step("clusters", seconds(1.4 + n * math.log2(max(n, 2)) * 3.7e-6), BASE_MB + n * 900 / 1e6),
        Step(
            "classifier",
            seconds(1.3, products=fitting, by=at_once),
            BASE_MB + n * d * 8 * (1 + 3 * at_once) / 1e6,
        ),
        Step(
            "tables",
            seconds(1.4 + job.bins * d * 2.4e-7),
            BASE_MB + job.bins / max(job.files, 1) * (d + 10) * 40 / 1e6,
        ),
    ]


def reading_memory(job: Size, workers: int) -> float:
    """MB that reading takes in all workers together."""
    return workers * (4.0 * job.largest_mb + (250.0 if workers > 1 else 0.0))


def on_cuda(job: Size, settings: Settings) -> list[Step]:
    """Device memory of each stage on a GPU; no time there has been measured."""
    n = job.training_bins
    method = embedding.resolved(settings.embedding, n)
    needed = {
        "features": device_memory.table(round(job.largest_mb * 1e6)),
        "embedding": device_memory.umap(n, job.columns, method.neighbours, method.dimensions),
        "clusters": device_memory.hdbscan(n, method.dimensions, settings.clusters.min_samples),
        "classifier": 4 * 8 * n * job.columns,
    }
    return [Step(name, math.nan, memory / 1e6) for name, memory in needed.items()]


def speed() -> Speed:
    """How fast one core of this machine is: the best of some matrix products, and of some sorts."""
    from threadpoolctl import threadpool_limits

    random = np.random.default_rng(0)
    matrix, numbers = random.random((512, 512), dtype=np.float32), random.random(2**16)

    def multiply() -> None:
        for _ in range(4):
            matrix @ matrix

    def sort() -> None:
        np.argsort(numbers, kind="stable")  # of float64: by merging, on every processor

    with threadpool_limits(1, "blas"):
        products, steps = (min(timeit.repeat(work, number=1, repeat=20)) for work in (multiply, sort))
    return Speed(REFERENCE_S.products / products, REFERENCE_S.steps / steps)


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
    if not math.isnan(total):
        lines.append("the first build on a machine takes about a minute longer: it compiles")
    return "\n".join(lines)
