"""The key of each stage, and its result from the run folder where it is there.

A key holds the role of the stage, its estimator and that one's version, the settings, the backend, and the digests of
what the stage reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from bsoid_gpu import files
from bsoid_gpu.estimators import registry
from bsoid_gpu.estimators.base import CLASSIFIER, CLUSTERER, EMBEDDER, Monitor
from bsoid_gpu.log import logger
from bsoid_gpu.method.classification import Classification, classify
from bsoid_gpu.method.clustering import Clustering, cluster
from bsoid_gpu.method.embedding import Embedding, embed
from bsoid_gpu.run_folder.checkpoint import Checkpoint, LoggedMonitor
from bsoid_gpu.run_folder.codecs import decode, encode
from bsoid_gpu.run_folder.store import Stage, Store
from bsoid_gpu.settings.toml import as_dict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Settings
    from bsoid_gpu.typing import Array

T = TypeVar("T")
FEATURES, EMBEDDING, CLUSTERS, CLASSIFICATION = "features", "embedding", "clusters", "classifier"


def embedding(
    features: Array, session_bins: Sequence[int], recordings: Sequence[str], s: Settings, b: Backend, store: Store
) -> Embedding:
    """Standardised features and embedding of the training bins, on the host; see :func:`embed`."""
    inputs = {
        "features": features_digest(store),
        "training_bins": features.shape[0],
        "standardise": s.features.standardise,
        "seed": s.seed,
    }
    result = _stage(
        store, EMBEDDING, (EMBEDDER, s.embedding), inputs, Embedding, b,
        lambda monitor: embed(features, session_bins, recordings, s, b, monitor),
    )  # fmt: skip
    bins, columns = result.scaled.shape
    logger.info("%s bins from %d into %d dimensions", f"{bins:,}", columns, result.positions.shape[1])
    return result


def clusters(positions: NDArray[np.float32], s: Settings, b: Backend, store: Store) -> Clustering:
    """Hard and soft labels; see :func:`cluster`."""
    inputs = {"embedding": store.stages[EMBEDDING].digest, "seed": s.seed}
    result = _stage(
        store, CLUSTERS, (CLUSTERER, s.clusters), inputs, Clustering, b,
        lambda monitor: cluster(b.asarray(positions), s, b, monitor),
    )  # fmt: skip
    noise = 100 * float(np.mean(result.hard < 0))
    logger.info("%d clusters, %.0f %% noise before soft assignment", result.membership.shape[1], noise)
    return result


def classifier(
    features: Array,
    labels: NDArray[np.int64],
    session_bins: Sequence[int],
    bin_s: float,
    s: Settings,
    b: Backend,
    store: Store,
) -> Classification:
    """The classifier and its scores; see :func:`classify`."""
    inputs = {
        "features": features_digest(store),
        "clusters": store.stages[CLUSTERS].digest,
        "validation": as_dict(s.validation),
        "bin_s": bin_s,
        "seed": s.seed,
    }
    result = _stage(
        store, CLASSIFICATION, (CLASSIFIER, s.classifier), inputs, Classification, b,
        lambda monitor: classify(features, labels, session_bins, bin_s, s, b, monitor),
    )  # fmt: skip
    _log_scores(result.scores)
    return result


def features_digest(store: Store) -> str:
    """Digest of the features of all recordings."""
    return files.digest_of([stage.digest for name, stage in store.stages.items() if name.startswith(f"{FEATURES} ")])


def _stage(
    store: Store,
    name: str,
    method: tuple[str, Any],
    inputs: dict[str, Any],
    kind: type[T],
    backend: Backend,
    compute: Callable[[Monitor], T],
) -> T:
    """The result of a stage, computed or from the run folder; ``method`` is a role and the settings of an estimator."""
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
