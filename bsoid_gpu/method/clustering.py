"""The clustering stage: one tree, a sweep of smallest cluster sizes, and a soft label for every bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators import hdbscan_tree
from bsoid_gpu.log import logger
from bsoid_gpu.run_folder import store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Array, Backend
    from bsoid_gpu.settings.schema import Clusters


@dataclass(frozen=True)
class Clustering:
    """Labels numbered by the size of the soft clusters, 0 the largest.

    ``hard`` (bins,) int64 with -1 for noise, ``soft`` (bins,) int64, ``membership`` (bins, labels) float32,
    ``sweep`` one row per minimum cluster size.
    """

    hard: NDArray[np.int64]
    soft: NDArray[np.int64]
    membership: NDArray[np.float32]
    sweep: pd.DataFrame


def sizes(bins: int, settings: Clusters) -> list[int]:
    """Minimum cluster sizes of the sweep, in bins: ascending, without repeats, at least 2."""
    steps = round((settings.largest - settings.smallest) / settings.step)
    shares = [settings.smallest + i * settings.step for i in range(steps + 1)]
    return sorted({max(2, round(share * bins)) for share in shares})


def cluster(embedding: Array, settings: Clusters, backend: Backend) -> Clustering:
    """Cluster the embedding at each minimum size, keep the run with the most clusters, and label every bin.

    Raises
    ------
    BadInput
        No clusters at any size.
    """
    linkage = backend.single_linkage(embedding, settings.min_samples)
    bins = linkage.shape[0] + 1
    best, rows = None, []
    for size in sizes(bins, settings):
        cut = hdbscan_tree.cut(linkage, size, settings.selection)
        noise = float(np.mean(cut.labels < 0))
        rows.append({"min_cluster_size": size, "clusters": len(cut.selected), "noise_share": round(noise, 6)})
        logger.info("  minimum size %s: %d clusters, %.0f %% noise", f"{size:,}", len(cut.selected), 100 * noise)
        if best is None or len(cut.selected) > len(best[1].selected):
            best = size, cut
    assert best is not None
    size, cut = best
    if len(cut.selected) == 0:
        msg = (
            f"no clusters in {bins:,} bins at any minimum size from {rows[0]['min_cluster_size']} to "
            f'{rows[-1]["min_cluster_size"]} bins: try [clusters] selection = "leaf", a smaller [clusters] smallest, '
            "or longer and more varied sessions"
        )
        raise BadInput(msg)
    sweep = pd.DataFrame(rows)
    sweep["chosen"] = sweep["min_cluster_size"] == size
    membership = backend.membership_vectors(embedding, linkage, size, settings)
    soft = _most_likely(membership, cut.labels, backend.to_host(embedding))
    return _by_size(cut.labels, soft, membership, sweep)


def _most_likely(
    membership: NDArray[np.float64], hard: NDArray[np.int64], embedding: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Cluster with the largest membership; a bin that no cluster attracts takes that of the nearest bin with one."""
    attracted = np.isfinite(membership).all(axis=1) & (membership.max(axis=1) > 0)
    soft = np.where(attracted, np.argmax(membership, axis=1), hard)
    lost = soft < 0
    if lost.any():
        from scipy.spatial import cKDTree

        known = np.flatnonzero(~lost)
        soft[lost] = soft[known[cKDTree(embedding[known]).query(embedding[lost])[1]]]
    return soft.astype(np.int64)


def _by_size(
    hard: NDArray[np.int64], soft: NDArray[np.int64], membership: NDArray[np.float64], sweep: pd.DataFrame
) -> Clustering:
    """Number the clusters by their soft size, the largest first; one that is nowhere the likeliest is dropped."""
    counts = np.bincount(soft, minlength=membership.shape[1])
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    number = np.full(membership.shape[1] + 1, -1)  # the last place is that of noise, -1
    number[order] = np.arange(len(order))
    kept = np.nan_to_num(membership[:, order], nan=0.0).astype(np.float32)
    return Clustering(number[hard], number[soft], kept, sweep)


def to_stage(found: Clustering) -> store.Stage:
    """The clustering as the run folder keeps it."""
    arrays: dict[str, NDArray[Any]] = {"hard": found.hard, "soft": found.soft, "membership": found.membership}
    return store.Stage(arrays, {"sweep": found.sweep.to_dict("split")})


def from_stage(stage: store.Stage) -> Clustering:
    """The clustering that the run folder kept."""
    return Clustering(**stage.arrays, sweep=pd.DataFrame(**stage.facts["sweep"]))
