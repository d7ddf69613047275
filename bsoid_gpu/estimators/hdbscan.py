"""HDBSCAN (Campello, Moulavi & Sander 2013) over a range of minimum cluster sizes, from one tree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bsoid_gpu.backends.cuda import CudaBackend
from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators import hdbscan_tree
from bsoid_gpu.estimators.base import CLUSTERER, SILENT, ClusterFit, Cost, Estimator, JobSize, Monitor
from bsoid_gpu.fields import setting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend


WRONG_FOR_ONE = "0.2.0"  # release of fast-hdbscan whose tree is wrong for min_samples = 1
# for the cost: measured on one core of the reference machine
START_S, TREE_S = 1.4, 3.7e-6


@dataclass(frozen=True)
class HdbscanSettings:
    """HDBSCAN over a range of minimum cluster sizes; the cut with the most clusters is used."""

    method: ClassVar[str] = "hdbscan"
    min_samples: int = setting(10, "Neighbours that make a bin a core point.", bounds=(1, 1023))
    smallest: float = setting(0.006, "Smallest minimum cluster size, as a share of all bins.", bounds=(1e-6, 1.0))
    largest: float = setting(0.020, "Largest minimum cluster size, as a share of all bins.", bounds=(1e-6, 1.0))
    step: float = setting(0.001, "Step between the two, as a share of all bins.", bounds=(1e-6, 1.0))
    smallest_s: float = setting(
        1.0, "Smallest minimum cluster size in seconds of recording, where the shares give less.", bounds=(0.0, 1e6)
    )
    selection: str = setting(
        "leaf",
        "'leaf' (fine, even clusters) or 'eom' (excess of mass; may join most of the bins in one cluster).",
        choices=("eom", "leaf"),
    )
    tree: str = setting(
        "exact",
        "Tree and memberships: 'exact' (on the host, the same on every backend) or 'cuml' (on a GPU: approximate).",
        choices=("exact", "cuml"),
    )


def sizes(bins: int, settings: HdbscanSettings, bin_s: float) -> list[int]:
    """Minimum cluster sizes of the sweep, in bins of ``bin_s``: ascending, distinct, at least 2."""
    steps = round((settings.largest - settings.smallest) / settings.step)
    shares = [settings.smallest + i * settings.step for i in range(steps + 1)]
    floor = max(2, math.ceil(settings.smallest_s / bin_s))
    return sorted({max(floor, round(share * bins)) for share in shares})


def fit(
    embedding: NDArray[np.float32],
    settings: HdbscanSettings,
    seed: int,
    backend: Backend,
    monitor: Monitor = SILENT,
    bin_s: float = 0.1,
) -> ClusterFit:
    """Cut the tree of the bins at each minimum size and use the cut with the most clusters, the first in a tie.

    Parameters
    ----------
    embedding
        (bins, dimensions) float32, on the host.
    settings
        Settings of HDBSCAN.
    seed
        Ignored: nothing is random.
    backend
        Where to compute the tree and the memberships of ``tree = "cuml"``.
    monitor
        Receives a message for each size.
    bin_s
        Time between successive bins, in seconds.

    Raises
    ------
    BadInput
        No clusters at any size.
    """
    if settings.tree == "cuml" and not isinstance(backend, CudaBackend):
        monitor.warning("[clusters] tree = 'cuml' needs a GPU: the tree is exact")
    linkage = single_linkage(embedding, settings, backend)
    bins = linkage.shape[0] + 1
    cuts = {}
    sweep = []
    for size in sizes(bins, settings, bin_s):
        cuts[size] = hdbscan_tree.cut(linkage, size, settings.selection)
        clusters, noise = len(cuts[size].selected), float(np.mean(cuts[size].labels < 0))
        sweep.append({"min_cluster_size": size, "clusters": clusters, "noise_share": round(noise, 6)})
        monitor.message(f"  minimum size {size:,}: {clusters} clusters, {100 * noise:.0f} % noise")
    chosen = max(cuts, key=lambda size: len(cuts[size].selected))
    if len(cuts[chosen].selected) == 0:
        msg = (
            f"no clusters in {bins:,} bins at any minimum size from {min(cuts)} to {max(cuts)} bins: try a smaller "
            "[clusters] smallest and smallest_s, or longer and more varied sessions"
        )
        raise BadInput(msg)
    membership = membership_vectors(embedding, cuts[chosen], chosen, settings, backend, monitor)
    sweep = [{**row, "chosen": row["min_cluster_size"] == chosen} for row in sweep]
    labels = np.stack([cut.labels for cut in cuts.values()]).astype(np.int32)
    return ClusterFit(cuts[chosen].labels, membership, sweep, linkage, labels)


def single_linkage(embedding: NDArray[np.float32], settings: HdbscanSettings, backend: Backend) -> NDArray[np.float64]:
    """Single-linkage tree of the mutual reachability distances: (bins - 1, 4)."""
    if settings.tree == "cuml" and isinstance(backend, CudaBackend):
        from bsoid_gpu.estimators.hdbscan_cuda import single_linkage_by_cuml

        return single_linkage_by_cuml(embedding, settings.min_samples, backend)
    return hdbscan_tree.single_linkage(embedding, settings.min_samples)


def membership_vectors(
    embedding: NDArray[np.float32],
    cut: hdbscan_tree.Cut,
    min_cluster_size: int,
    settings: HdbscanSettings,
    backend: Backend,
    monitor: Monitor = SILENT,
) -> NDArray[np.float64]:
    """Membership of each bin in each cluster of a cut: (bins, clusters)."""
    if settings.tree == "cuml" and isinstance(backend, CudaBackend):
        from bsoid_gpu.estimators.hdbscan_cuda import memberships_by_cuml

        return memberships_by_cuml(embedding, cut, min_cluster_size, settings, backend, monitor)
    from bsoid_gpu.estimators import hdbscan_membership

    return hdbscan_membership.membership_vectors(embedding, cut)


def cost(size: JobSize, settings: HdbscanSettings) -> Cost:
    """The tree, its cuts and the memberships run on one core."""
    from bsoid_gpu.backends import device_memory

    n = size.bins
    return Cost(
        serial_s=START_S + TREE_S * n * math.log2(max(n, 2)),
        parallel_s=0.0,
        product_s=0.0,
        host_bytes=n * 900,
        device_bytes=device_memory.hdbscan(n, 3, settings.min_samples) if settings.tree == "cuml" else 0.0,
    )


def problems(settings: HdbscanSettings) -> list[str]:
    """A sentence if the range of sizes is empty, and if the installed library cannot compute the tree."""
    sentences = ["[clusters] smallest is above largest"] if settings.smallest > settings.largest else []
    if settings.min_samples == 1 and metadata.version("fast-hdbscan") == WRONG_FOR_ONE:
        sentences.append(
            f"[clusters] min_samples = 1: fast-hdbscan {WRONG_FOR_ONE} computes a wrong tree for it; take 2 or more, "
            "or install a newer release"
        )
    return sentences


ESTIMATOR = Estimator(
    role=CLUSTERER,
    name="hdbscan",
    version=2,
    settings=HdbscanSettings,
    fit=fit,
    cost=cost,
    problems=problems,
    smallest_job=lambda settings, _: (settings.min_samples + 1, f"min_samples = {settings.min_samples}"),
)
