"""The training bins of a build: all bins of all sessions at one phase, or a sample of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.method.held_out import BLOCKS, held_out_parts
from bsoid_gpu.method.subsample import training_bins
from bsoid_gpu.run_folder.arrays import release

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.method.session_features import SessionBins, SessionFeatures
    from bsoid_gpu.settings.schema import Settings
    from bsoid_gpu.typing import Array


@dataclass(frozen=True)
class TrainingBins:
    """Training bins, sessions one after another.

    ``features`` (bins, columns) float64, on the host; ``chosen`` their indices among the bins of each session, and
    ``bin_frames`` the frame numbers at which they begin; ``bin_s`` the time between successive bins, in seconds;
    ``all_bins`` the number of bins of each session.
    """

    features: NDArray[np.float64]
    chosen: list[NDArray[np.int64]]
    bin_frames: list[NDArray[np.int64]]
    bin_s: float
    all_bins: list[int]

    @property
    def session_bins(self) -> list[int]:
        """Training bins of each session."""
        return [len(part) for part in self.chosen]

    @property
    def share(self) -> float:
        """Share of all bins."""
        return sum(self.session_bins) / sum(self.all_bins)

    def rows_of(self, on_backend: Array, rows: NDArray[np.int64], backend: Backend) -> Array:
        """Features of some bins on the backend, where ``on_backend`` has those of all."""
        return on_backend if len(rows) == len(self.features) else backend.asarray(self.features[rows])

    def blocks(self, settings: Settings) -> NDArray[np.bool_]:
        """Bins in the held-out time blocks: (bins,) bool; none if there is only one block."""
        parts = held_out_parts(self.session_bins, self.bin_s, settings)
        return parts.get(BLOCKS, np.zeros(len(self.features), dtype=bool))

    def blocks_as_in(self, other: TrainingBins, blocks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Bins that begin within the ``blocks`` (bins,) of training bins of another phase: (bins,) bool."""
        parts = []
        of_sessions = np.split(blocks, np.cumsum(other.session_bins)[:-1])
        for here, there, held_out in zip(self.bin_frames, other.bin_frames, of_sessions, strict=True):
            before = np.searchsorted(there, here, side="right") - 1
            parts.append(held_out[np.maximum(before, 0)] if len(there) else np.zeros(len(here), dtype=bool))
        return np.concatenate(parts)


def bins_to_train(sessions: Sequence[SessionBins], settings: Settings) -> TrainingBins:
    """The training bins among the bins of sessions; see :func:`bsoid_gpu.method.subsample.training_bins`."""
    all_bins = [session.features.shape[0] for session in sessions]
    chosen = training_bins(all_bins, settings.max_training_bins, settings.seed)
    share = sum(map(len, chosen)) / sum(all_bins)
    return TrainingBins(
        features=np.concatenate([_rows(session, part) for session, part in zip(sessions, chosen, strict=True)]),
        chosen=chosen,
        bin_frames=[np.asarray(session.bin_frames)[part] for session, part in zip(sessions, chosen, strict=True)],
        bin_s=settings.features.bin_s / share,
        all_bins=all_bins,
    )


def of_phase(extracted: Sequence[SessionFeatures], number: int) -> list[SessionBins]:
    """Bins of sessions at one of the phases of the build, 0 the first."""
    return [session.of_phase(number) for session in extracted]


def _rows(session: SessionBins, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Features of the chosen bins, read into memory."""
    rows = np.asarray(session.features[chosen])
    release(session.features)
    return rows
