"""A random forest (Breiman 2001): fitted by scikit-learn, or by cuML if it can export its trees.

The trees are stored as arrays: the model file needs no pickle, and a forest predicts on every array library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.backends.chunks import in_chunks
from bsoid_gpu.backends.cuda import CudaBackend
from bsoid_gpu.estimators.base import CLASSIFIER, Cost, Estimator, JobSize
from bsoid_gpu.fields import setting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.typing import Array

CHUNK_ROWS = 2048  # limits the memory of a prediction: 20 MB for 100 trees and 24 classes
START_S, SORT_S = 0.2, 1.2e-7  # for the cost: measured on one core of the reference machine
NODE_BYTES = 40


@dataclass(frozen=True)
class RandomForestSettings:
    """A random forest from features to labels."""

    method: ClassVar[str] = "random_forest"
    trees: int = setting(100, "Number of trees.", bounds=(1, 10_000))
    max_depth: int = setting(0, "Most levels of a tree; 0 sets no limit.", bounds=(0, 1000))
    min_samples_leaf: int = setting(5, "Fewest training bins in a leaf.", bounds=(1, 10**6))
    max_features: str = setting(
        "sqrt", "Columns that a split chooses from: 'sqrt' or 'log2' of their number, or 'all'.",
        choices=("sqrt", "log2", "all"),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class RandomForest:
    """A fitted forest: the nodes of all trees one after another.

    Parameters
    ----------
    roots
        (trees,) int64, the first node of each tree.
    feature, threshold
        (nodes,) int64 and float64: a row goes left if the feature, as float32, is at most the threshold.
    left, right
        (nodes,) int64, the next node; of a leaf, the leaf itself.
    leaf
        (nodes,) int64, the row of a leaf in ``probabilities``; 0 for other nodes.
    probabilities
        (leaves, classes) float32.
    levels
        (depth,) int64, number of nodes of all trees at each depth below the roots.
    """

    roots: Array
    feature: Array
    threshold: Array
    left: Array
    right: Array
    leaf: Array
    probabilities: Array
    levels: Array

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.probabilities.shape[1])

    def arrays(self) -> dict[str, Array]:
        """Every array by name, for the model file."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, named: dict[str, Array]) -> RandomForest:
        """Restore a forest from its :meth:`arrays`; ``KeyError`` if one is missing."""
        return cls(**{name: named[name] for name in cls.__dataclass_fields__})

    def predict_proba(self, features: Array) -> Array:
        """Mean of the trees' probabilities: (rows, classes) float32 from (rows, columns), in chunks of rows."""
        return in_chunks(self._chunk_proba, features, CHUNK_ROWS)

    def _chunk_proba(self, features: Array) -> Array:
        xp, device = array_namespace(features), device_of(features)
        rows, columns = features.shape
        trees = self.roots.shape[0]
        x = xp.reshape(xp.astype(features, xp.float32), (-1,))
        first = xp.reshape(xp.arange(rows, device=device)[:, None] * columns + xp.zeros_like(self.roots), (-1,))
        node = xp.reshape(xp.zeros((rows, 1), dtype=xp.int64, device=device) + self.roots, (-1,))
        for _ in range(self.levels.shape[0]):
            value = xp.take(x, first + xp.take(self.feature, node))
            goes_left = xp.astype(value, xp.float64) <= xp.take(self.threshold, node)
            node = xp.where(goes_left, xp.take(self.left, node), xp.take(self.right, node))
        tree_proba = xp.take(self.probabilities, xp.take(self.leaf, node), axis=0)
        return xp.mean(xp.reshape(tree_proba, (rows, trees, self.n_classes)), axis=1)


def fit(
    features: Array, labels: Array, n_classes: int, settings: RandomForestSettings, seed: int, backend: Backend
) -> RandomForest:
    """Fit a forest that predicts labels from features.

    Parameters
    ----------
    features
        (bins, columns), in any units.
    labels
        (bins,) integers from 0; classes may be empty.
    n_classes
        Number of classes.
    settings
        Settings of the forest.
    seed
        The same seed gives the same forest with the same library.
    backend
        On a GPU, cuML fits the forest if it can export the trees; otherwise scikit-learn does, on the host.
    """
    forest = _by_cuml(features, labels, settings, seed, backend) if isinstance(backend, CudaBackend) else None
    if forest is None:
        forest = _by_scikit_learn(backend.to_host(features), backend.to_host(labels), settings, seed)
    on_host = _as_arrays([tree.tree_ for tree in forest.estimators_], np.asarray(forest.classes_), n_classes)
    return RandomForest.from_arrays({name: backend.asarray(array) for name, array in on_host.items()})


