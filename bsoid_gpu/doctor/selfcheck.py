"""The same small job on two backends, and how well they agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.doctor import comparisons, sessions
from bsoid_gpu.doctor.job import Recordings, ReferenceJob, run
from bsoid_gpu.doctor.result import Result, failed
from bsoid_gpu.estimators.umap import UmapSettings
from bsoid_gpu.settings.schema import Input, Settings, Validation

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend

# Many neighbours and few epochs, where a layout has to be good. With the default settings of so small a job, the seeded
# layout of cuML before 26.02, which applies the forces of a whole epoch at once, is as good as another seed. With these
# (emulated with 9 seeds) its trustworthiness is 0.9644 to 0.9685; that of 20 layouts of the CPU and of 9 of cuML 26.10
# is 0.9707 to 0.9742. It has 17 to 20 clusters, in two cases 28; the others have 28 to 36, in one case 19.
SETTINGS = Settings(
    input=Input(fps=sessions.FPS),
    embedding=UmapSettings(neighbours=400, epochs=200),
    validation=Validation(folds=0),
)
BINS = 3_000


def check(reference: Backend, other: Backend) -> list[Result]:
    """Run a small job on the reference backend, which is known to be correct, and compare the other one with it."""
    return compare(run(recordings(), reference), other)


def recordings(bins: int = BINS, settings: Settings = SETTINGS) -> Recordings:
    """A simulated session of so many bins of 100 ms."""
    return Recordings(sessions.simulated(bins), settings)


def compare(job: ReferenceJob, other: Backend) -> list[Result]:
    """Each step of a job on another backend, from the input that the reference had.

    An error is a failed step, and the next steps still run.
    """
    steps: dict[str, Callable[[ReferenceJob, Backend], list[Result]]] = {
        "features": _features,
        "neighbours": _neighbours,
        "embedding": _embedding,
        "labels": _labels,
    }
    results = []
    for name, step in steps.items():
        try:
            results += step(job, other)
        except Exception as error:  # noqa: BLE001 - the libraries below raise anything
            results.append(failed(name, error))
    return results


def _features(job: ReferenceJob, other: Backend) -> list[Result]:
    return [comparisons.features(job.features, job.features_on(other))]


def _neighbours(job: ReferenceJob, other: Backend) -> list[Result]:
    return [comparisons.recall(job.neighbours_on(CpuBackend()), job.neighbours_on(other))]


def _embedding(job: ReferenceJob, other: Backend) -> list[Result]:
    return comparisons.embedding(job, job.embedded(other, job.settings), job.settings, other)


def _labels(job: ReferenceJob, other: Backend) -> list[Result]:
    labels = job.recordings.labels(job.classifier, other)
    return [comparisons.equal_labels("labels", job.labels, labels, "frames with one model")]
