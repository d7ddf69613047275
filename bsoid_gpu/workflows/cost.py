"""Estimated cost of a build: upper bounds of memory and bins, and time from a few constants.

The constants were measured (``benchmarks/cost_against_size.py``) and are for one core of the reference machine;
:func:`speed` compares this machine with it. Each estimator estimates the cost of its fit.
"""

from __future__ import annotations

import math
import timeit
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bsoid_gpu import machine
from bsoid_gpu.backends import device_memory, get_backend
from bsoid_gpu.estimators import registry
from bsoid_gpu.estimators.base import Cost, JobSize
from bsoid_gpu.execution.executors import WORTH_WORKERS, Executor
from bsoid_gpu.io import Outline
from bsoid_gpu.io.sessions import sources
from bsoid_gpu.log import logger, seconds_text
from bsoid_gpu.method.columns import column_warnings, feature_columns
from bsoid_gpu.method.consensus import phases
from bsoid_gpu.method.embedding import check_bins
from bsoid_gpu.run_folder.store import Store
from bsoid_gpu.settings import schema
from bsoid_gpu.workflows.build import settled
from bsoid_gpu.workflows.extraction import extract_features

if TYPE_CHECKING:
    from bsoid_gpu.io.sessions import Sessions

LABELS = 30  # of a typical build
BASE_MB = 400.0  # the program and its libraries
WORKER_MB = 250.0  # the same in a worker process
PARSE_S, TABLE_S, WORKERS_START_S = 0.015, 2.4e-7, 1.5  # per MB of a file; per cell of a table; once
PAGE_START_S, PAGE_S = 1.0, 1.3e-4  # of the labels of all frames and their page; per bin
MOMENTS_S = 8e-8  # per value of a bin, with several time scales, beyond what the bins alone take


class Step(NamedTuple):
    """Cost of one stage; seconds are NaN if they were never measured."""

    name: str
    seconds: float
    memory_mb: float


class Speed(NamedTuple):
    """Speed of one core for matrix products and for other compiled code; 1 is the reference machine."""

    products: float = 1.0
    steps: float = 1.0


REFERENCE_S = Speed(0.0129, 0.0074)  # of the work in `speed` on one core of the reference machine


class Size(NamedTuple):
    """Size of a build; bins are an upper bound."""

    files: int
    megabytes: float
    largest_mb: float
    bins: int
    training_bins: int
    columns: int


def plan(
    sessions: Sessions,
    fps: float | str | None = None,
    *,
    settings: schema.Settings | None = None,
    backend: str = "auto",
    keypoints: Sequence[str] = (),
    individuals: Sequence[str] = (),
    executor: Executor | None = None,
) -> str:
    """The estimated cost of :func:`bsoid_gpu.build` as text; every file is read and checked as in the build.

    Parameters
    ----------
    sessions, fps, settings, backend, keypoints, individuals, executor
        As in :func:`bsoid_gpu.build`.

    Raises
    ------
    BadInput
        As in the build.
    BackendUnavailable
        The backend cannot run here.
    """
    settings = settled(settings or schema.Settings(), fps, None, keypoints, individuals)
    selected = get_backend(backend)
    parts = sources(sessions, settings.input.fps)
    extracted, digests = extract_features(
        parts, settings, selected, Store(None), executor or Executor(), check_only=True
    )
    outlines = [Outline(session.observed_frames, session.keypoints, 1, 0) for session in extracted]
    sizes = [part.size() / 1e6 for part in parts if part.name in digests]
    job = size(outlines, settings)._replace(files=len(sizes), megabytes=sum(sizes), largest_mb=max(sizes))
    for warning in column_warnings(extracted[0].keypoints, settings.features):
        logger.warning(warning)
    check_bins(job.training_bins, settings)
    on_host = selected.name == "cpu"
    steps = on_cpu(job, settings, machine.cores(), speed()) if on_host else on_cuda(job, settings)
    return report(steps, job)


def size(files: Sequence[Outline], settings: schema.Settings) -> Size:
    """Size of the build of these files."""
    bin_frames = (settings.input.fps or 1.0) * settings.features.bin_s
    bins = sum(int(file.frames / bin_frames) * file.individuals for file in files)
    keypoints = _keypoints(files, settings)
    sizes = [file.size / 1e6 for file in files]
    number = len(feature_columns(keypoints, settings.features))
    return Size(len(files), sum(sizes), max(sizes), bins, min(bins, settings.max_training_bins), number)


def _keypoints(files: Sequence[Outline], settings: schema.Settings) -> tuple[str, ...]:
    """Keypoints that are used: the requested ones, or all of the file with most."""
    return settings.input.keypoints or max((file.keypoints for file in files), key=len)


def _fits(job: Size, settings: schema.Settings) -> dict[str, tuple[Cost, int]]:
    """Cost of one fit of each estimator, and the number of its fits."""
    fit_size = JobSize(job.training_bins, job.columns, LABELS)
    fits = {section: (getattr(settings, section), 1) for section in ("embedding", "clusters")}
    fits["classifier"] = settings.classifier, 3 + settings.validation.folds
    return {
        section: (registry.of(schema.ROLES[section], method).cost(fit_size, method), number)
        for section, (method, number) in fits.items()
    }