def _by_scikit_learn(features: NDArray[Any], labels: NDArray[Any], settings: RandomForestSettings, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(**_arguments(settings, seed), max_depth=settings.max_depth or None, n_jobs=1)
    return forest.fit(features.astype(np.float32), labels)


def _by_cuml(features: Array, labels: Array, settings: RandomForestSettings, seed: int, backend: CudaBackend) -> Any:
    """A forest of cuML as one of scikit-learn; None if the release has no forest or cannot export its trees."""
    try:
        kind = backend.library("cuml.ensemble").RandomForestClassifier
    except (ImportError, AttributeError):
        return None
    if not hasattr(kind, "as_sklearn"):
        return None
    depth = {"max_depth": settings.max_depth} if settings.max_depth else {}
    forest = kind(**_arguments(settings, seed), **depth, n_streams=1)  # not repeatable on several streams
    x = backend.cupy.ascontiguousarray(features, dtype=np.float32)
    return forest.fit(x, labels).as_sklearn()


def _arguments(settings: RandomForestSettings, seed: int) -> dict[str, Any]:
    """Arguments common to both libraries."""
    return {
        "n_estimators": settings.trees,
        "min_samples_leaf": settings.min_samples_leaf,
        "max_features": 1.0 if settings.max_features == "all" else settings.max_features,
        "random_state": seed,
    }


def _as_arrays(trees: list[Any], classes: NDArray[Any], n_classes: int) -> dict[str, NDArray[Any]]:
    """Arrays of a forest from trees of scikit-learn, whose leaves have only the ``classes`` of the fit."""
    sizes = [tree.node_count for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]]).astype(np.int64)
    itself = np.arange(sum(sizes))
    offset = np.repeat(roots, sizes)
    left = np.concatenate([tree.children_left for tree in trees])
    right = np.concatenate([tree.children_right for tree in trees])
    is_leaf = left < 0
    counts = np.concatenate([tree.value[:, 0, :] for tree in trees])[is_leaf]
    probabilities = np.zeros((len(counts), n_classes), dtype=np.float32)
    probabilities[:, classes.astype(int)] = counts / counts.sum(axis=1, keepdims=True)
    left, right = np.where(is_leaf, itself, left + offset), np.where(is_leaf, itself, right + offset)
    return {
        "roots": roots,
        "feature": np.where(is_leaf, 0, np.concatenate([tree.feature for tree in trees])).astype(np.int64),
        "threshold": np.concatenate([tree.threshold for tree in trees]).astype(np.float64),
        "left": left.astype(np.int64),
        "right": right.astype(np.int64),
        "leaf": np.where(is_leaf, np.cumsum(is_leaf) - 1, 0).astype(np.int64),
        "probabilities": probabilities,
        "levels": _levels(roots, left, right),
    }


def _levels(roots: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of nodes at each depth below the roots."""
    levels: list[int] = []
    nodes = roots
    while True:
        inner = nodes[left[nodes] != nodes]
        if len(inner) == 0:
            return np.asarray(levels, dtype=np.int64)
        nodes = np.concatenate([left[inner], right[inner]])
        levels.append(len(nodes))


def cost(size: JobSize, settings: RandomForestSettings) -> Cost:
    """Each level sorts the columns that its splits choose from."""
    levels = np.log2(max(size.bins / settings.min_samples_leaf, 2))
    columns = size.columns if settings.max_features == "all" else size.columns**0.5
    nodes = settings.trees * 2 * size.bins / settings.min_samples_leaf
    return Cost(
        serial_s=START_S + SORT_S * settings.trees * size.bins * columns * levels,
        parallel_s=0.0,
        product_s=0.0,
        host_bytes=4 * size.bins * size.columns + nodes * (NODE_BYTES + 2 * size.labels),
        device_bytes=8 * size.bins * size.columns + nodes * (NODE_BYTES + 2 * size.labels),
    )


ESTIMATOR = Estimator(
    role=CLASSIFIER,
    name="random_forest",
    version=1,
    settings=RandomForestSettings,
    fit=fit,
    cost=cost,
    from_arrays=RandomForest.from_arrays,
)
