"""The embedding stage: features on one scale, then UMAP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import array_namespace
from threadpoolctl import threadpool_limits

from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators.initialisation import part_ties, principal_start
from bsoid_gpu.estimators.standard_scaler import scale_of, standardise
from bsoid_gpu.log import logger
from bsoid_gpu.run_folder import store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Array, Backend
    from bsoid_gpu.settings.schema import Embedding, Settings

MOST_NEIGHBOURS = 1023  # that cuML can look for; on both backends, so that they do the same
MIN_BINS = 300  # 30 s: below, the smallest cluster sizes and the neighbourhoods of UMAP mean nothing


@dataclass(frozen=True)
class Embedded:
    """``scaled`` (bins, columns) float64 features, ``embedding`` (bins, dimensions) float32, and the scales."""

    scaled: Array
    embedding: Array
    scales: dict[str, tuple[Array, Array]]


def embed(
    features: Array,
    session_bins: Sequence[int],
    recordings: Sequence[str],
    settings: Settings,
    backend: Backend,
    checkpoint: store.Checkpoint = store.NO_CHECKPOINT,
) -> Embedded:
    """Put the features of all sessions, enough of them by :func:`check_bins`, on one scale and embed them.

    By ``"session"`` each recording has a scale of its own (the method's), by ``"global"`` there is one, named ``""``.

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
    checkpoint
        Of the layout, where the backend makes it step by step.
    """
    names = recordings if settings.features.standardise == "session" else [""] * len(recordings)
    scaled, scales = standardised(features, session_bins, names)
    method = resolved(settings.embedding, features.shape[0])
    if round(features.shape[0] ** 0.5) > method.neighbours == MOST_NEIGHBOURS:
        logger.info("neighbours are limited to %s, the most that cuML looks for", f"{MOST_NEIGHBOURS:,}")
    start = None
    if method.start == "pca":
        with threadpool_limits(1, "blas"):  # the same bytes on any number of cores
            start = principal_start(scaled, method.dimensions, settings.seed)
    found = backend.embed(scaled, start, method, settings.seed, checkpoint)
    return Embedded(scaled, part_ties(found, settings.seed, backend.to_host), scales)


def standardised(
    features: Array, session_bins: Sequence[int], names: Sequence[str]
) -> tuple[Array, dict[str, tuple[Array, Array]]]:
    """Features (bins, columns) on the scales of their recordings, and those scales: mean and deviation (columns,)."""
    xp = array_namespace(features)
    stops = np.cumsum(session_bins)
    parts = [features[stop - bins : stop, :] for bins, stop in zip(session_bins, stops.tolist(), strict=True)]
    together: dict[str, list[Array]] = {}
    for name, part in zip(names, parts, strict=True):
        together.setdefault(name, []).append(part)
    scales = {name: scale_of(xp.concat(of_one)) for name, of_one in together.items()}
    return xp.concat([standardise(part, *scales[name]) for part, name in zip(parts, names, strict=True)]), scales


def resolved(settings: Embedding, bins: int) -> Embedding:
    """Settings with the numbers that depend on the number of bins: neighbours and epochs."""
    return replace(
        settings,
        neighbours=settings.neighbours or min(round(bins**0.5), MOST_NEIGHBOURS),
        epochs=settings.epochs or (500 if bins <= 10_000 else 200),
    )


def check_bins(bins: int, settings: Settings) -> None:
    """Raise :class:`BadInput` where there are fewer bins than UMAP or HDBSCAN can use."""
    neighbours = resolved(settings.embedding, bins).neighbours
    needed = max(MIN_BINS, neighbours + 1, settings.clusters.min_samples + 1)
    if bins < needed:
        bin_s = settings.features.bin_s
        msg = (
            f"{bins} bins of {bin_s * 1000:g} ms ({bins * bin_s:.0f} s of recording) are too few to find behaviours "
            f"in; at least {needed} are needed with neighbours = {neighbours} and "
            f"min_samples = {settings.clusters.min_samples}: give more or longer sessions"
        )
        raise BadInput(msg)


def to_stage(done: Embedded, backend: Backend) -> store.Stage:
    """The embedding as the run folder keeps it."""
    names = sorted(done.scales)
    arrays = {"scaled": backend.to_host(done.scaled), "embedding": backend.to_host(done.embedding)}
    for i, name in enumerate(names):
        arrays[f"mean.{i}"], arrays[f"deviation.{i}"] = (backend.to_host(part) for part in done.scales[name])
    return store.Stage(arrays, {"scales": names})


def scales_from_stage(stage: store.Stage) -> dict[str, NDArray[np.float64]]:
    """Mean and deviation (2, columns) by the name of the recording."""
    return {
        name: np.stack([stage.arrays[f"mean.{i}"], stage.arrays[f"deviation.{i}"]])
        for i, name in enumerate(stage.facts["scales"])
    }