def on_cpu(job: Size, settings: schema.Settings, cores: int, core: Speed = Speed()) -> list[Step]:  # noqa: B008
    """Seconds and peak memory of each stage on the CPU.

    Parameters
    ----------
    job
        Size of the build.
    settings
        All settings.
    cores
        Number of cores.
    core
        Speed of one core; see :func:`speed`.
    """
    workers = min(cores, job.files) if job.files >= WORTH_WORKERS else 1
    start_s = WORKERS_START_S if workers > 1 else 0.0
    cells = job.bins * job.columns
    moments_s = MOMENTS_S * cells if settings.features.scales_s else 0.0
    reading_s = (start_s + (PARSE_S * job.megabytes + moments_s) / workers) / core.steps
    table_mb = cells / max(job.files, 1) * 40 / 1e6
    reading_mb = BASE_MB + reading_memory_mb(job, workers) + workers * _moments_mb(job, settings)
    page_s = (PAGE_START_S + PAGE_S * job.bins / workers) / core.steps
    return [
        Step("features", reading_s, reading_mb),
        *(_fitting(section, cost, fits, job, cores, core) for section, (cost, fits) in _fits(job, settings).items()),
        *_other_models(job, settings, cores, core),
        Step("tables", (1.4 + TABLE_S * cells) / core.steps, BASE_MB + table_mb),
        Step("labels, page", reading_s + page_s, reading_mb),
    ]


def _other_models(job: Size, settings: schema.Settings, cores: int, core: Speed) -> list[Step]:
    """Cost of the models of other seeds, if there are any: as many in parallel as there are cores."""
    number = len(phases(settings)) - 1
    if not number:
        return []
    parallel = min(cores, number)
    steps = [
        _fitting(section, cost, 2 if section == "classifier" else 1, job, cores // parallel, core)
        for section, (cost, _) in _fits(job, settings).items()
    ]
    seconds = math.ceil(number / parallel) * sum(step.seconds for step in steps)
    return [Step("other models", seconds, BASE_MB + parallel * max(step.memory_mb for step in steps))]


def _fitting(name: str, cost: Cost, fits: int, job: Size, cores: int, core: Speed) -> Step:
    """Cost of the fits of one estimator, as many in parallel as there are cores."""
    parallel = min(cores, fits)
    fit_cores = cores / parallel  # for each fit
    compiled_s = (cost.serial_s + cost.parallel_s / fit_cores) / core.steps
    seconds = fits / parallel * (compiled_s + cost.product_s / fit_cores / core.products)
    return Step(name, seconds, BASE_MB + (8 * job.training_bins * job.columns + parallel * cost.host_bytes) / 1e6)


def reading_memory_mb(job: Size, workers: int) -> float:
    """Memory for reading in all workers together."""
    return workers * (4.0 * job.largest_mb + (WORKER_MB if workers > 1 else 0.0))


def _moments_mb(job: Size, settings: schema.Settings) -> float:
    """Memory for the windows of several time scales of the largest file, twice: of its chunks, and of all together."""
    if not settings.features.scales_s:
        return 0.0
    share = job.largest_mb / job.megabytes if job.megabytes else 1.0
    return 2 * 8 * job.bins * share * job.columns / 1e6


def on_cuda(job: Size, settings: schema.Settings) -> list[Step]:
    """Device memory of each stage on a GPU; time on a GPU has not been measured."""
    table_mb = device_memory.table(round(job.largest_mb * 1e6)) / 1e6
    reading = Step("features", math.nan, table_mb + _moments_mb(job, settings))
    steps = [Step(name, math.nan, cost.device_bytes / 1e6) for name, (cost, _) in _fits(job, settings).items()]
    if len(phases(settings)) > 1:  # one after another
        steps.append(Step("other models", math.nan, max(step.memory_mb for step in steps)))
    return [reading, *steps]


def speed() -> Speed:
    """Speed of one core of this machine: the fastest of some matrix products, and of some sorts."""
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
    """The estimate as a table."""
    lines = [
        f"{job.files} files, {job.megabytes:,.0f} MB, at most {job.bins:,} bins of {job.columns} columns"
        + (f"; a subsample of {job.training_bins:,} is embedded" if job.training_bins < job.bins else ""),
        f"{'stage':<12} {'time, about':>12}  {'memory, at most':>15}",
    ]
    for step in steps:
        seconds = "?" if math.isnan(step.seconds) else seconds_text(step.seconds)
        lines.append(f"{step.name:<12} {seconds:>12}  {step.memory_mb / 1e3:12.1f} GB")
    total = sum(step.seconds for step in steps)
    seconds = "not measured" if math.isnan(total) else seconds_text(total)
    lines.append(f"{'together':<12} {seconds:>12}  {max(step.memory_mb for step in steps) / 1e3:12.1f} GB")
    if math.isnan(total):
        lines.append("time on a GPU has not been measured; memory is that of the device")
    else:
        lines.append("the first build on a machine takes about a minute longer: it compiles")
    return "\n".join(lines)
