"""Held-out bins: random bins, time blocks, and the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.settings.schema import Settings

RANDOM, BLOCKS = "random", "blocks"


def random_part(bins: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random part of the bins: (bins,) bool."""
    chosen = np.zeros(bins, dtype=bool)
    chosen[rng.permutation(bins)[: max(1, round(share * bins))]] = True
    return chosen


def blocked_part(
    session_bins: Sequence[int], block_bins: int, share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """A random part of the sessions' blocks of ``block_bins`` successive bins: (bins,) bool.

    Successive bins are similar: single held-out bins are easier to predict than held-out time blocks.
    """
    blocks = [np.arange(bins) // block_bins for bins in session_bins]
    first = np.cumsum([0, *[int(block[-1]) + 1 if len(block) else 0 for block in blocks]])
    block = np.concatenate([part + offset for part, offset in zip(blocks, first, strict=False)])
    return np.take(random_part(int(first[-1]), share, rng), block)


def held_out_parts(
    session_bins: Sequence[int], bin_s: float, settings: Settings, rows: NDArray[np.int64] | None = None
) -> dict[str, NDArray[np.bool_]]:
    """Held-out bins of each fit: random bins, time blocks, and the folds.

    Parameters
    ----------
    session_bins
        Bins of each session.
    bin_s
        Time between successive bins, in seconds.
    settings
        All settings.
    rows
        (rows,) int64, the bins that take part; by default, all.

    Returns
    -------
    dict
        (rows,) bool by the name of the fit. Which bins are held out does not depend on ``rows``. A part that would hold
        out none or all of the rows, such as a single time block, is left out, but for the random bins.
    """
    validation, rng, bins = settings.validation, np.random.default_rng(settings.seed), sum(session_bins)
    rows = np.arange(bins) if rows is None else rows
    parts = {RANDOM: random_part(bins, validation.held_out, rng)}
    block_bins = max(1, round(validation.block_s / bin_s))
    parts[BLOCKS] = blocked_part(session_bins, block_bins, validation.held_out, rng)
    folds = validation.folds if validation.folds > 1 else 0
    fold = rng.permutation(bins) % folds if folds else np.zeros(0, dtype=int)
    parts |= {f"fold {number}": fold == number for number in range(folds)}
    of_rows = {name: part[rows] for name, part in parts.items() if 0 < part[rows].sum() < len(rows)}
    return {RANDOM: random_part(len(rows), validation.held_out, rng), **of_rows}
