"""Comparisons of a step on two backends, each a :class:`Result`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.doctor import tolerances
from bsoid_gpu.doctor.judge import agreement, trustworthiness
from bsoid_gpu.doctor.result import Result, at_least, at_most, information
from bsoid_gpu.method import clustering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.doctor.job import ReferenceJob
    from bsoid_gpu.settings.schema import Settings


def features(reference: NDArray[np.float64], measured: NDArray[np.float64]) -> Result:
    """Largest difference, relative to the value or to the mean absolute value of its column, whichever is larger.

    A turn near 0 is a small difference of large numbers and has fewer correct digits.
    """
    size = np.maximum(np.abs(reference), np.mean(np.abs(reference), axis=0))
    largest, bound = float(np.max(np.abs(measured - reference) / size)), tolerances.FEATURES.value
    return at_most(
        "features: difference", largest, bound, f"largest relative difference {largest:.1e}, at most {bound:.0e}"
    )


def recall(reference: NDArray[np.int32], measured: NDArray[np.int32]) -> Result:
    """Share of the neighbours of the reference that are neighbours here; the order does not matter."""
    both = np.sort(np.concatenate([reference, measured], axis=1), axis=1)
    share, bound = float(np.sum(both[:, 1:] == both[:, :-1]) / reference.size), tolerances.RECALL.value
    return at_least("neighbours: recall", share, bound, f"{share:.6%} of the neighbours are the same")


def embedding(
    job: ReferenceJob, points: NDArray[np.float32], settings: Settings, backend: Backend, prefix: str = ""
) -> list[Result]:
    """Trustworthiness of an embedding, and its clusters on that backend, against those of the reference.

    A seed in twenty gives a few large clusters in place of many, on the CPU too. Where a comparison fails, another seed
    is tried, and the one whose clusters agree better counts.
    """
    results = _embedding(job, points, backend, prefix)
    if all(result.passed for result in results):
        return results
    again = job.embedded(backend, replace(settings, seed=settings.seed + 1))
    second = _embedding(job, again, backend, prefix, "; another seed, since the first one failed")
    return max(results, second, key=lambda tried: tried[-1].measured or 0.0)


def _embedding(
    job: ReferenceJob, points: NDArray[np.float32], backend: Backend, prefix: str, addition: str = ""
) -> list[Result]:
    measured, reference = trustworthiness(job.scaled, points), job.trustworthiness
    bound = round(reference - tolerances.TRUSTWORTHINESS.value, 4)
    text = f"trustworthiness {measured:.4f}, at least {bound:.4f} ({reference:.4f} on the reference backend)"
    clustered = clustering.cluster(points, job.settings.features.bin_s, job.settings, backend)
    results = (
        at_least(f"{prefix}embedding", measured, bound, text),
        clusters(f"{prefix}clusters", job.clusters.membership.shape[1], clustered.membership.shape[1]),
        same_clusters(f"{prefix}agreement", job.clusters.hard, clustered.hard),
    )
    return [replace(result, text=result.text + addition) for result in results]


def clusters(name: str, reference: int, measured: int) -> Result:
    """Difference of the numbers of clusters."""
    bound = max(tolerances.CLUSTERS.value, tolerances.CLUSTER_SHARE.value * reference)
    text = f"{measured} clusters, {reference} on the reference backend, at most {bound:g} more or less"
    return at_most(name, abs(measured - reference), bound, text)


def same_clusters(name: str, reference: NDArray[np.int64], measured: NDArray[np.int64]) -> Result:
    """Normalised mutual information of the clusters."""
    index, bound = agreement(reference, measured), tolerances.agreement(len(reference)).value
    noise = f"{np.mean(measured < 0):.1%} noise, {np.mean(reference < 0):.1%} on the reference backend"
    return at_least(name, index, bound, f"normalised mutual information {index:.4f}, at least {bound} ({noise})")


def rand_index(name: str, reference: NDArray[np.int64], measured: NDArray[np.int64], what: str) -> Result:
    """Adjusted Rand index of two labellings of the same points."""
    from sklearn.metrics import adjusted_rand_score

    index, bound = float(adjusted_rand_score(reference, measured)), tolerances.RAND_INDEX.value
    return at_least(name, index, bound, f"adjusted Rand index of the {what} {index:.4f}, at least {bound}")


def heights(exact: NDArray[np.float64], measured: NDArray[np.float64]) -> Result:
    """Quantiles of the difference of two trees' heights, relative to the height or to the median one if larger.

    Heights near 0 have no correct digits in single precision: cuML's squared distances are sums of larger numbers.
    """
    exact, measured = np.sort(exact[:, 2]), np.sort(measured[:, 2])
    difference = np.abs(measured - exact) / np.maximum(exact, np.median(exact))
    median, most, largest = (float(np.quantile(difference, share)) for share in (0.5, 0.99, 1.0))
    text = f"heights differ by {median:.1e} (median), {most:.1e} (99 %) and {largest:.1e} (largest) of their size"
    if largest < tolerances.EQUAL_HEIGHTS.value:
        text += ": too little for the tree of cuML, is it the exact one?"
    return at_most("tree of cuML: heights", largest, tolerances.HEIGHTS.value, text)


def equal_labels(name: str, reference: NDArray[Any], measured: NDArray[Any], what: str) -> Result:
    """Share of equal labels."""
    share, bound = float(np.mean(reference == measured)), tolerances.LABELS.value
    return at_least(name, share, bound, f"{share:.3%} of the {what} have the same label, at least {bound:.1%}")


def memberships(name: str, reference: NDArray[np.int64], measured: NDArray[np.int64]) -> Result:
    """Share of bins with the same likeliest cluster."""
    share, bound = float(np.mean(reference == measured)), tolerances.MEMBERSHIPS.value
    return at_least(name, share, bound, f"{share:.2%} of the likeliest clusters are the same, at least {bound:.0%}")


def accuracy(reference: float, measured: float) -> Result:
    """Accuracy on random held-out bins."""
    bound = reference - tolerances.ACCURACY.value
    text = f"held-out accuracy {measured:.4f}, at least {bound:.4f} ({reference:.4f} on the reference backend)"
    return at_least("classifier: accuracy", measured, bound, text)


def same_bytes(name: str, digests: list[str]) -> Result:
    """Number of different results of one computation that was repeated."""
    different = len(set(digests))
    return at_most(name, different, 1, f"{different} different results in {len(digests)} runs")


def as_information(result: Result, reason: str) -> Result:
    """The same measurement without a bound."""
    return information(result.name, f"{result.text}; without a verdict: {reason}", result.measured)
