"""What a build gives: by name what the original program returned by position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from bsoid_gpu.estimators.base import Classifier
    from bsoid_gpu.run_folder.model_file import Model


@dataclass(frozen=True)
class Run:
    """The result of a build.

    The bins are those of all sessions, one session after another, or a subsample of them.

    Parameters
    ----------
    model
        Everything that prediction needs; ``run.model.save(path)`` writes it.
    features, scaled_features
        (bins, columns) float64: raw, and on the scale of the embedding's input.
    embedding
        (bins, dimensions) float32.
    hard_labels
        (bins,) int64 of HDBSCAN, -1 for noise.
    soft_labels
        (bins,) int64, the cluster of the largest membership.
    membership
        (bins, labels) float32.
    training_bins
        (bins,) int64: which bins of all sessions these are.
    predicted_labels
        Label of each bin of all sessions by the classifier, int64.
    scores
        Held-out accuracies, and what the warnings follow from.
    confusion
        (labels, labels) bins by label and by label predicted in cross-validation.
    sweep
        Clusters and noise at each minimum cluster size.
    sessions
        Name, recording, frames, bins, quality and notes of each session.
    warnings
        Why the result should not be trusted; empty where nothing speaks against it.
    """

    model: Model
    features: NDArray[np.float64]
    scaled_features: NDArray[np.float64]
    embedding: NDArray[np.float32]
    hard_labels: NDArray[np.int64]
    soft_labels: NDArray[np.int64]
    membership: NDArray[np.float32]
    training_bins: NDArray[np.int64]
    predicted_labels: NDArray[np.int64]
    scores: dict[str, Any]
    confusion: NDArray[np.int64]
    sweep: pd.DataFrame
    sessions: list[dict[str, Any]]
    warnings: list[str]

    @property
    def classifier(self) -> Classifier:
        """The classifier from features to labels, its arrays on the host."""
        return self.model.fitted()
