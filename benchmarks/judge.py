"""Quality of an embedding and agreement of two clusterings, as all benchmarks measure them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn import manifold
from sklearn.metrics import normalized_mutual_info_score

from bsoid_gpu.run_folder import arrays, stages, store

SAMPLE_BINS, NEIGHBOURS = 6_000, 15


def trustworthiness(features: NDArray[np.float64], embedding: NDArray[np.float32]) -> float:
    """Trustworthiness of an embedding, with 15 neighbours, on a sample of 6,000 bins."""
    rows = np.random.default_rng(0).permutation(len(features))[:SAMPLE_BINS]
    return round(float(manifold.trustworthiness(features[rows], embedding[rows], n_neighbors=NEIGHBOURS)), 4)


def agreement(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Normalised mutual information of two clusterings on the bins that neither calls noise."""
    both = (one >= 0) & (other >= 0)
    return round(float(normalized_mutual_info_score(one[both], other[both])), 4)


def stored_embedding(run: Path) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Standardised features (bins, columns) of the training bins, and their embedding, from a run folder."""
    named, _ = arrays.loaded(run / store.STAGES / stages.EMBEDDING / store.ARRAYS)
    return named["scaled"], named["positions"]
