"""The embedding: standardised features in a few dimensions, where similar bins are near each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators import registry
from bsoid_gpu.estimators.base import CLUSTERER, EMBEDDER, SILENT, Monitor
from bsoid_gpu.kernels.counter_rng import TIES, uniform
from bsoid_gpu.method.scaling import standardise_sessions
from bsoid_gpu.typing import Array

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Settings

MIN_BINS = 300  # 30 s; with fewer, cluster sizes and neighbourhoods are meaningless
TINY = 2.0**-60  # instead of 0 if all bins are equal
STEPS = 8  # amplitude of the first jitter of equal rows, in units of float32 resolution


@dataclass(frozen=True)
class Embedding:
    """``scaled`` (bins, columns) float64 features, ``positions`` (bins, dimensions) float32, and the scales.

    ``scales``: mean and standard deviation (columns,) by recording; see :mod:`bsoid_gpu.method.scaling`.
    """

    scaled: Array
    positions: Array
    scales: dict[str, tuple[Array, Array]]


def embed(
    features: Array,
    session_bins: Sequence[int],
    recordings: Sequence[str],
    settings: Settings,
    backend: Backend,
    monitor: Monitor = SILENT,
) -> Embedding:
    """Standardise and embed the features of all sessions; :func:`check_bins` checks that they suffice.

    Parameters
    ----------
    features
        (bins, columns), sessions one after another.
    session_bins, recordings
        Bins of each session, and the name of its recording.
    settings
        All settings.
    backend
        Where to compute.
    monitor
        Receives messages and progress; on the CPU, UMAP resumes from its checkpoint.
    """
    scaled, scales = standardise_sessions(features, session_bins, recordings, settings.features.standardise)
    embedder = registry.of(EMBEDDER, settings.embedding)
    positions = embedder.fit(scaled, settings.embedding, settings.seed, backend, monitor)
    return Embedding(scaled, separate_equal_rows(positions, settings.seed, backend), scales)


def check_bins(bins: int, settings: Settings) -> None:
    """Raise :class:`BadInput` if there are fewer bins than the embedder or the clusterer needs."""
    methods = ((EMBEDDER, settings.embedding), (CLUSTERER, settings.clusters))
    needs = [registry.of(role, method).smallest_job(method, bins) for role, method in methods]
    needed = max(MIN_BINS, *(number for number, _ in needs))
    if bins < needed:
        bin_s, reasons = settings.features.bin_s, " and ".join(reason for _, reason in needs if reason)
        msg = (
            f"{bins} bins of {bin_s * 1000:g} ms ({bins * bin_s:.0f} s of recording) are too few to discover "
            f"behaviours; at least {needed} are needed with {reasons}: give more or longer sessions"
        )
        raise BadInput(msg)


def separate_equal_rows(embedding: Array, seed: int, backend: Backend) -> Array:
    """Separate equal rows by a jitter of a few units of float32 resolution.

    Distances of 0 have no order: the tree of a clustering would depend on the implementation. The first of equal rows
    does not move. The amplitude doubles until no two rows are equal.

    Parameters
    ----------
    embedding
        (bins, dimensions) float32.
    seed
        Seed of the jitter.
    backend
        Moves one number to the host for each round.
    """
    xp = array_namespace(embedding)
    resolution = (xp.max(xp.abs(embedding)) + TINY) * 2.0**-23
    steps, stream = STEPS, TIES
    while backend.to_host(xp.any(repeated := _repeats(embedding))):
        random = uniform(xp, embedding.shape[0] * embedding.shape[1], seed, stream, device_of(embedding))
        jitter = xp.round((2.0 * xp.reshape(random, embedding.shape) - 1.0) * steps) * resolution
        embedding = xp.where(repeated[:, None], embedding + jitter, embedding)
        steps, stream = 2 * steps, stream + 1
    return embedding


def _repeats(rows: Array) -> Array:
    """Whether each row equals an earlier one: (rows,) bool."""
    xp = array_namespace(rows)
    order = xp.arange(rows.shape[0], device=device_of(rows))
    for column in range(rows.shape[1]):
        order = xp.take(order, xp.argsort(xp.take(rows[:, column], order), stable=True))
    ordered = xp.take(rows, order, axis=0)
    first = xp.zeros((1,), dtype=xp.bool, device=device_of(rows))
    repeats = xp.concat([first, xp.all(ordered[1:, :] == ordered[:-1, :], axis=1)])
    return xp.take(repeats, xp.argsort(order))
