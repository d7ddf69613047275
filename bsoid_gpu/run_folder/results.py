"""The result of a build."""

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

    Its bins are those of all sessions, one session after another, or a subsample of them.

    Parameters
    ----------
    model
        All that prediction needs; ``run.model.save(path)`` writes it.
    features, scaled_features
        (bins, columns) float64: raw, and on the scale of the embedding's input.
    embedding
        (bins, dimensions) float32.
    hard_labels
        (bins,) int64, labels of the clusterer, -1 for noise.
    soft_labels
        (bins,) int64, the cluster with the largest membership.
    membership
        (bins, labels) float32.
    training_bins
        (bins,) int64, indices among the bins of all sessions.
    predicted_labels
        (bins of all sessions,) int64, labels of the classifier.
    scores
        Held-out accuracies, and the numbers behind the warnings.
    confusion
        (labels, labels) number of bins by label and by the label predicted in cross-validation.
    sweep
        Clusters and noise at each minimum cluster size.
    sessions
        Name, recording, frames, bins, quality and notes of each session.
    warnings
        What was repaired, assumed or left out, and reasons not to trust the result; empty if there are none.
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
