"""The steps of a proof: each on the other backend, from the input that the reference backend had."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.backends import device_memory
from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.backends.cuda import CudaBackend
from bsoid_gpu.doctor import comparisons
from bsoid_gpu.doctor.result import Result, information
from bsoid_gpu.estimators import hdbscan, hdbscan_membership, hdbscan_tree, registry, umap
from bsoid_gpu.estimators.base import CLASSIFIER, CLUSTERER, EMBEDDER, JobSize, Monitor
from bsoid_gpu.estimators.umap_cuda import repeats_well
from bsoid_gpu.files import digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.doctor.job import ReferenceJob
    from bsoid_gpu.doctor.proof_record import Record
    from bsoid_gpu.settings.schema import Settings

RUNS = 3  # of a layout with a seed


def features(job: ReferenceJob, other: Backend, record: Record) -> None:
    """Reading, upload and features; the files are read one after another."""
    largest = max(len(content.data) for content in job.recordings.contents)
    measured = record.computed("features", lambda: job.features_on(other), device_memory.table(largest))
    record.add(comparisons.features(job.features, measured))


def neighbours(job: ReferenceJob, other: Backend, record: Record) -> None:
    """The neighbours that both layouts get, against the exact ones."""
    number = umap.resolved(job.settings.embedding, job.bins).neighbours
    needed = device_memory.neighbours(job.bins, job.features.shape[1], number)
    measured = record.computed("neighbours", lambda: job.neighbours_on(other), needed)
    record.add(comparisons.recall(job.neighbours_on(CpuBackend()), measured))


def layout(job: ReferenceJob, other: Backend, record: Record, kind: str) -> None:
    """The embedding with a layout: three times with a seed, once without."""
    name = f"layout {kind}"
    seeded = with_layout(job.settings, kind)
    first = record.computed(name, lambda: job.embedded(other, seeded), _estimate(EMBEDDER, seeded.embedding, job))
    again = [job.embedded(other, seeded) for _ in range(RUNS - 1)]
    repeated = comparisons.same_bytes(f"{name}: repeated", [digest(points.tobytes()) for points in (first, *again)])
    reason = _not_the_default(kind, other)
    record.add(*_judged([repeated, *comparisons.embedding(job, first, seeded, other, f"{name}: ")], reason))
    unseeded = replace(seeded, embedding=replace(seeded.embedding, repeatable=False))
    name = f"{name}, no seed"
    free = record.computed(name, lambda: job.embedded(other, unseeded), _estimate(EMBEDDER, unseeded.embedding, job))
    record.add(*_judged(comparisons.embedding(job, free, unseeded, other, f"{name}: "), reason))


def with_layout(settings: Settings, kind: str) -> Settings:
    """Settings with that layout of UMAP."""
    return replace(settings, embedding=replace(settings.embedding, layout=kind))


def _not_the_default(kind: str, other: Backend) -> str:
    """Why the results of a layout have no verdict; empty if they have one."""
    if kind == "cuml" and isinstance(other, CudaBackend) and not repeats_well(other):
        return "cuML's layout is not the default before release 26.02"
    return ""


def _judged(results: list[Result], reason: str) -> list[Result]:
    return [comparisons.as_information(result, reason) for result in results] if reason else results


def tree(job: ReferenceJob, other: Backend, record: Record) -> None:
    """CuML's tree of the reference embedding, its clusters, and its memberships, against the exact ones."""
    chosen = replace(job.settings.clusters, tree="cuml")
    needed = _estimate(CLUSTERER, chosen, job)
    linkage = record.computed("tree of cuML", lambda: hdbscan.single_linkage(job.points, chosen, other), needed)
    exact = hdbscan_tree.single_linkage(job.points, chosen.min_samples)
    record.add(comparisons.heights(exact, linkage))
    size = int(job.clusters.sweep.query("chosen")["min_cluster_size"].iloc[0])
    reference, cut = (hdbscan_tree.cut(heights, size, chosen.selection) for heights in (exact, linkage))
    record.add(
        comparisons.clusters("tree of cuML: clusters", len(reference.selected), len(cut.selected)),
        comparisons.rand_index("tree of cuML: agreement", reference.labels, cut.labels, "clusters"),
    )
    monitor = _Warnings()
    vectors = record.computed(
        "memberships of cuML",
        lambda: hdbscan.membership_vectors(job.points, cut, size, chosen, other, monitor),
        needed,
    )
    record.add(_same_memberships(hdbscan_membership.membership_vectors(job.points, cut), vectors, monitor.texts))


def _same_memberships(reference: NDArray[np.float64], measured: NDArray[np.float64], warnings: list[str]) -> Result:
    name = "memberships of cuML: likeliest cluster"
    if warnings:
        return information(name, "; ".join(warnings))
    likeliest = (np.argmax(np.nan_to_num(vectors), axis=1) for vectors in (reference, measured))
    return comparisons.memberships(name, *likeliest)


class _Warnings(Monitor):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def warning(self, text: str) -> None:
        """Keep it."""
        self.texts.append(text)


def classifier(job: ReferenceJob, other: Backend, record: Record) -> None:
    """A classifier fitted on the other backend, and the labels of frames that it gives on both."""
    needed = _estimate(CLASSIFIER, job.settings.classifier, job)
    fitted, scores = record.computed("classifier", lambda: job.classified(other), needed)
    record.add(comparisons.accuracy(job.scores["held_out_random"], scores["held_out_random"]))
    there = record.computed("labels of frames", lambda: job.recordings.labels(fitted, other))
    here = job.recordings.labels(fitted, CpuBackend())
    record.add(comparisons.equal_labels("labels of frames: equal", here, there, "frames with one model"))


def _estimate(role: str, chosen: Any, job: ReferenceJob) -> float:
    """Bytes of device memory, as ``--dry-run`` estimates them."""
    size = JobSize(job.bins, job.features.shape[1], job.clusters.membership.shape[1])
    return registry.of(role, chosen).cost(size, chosen).device_bytes
