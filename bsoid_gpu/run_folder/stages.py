"""Stages of a build: each computes its result or reads it from the run folder.

The key of a stage holds its role, the estimator and its version, the settings, the backend, and the digests of its
inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from bsoid_gpu import files
from bsoid_gpu.estimators import registry
from bsoid_gpu.estimators.base import CLASSIFIER, CLUSTERER, EMBEDDER, Monitor
from bsoid_gpu.log import logger
from bsoid_gpu.method.classification import Classification, MemberClassifiers, classify, classify_member
from bsoid_gpu.method.clustering import Clustering, cluster
from bsoid_gpu.method.embedding import Embedding, embed
from bsoid_gpu.run_folder import arrays
from bsoid_gpu.run_folder.checkpoint import Checkpoint, LoggedMonitor
from bsoid_gpu.run_folder.codecs import decode, encode
from bsoid_gpu.run_folder.store import Stage, Store
from bsoid_gpu.settings.toml import as_dict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.estimators.joined import Joined
    from bsoid_gpu.settings.schema import Settings
    from bsoid_gpu.typing import Array

T = TypeVar("T")
FEATURES, EMBEDDING, CLUSTERS, CLASSIFICATION = "features", "embedding", "clusters", "classifier"


def embedding(
    features: Array,
    session_bins: Sequence[int],
    recordings: Sequence[str],
    settings: Settings,
    backend: Backend,
    store: Store,
    digest: str,
) -> Embedding:
    """Standardised features and embedding of the training bins, on the host; see :func:`embed`.

    ``digest`` is that of the features, see :func:`features_digest`.
    """
    inputs = {
        "features": digest,
        "training_bins": features.shape[0],
        "standardise": settings.features.standardise,
        "seed": settings.seed,
    }
    result = _stage(
        store, EMBEDDING, (EMBEDDER, settings.embedding), inputs, Embedding, backend,
        lambda monitor: embed(features, session_bins, recordings, settings, backend, monitor),
    )  # fmt: skip
    bins, columns = result.scaled.shape
    logger.info("%s bins from %d into %d dimensions", f"{bins:,}", columns, result.positions.shape[1])
    return result


def clusters(
    positions: NDArray[np.float32], bin_s: float, settings: Settings, backend: Backend, store: Store
) -> Clustering:
    """Hard and soft labels; see :func:`cluster`."""
    inputs = {"embedding": store.stages[EMBEDDING].digest, "seed": settings.seed, "bin_s": bin_s, "with_cuts": True}
    result = _stage(
        store, CLUSTERS, (CLUSTERER, settings.clusters), inputs, Clustering, backend,
        lambda monitor: cluster(positions, bin_s, settings, backend, monitor),
    )  # fmt: skip
    noise = 100 * float(np.mean(result.hard < 0))
    logger.info("%d clusters, %.0f %% noise before soft assignment", result.membership.shape[1], noise)
    return result


def classifier(
    features: Array,
    labels: NDArray[np.int64],
    parts: dict[str, NDArray[np.bool_]],
    settings: Settings,
    backend: Backend,
    store: Store,
    digest: str,
    *,
    classes: int | None = None,
    joined: Joined | None = None,
) -> Classification:
    """The classifier and its scores; see :func:`classify`.

    ``digest`` is that of the rows of the features, see :func:`rows_digest`.
    """
    inputs = {
        "features": digest,
        "labels": arrays.digest_of({"labels": labels, **parts}),
        "classes": classes,
        "seed": settings.seed,
        "joined": None if joined is None else arrays.digest_of(on_host(joined.arrays(), backend)),
    }
    result = _stage(
        store, CLASSIFICATION, (CLASSIFIER, settings.classifier), inputs, Classification, backend,
        lambda monitor: classify(features, labels, parts, settings, backend, monitor, classes=classes, joined=joined),
    )  # fmt: skip
    _log_scores(result.scores)
    return result


def member_classifiers(
    features: Array,
    labels: NDArray[np.int64],
    blocks: NDArray[np.bool_],
    settings: Settings,
    backend: Backend,
    store: Store,
    digest: str,
    classes: int,
) -> MemberClassifiers:
    """The classifiers of one of several models; see :func:`classify_member`."""
    inputs = {
        "features": digest,
        "labels": arrays.digest_of({"labels": labels, "blocks": blocks}),
        "classes": classes,
        "seed": settings.seed,
    }
    return _stage(
        store, CLASSIFICATION, (CLASSIFIER, settings.classifier), inputs, MemberClassifiers, backend,
        lambda monitor: classify_member(features, labels, blocks, settings, backend, monitor, classes=classes),
    )  # fmt: skip


def on_host(named: dict[str, Array], backend: Backend) -> dict[str, NDArray[Any]]:
    """Arrays by name, on the host."""
    return {name: backend.to_host(array) for name, array in named.items()}


def features_digest(store: Store) -> str:
    """Digest of the features of all recordings."""
    return files.digest_of([stage.digest for name, stage in store.stages.items() if name.startswith(f"{FEATURES} ")])


def rows_digest(digest: str, rows: NDArray[np.int64]) -> str:
    """Digest of some rows (rows,) of features, from the digest of all."""
    return files.digest_of({"features": digest, "rows": arrays.digest_of({"rows": rows})})


def _stage(
    store: Store,
    name: str,
    method: tuple[str, Any],
    inputs: dict[str, Any],
    kind: type[T],
    backend: Backend,
    compute: Callable[[Monitor], T],
) -> T:
    """Result of a stage, computed or from the run folder; ``method`` is the role and settings of its estimator."""
    role, settings = method
    estimator = registry.of(role, settings)
    key = {
        "role": role,
        "estimator": estimator.name,
        "settings": as_dict(settings),
        "backend": backend.name,
        **inputs,
    }

    def computed(checkpoint: Checkpoint) -> Stage:
        return Stage(*encode(compute(LoggedMonitor(checkpoint)), backend.to_host))

    stage = store.run(name, estimator.version, key, computed)
    return decode(kind, stage.arrays, stage.facts)


def _log_scores(scores: dict[str, Any]) -> None:
    logger.info("held-out accuracy: %.4f on random bins", scores["held_out_random"])
    if scores["held_out_blocks"] is not None:
        logger.info(
            "held-out accuracy: %.4f on held-out time blocks (labels from the full embedding)",
            scores["held_out_blocks"],
        )
    if scores["cross_validation"]:
        logger.info(
            "%d-fold cross-validation: %.4f (%.4f to %.4f)",
            len(scores["cross_validation"]),
            scores["cross_validation_mean"],
            min(scores["cross_validation"]),
            max(scores["cross_validation"]),
        )
