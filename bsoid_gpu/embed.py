"""The embedding stage: features on one scale, then UMAP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu import store
from bsoid_gpu.errors import BadInput
from bsoid_gpu.scale import scale_of, standardise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Array, Backend
    from bsoid_gpu.config import Embedding, Settings

MIN_BINS = 300  # 30 s: below, the smallest cluster sizes and the neighbourhoods of UMAP mean nothing


def scales_of(features: Sequence[Array], names: Sequence[str]) -> dict[str, tuple[Array, Array]]:
    """Mean and standard deviation of the features, for sessions of one name together.

    Parameters
    ----------
    features
        (bins, columns) of each session.
    names
        Name of each session's scale.

    Returns
    -------
    dict
        (columns,) mean and (columns,) deviation by name.
    """
    together: dict[str, list[Array]] = {}
    for name, part in zip(names, features, strict=True):
        together.setdefault(name, []).append(part)
    return {name: scale_of(joined(parts)) for name, parts in together.items()}


def joined(parts: Sequence[Array]) -> Array:
    """Rows of all sessions, one after another."""
    from array_api_compat import array_namespace

    return parts[0] if len(parts) == 1 else array_namespace(parts[0]).concat(list(parts))


@dataclass(frozen=True)
class Embedded:
    """``scaled`` (bins, columns) float64 features, ``embedding`` (bins, dimensions) float32, and the scales."""

    scaled: Array
    embedding: Array
    scales: dict[str, tuple[Array, Array]]


def embed(features: Sequence[Array], recordings: Sequence[str], settings: Settings, backend: Backend) -> Embedded:
    """Put the features of all sessions, enough of them by :func:`check_bins`, on one scale and embed them.

    By ``"session"`` each recording has a scale of its own (the method's), by ``"global"`` there is one, named ``""``.
    """
    bins = sum(part.shape[0] for part in features)
    names = recordings if settings.features.standardise == "session" else [""] * len(features)
    scales = scales_of(features, names)
    scaled = joined([standardise(part, *scales[name]) for part, name in zip(features, names, strict=True)])
    return Embedded(scaled, backend.embed(scaled, resolved(settings.embedding, bins), settings.seed), scales)


def resolved(settings: Embedding, bins: int) -> Embedding:
    """Settings with the numbers that depend on the number of bins: neighbours and epochs."""
    return replace(
        settings,
        neighbours=settings.neighbours or round(bins**0.5),
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
