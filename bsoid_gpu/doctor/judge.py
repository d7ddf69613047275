"""Quality of an embedding and agreement of two clusterings, as self-check, proof and benchmarks measure them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE_BINS, NEIGHBOURS = 6_000, 15


def trustworthiness(features: NDArray[np.float64], embedding: NDArray[np.float32]) -> float:
    """Trustworthiness of an embedding (Venna & Kaski 2001), with 15 neighbours, on a sample of 6,000 bins."""
    from sklearn import manifold

    rows = np.random.default_rng(0).permutation(len(features))[:SAMPLE_BINS]
    return round(float(manifold.trustworthiness(features[rows], embedding[rows], n_neighbors=NEIGHBOURS)), 4)


def agreement(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Normalised mutual information of two clusterings on the bins that neither calls noise; 0 if there are none."""
    from sklearn.metrics import normalized_mutual_info_score

    both = (one >= 0) & (other >= 0)
    return round(float(normalized_mutual_info_score(one[both], other[both])), 4) if both.any() else 0.0
