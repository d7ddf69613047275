"""How far two backends may differ, and why so far."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Tolerance:
    """A number, and the reason for it."""

    value: float
    reason: str


FEATURES = Tolerance(1e-9, "largest relative difference: float64 on both backends, only sums are ordered differently")
RECALL = Tolerance(1.0, "share of equal neighbours: another search gives candidates, the selection is exact")
TRUSTWORTHINESS = Tolerance(0.003, "TODO")
CLUSTERS = Tolerance(2, "TODO")
CLUSTER_SHARE = Tolerance(0.2, "TODO")
RAND_INDEX = Tolerance(0.99, "adjusted Rand index of clusters of the same points: TODO")
HEIGHTS = Tolerance(0.25, "TODO")
EQUAL_HEIGHTS = Tolerance(1e-4, "TODO")
MEMBERSHIPS = Tolerance(0.98, "TODO")
LABELS = Tolerance(0.999, "share of equal labels of frames with one model: probabilities are float32")
ACCURACY = Tolerance(0.01, "TODO")
ESTIMATE = Tolerance(4.0, "TODO")


def agreement(bins: int) -> Tolerance:
    """Least normalised mutual information of the clusters of two embeddings of one data set."""
    return Tolerance(0.9, "TODO")


def described() -> dict[str, dict[str, float | str]]:
    """Every tolerance with its reason, by name."""
    return {name.lower(): asdict(value) for name, value in globals().items() if isinstance(value, Tolerance)}
