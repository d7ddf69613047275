"""The same small job on two backends, and how well they agree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.estimators import hdbscan, hdbscan_tree
from bsoid_gpu.estimators.perceptron import Perceptron
from bsoid_gpu.io.sessions import Content
from bsoid_gpu.method import classification, clustering, embedding, labelling, preprocess, session_features
from bsoid_gpu.settings.schema import Input, Settings, Validation
from bsoid_gpu.synthetic.sessions import deeplabcut_csv, simulate_session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.typing import Array

NAME, FPS = "self-check", 60.0
SETTINGS = Settings(input=Input(fps=FPS), validation=Validation(folds=0))

MAX_DIFFERENCE = 1e-9  # of features, in float64 on both backends
MAX_TRUST_LOSS = 0.02  # layouts of one data set with other random numbers differ by less
NEIGHBOURS = 15  # of trustworthiness
MIN_RAND_INDEX = 0.99  # single precision orders a few nearly equal distances differently
MIN_EQUAL_SHARE = 0.999  # of frames


@dataclass(frozen=True)
class Result:
    """One comparison; ``measured`` and ``bound`` are None if the step failed."""

    name: str
    passed: bool
    text: str
    measured: float | None = None
    bound: float | None = None


@dataclass(frozen=True)
class Job:
    """Results of each step on the reference backend, on the host."""

    file: Content
    features: NDArray[np.float64]
    scaled: NDArray[np.float64]
    points: NDArray[np.float32]
    linkage: NDArray[np.float64]
    soft: NDArray[np.int64]
    perceptron: dict[str, NDArray[Any]]
    labels: NDArray[np.int64]


def check(reference: Backend, other: Backend, minutes: float = 5.0) -> list[Result]:
    """Run a small job on the reference backend, and each step on the other backend from the same input.

    Parameters
    ----------
    reference
        The backend that is known to be correct.
    other
        The backend to check; an error is a failed step, and the next steps still run.
    minutes
        Length of the simulated session.
    """
    job = run(reference, minutes)
    steps = {
        "features": _features_agree,
        "embedding": _embedding_agrees,
        "clusters": _clusters_agree,
        "memberships": _memberships_agree,
        "labels": _labels_agree,
    }
    results = []
    for name, step in steps.items():
        try:
            passed, measured, bound, text = step(job, other)
        except Exception as error:  # noqa: BLE001 - the libraries below raise anything
            results.append(Result(name, False, f"{type(error).__name__}: {' '.join(str(error).split())}"))
        else:
            results.append(Result(name, passed, text, measured if math.isfinite(measured) else None, bound))
    return results


def run(backend: Backend, minutes: float) -> Job:
    """The complete job on one backend."""
    pose, _ = simulate_session(NAME, round(minutes * 60 * FPS), FPS, np.random.default_rng(0))
    file = Content(NAME, Path(f"{NAME}.csv"), deeplabcut_csv(pose))
    features = _features(file, backend)
    embedded = _embedded(features, backend)
    points = backend.to_host(embedded.positions)
    linkage = hdbscan.single_linkage(points, SETTINGS.clusters, backend)
    soft = clustering.cluster(points, SETTINGS, backend).soft
    classified = classification.classify(features, soft, [len(soft)], SETTINGS.features.bin_s, SETTINGS, backend)
    perceptron = classified.classifier
    return Job(
        file=file,
        features=backend.to_host(features),
        scaled=backend.to_host(embedded.scaled),
        points=points,
        linkage=linkage,
        soft=soft,
        perceptron={name: backend.to_host(array) for name, array in perceptron.items()},
        labels=_labels(file, Perceptron.from_arrays(perceptron), backend),
    )


def _moved(arrays: dict[str, NDArray[Any]], backend: Backend) -> Perceptron:
    return Perceptron.from_arrays({name: backend.asarray(array) for name, array in arrays.items()})


def _features(file: Content, backend: Backend) -> Array:
    (session,) = session_features.session_features(file.tracks(FPS, backend), FPS, SETTINGS, backend)
    return session.features


def _embedded(features: Array, backend: Backend) -> embedding.Embedding:
    return embedding.embed(features, [features.shape[0]], [NAME], SETTINGS, backend)


def _labels(file: Content, perceptron: Perceptron, backend: Backend) -> NDArray[np.int64]:
    (session,) = preprocess.filtered(file.tracks(FPS, backend), SETTINGS, backend)
    return labelling.label_frames(session, perceptron, SETTINGS.features, backend).labels


Agreement = tuple[bool, float, float, str]  # passed, measured, bound, text


def _features_agree(job: Job, other: Backend) -> Agreement:
    """Largest difference, relative to the value or to the mean absolute value of its column, whichever is larger.

    A turn near 0 is a small difference of large numbers and has fewer correct digits.
    """
    features = other.to_host(_features(job.file, other))
    size = np.maximum(np.abs(job.features), np.mean(np.abs(job.features), axis=0))
    largest = float(np.max(np.abs(features - job.features) / size))
    text = f"largest relative difference {largest:.1e}, at most {MAX_DIFFERENCE:.0e}"
    return largest <= MAX_DIFFERENCE, largest, MAX_DIFFERENCE, text


def _embedding_agrees(job: Job, other: Backend) -> Agreement:
    from sklearn.manifold import trustworthiness

    points = other.to_host(_embedded(other.asarray(job.features), other).positions)
    reference, measured = (float(trustworthiness(job.scaled, p, n_neighbors=NEIGHBOURS)) for p in (job.points, points))
    bound = reference - MAX_TRUST_LOSS
    text = f"trustworthiness {measured:.4f}, at least {bound:.4f} ({reference:.4f} on the reference backend)"
    return measured >= bound, measured, bound, text


def _clusters_agree(job: Job, other: Backend) -> Agreement:
    clusters = SETTINGS.clusters
    linkage = hdbscan.single_linkage(job.points, clusters, other)
    size = hdbscan.sizes(len(job.points), clusters)[0]
    reference, labels = (hdbscan_tree.cut(tree, size, clusters.selection).labels for tree in (job.linkage, linkage))
    return _rand_index(reference, labels, "clusters")


def _memberships_agree(job: Job, other: Backend) -> Agreement:
    labels = clustering.cluster(job.points, SETTINGS, other).soft
    return _rand_index(job.soft, labels, "soft labels")


def _rand_index(reference: NDArray[np.int64], labels: NDArray[np.int64], what: str) -> Agreement:
    from sklearn.metrics import adjusted_rand_score

    index = float(adjusted_rand_score(reference, labels))
    text = f"adjusted Rand index of the {what} {index:.4f}, at least {MIN_RAND_INDEX}"
    return index >= MIN_RAND_INDEX, index, MIN_RAND_INDEX, text


def _labels_agree(job: Job, other: Backend) -> Agreement:
    equal = float(np.mean(_labels(job.file, _moved(job.perceptron, other), other) == job.labels))
    text = f"{equal:.3%} of the frames have the same label with one perceptron, at least {MIN_EQUAL_SHARE:.1%}"
    return equal >= MIN_EQUAL_SHARE, equal, MIN_EQUAL_SHARE, text
