"""Quality of an embedding and agreement of two clusterings, as all benchmarks measure them."""

import numpy as np
from sklearn import manifold
from sklearn.metrics import normalized_mutual_info_score

SAMPLE_BINS, NEIGHBOURS = 6_000, 15


def trustworthiness(features: np.ndarray, embedding: np.ndarray) -> float:
    """Trustworthiness of an embedding, with 15 neighbours, on a sample of 6,000 bins."""
    rows = np.random.default_rng(0).permutation(len(features))[:SAMPLE_BINS]
    return round(float(manifold.trustworthiness(features[rows], embedding[rows], n_neighbors=NEIGHBOURS)), 4)


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Normalised mutual information of two clusterings on the bins that neither calls noise."""
    both = (one >= 0) & (other >= 0)
    return round(float(normalized_mutual_info_score(one[both], other[both])), 4)
