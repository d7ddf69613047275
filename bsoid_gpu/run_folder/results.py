"""The result of a build."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.estimators.base import Classifier
    from bsoid_gpu.run_folder.model_file import Model
    from bsoid_gpu.typing import Array


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
    session_of_bin, start_s
        (bins,) name of the session, and time of the first frame in seconds.
    backend, backend_features
        Where the run was computed, and the features there.
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
    session_of_bin: NDArray[np.object_] = field(repr=False)
    start_s: NDArray[np.float64] = field(repr=False)
    backend: Backend = field(repr=False)
    backend_features: Array = field(repr=False)

    @property
    def classifier(self) -> Classifier:
        """The classifier from features to labels, its arrays on the host."""
        return self.model.fitted()

    def table(self) -> Any:
        """One row per training bin: session, start, features, position in the embedding, and labels.

        The columns of ``training.csv`` but the names of behaviours, not rounded: a frame of pandas, or after a build on
        a GPU a frame of cuDF, made from the features in device memory.
        """
        from bsoid_gpu.run_folder.tables import run_columns

        return self.backend.table(run_columns(self))
