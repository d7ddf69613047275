"""How far two backends may differ, and why so far.

Layouts with other random numbers were compared on the CPU, on sessions of :mod:`bsoid_gpu.doctor.sessions` (16 runs):
four seeds from principal components and two from random positions.

======  =================  ========  =================
bins    trustworthiness    clusters  mutual information
======  =================  ========  =================
3,000   0.9726 to 0.9744   31 to 35  0.975 to 0.991
30,000  0.9749 to 0.9777   16 to 21  0.973 to 0.993
70,000  0.9688 to 0.9715   11 to 14  0.933 to 0.977
======  =================  ========  =================

Emulations of the seeded layouts of cuML, of which that of 23.12 applies the forces of a whole epoch at once, on other
sessions and on the same ones:

======  ======  ===============  ========  ==================
bins    layout  trustworthiness  clusters  mutual information
======  ======  ===============  ========  ==================
27,000  CPU     0.9749           13
27,000  26.10   0.9760           12        0.958
27,000  23.12   0.9691           14        0.939
30,000  CPU     0.9770           17
30,000  26.10   0.9772           17        0.994
30,000  23.12   0.9720           14        0.964
======  ======  ===============  ========  ==================
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Tolerance:
    """A number, and the reason for it."""

    value: float
    reason: str


FEATURES = Tolerance(1e-9, "largest relative difference: float64 on both backends, only sums are ordered differently")
RECALL = Tolerance(1.0, "share of equal neighbours: another search gives candidates, the selection is exact")
TRUSTWORTHINESS = Tolerance(
    0.003, "loss: other seeds and random positions lose up to 0.0021 on the CPU, a seed in cuML 23.12 0.005 and more"
)
CLUSTERS = Tolerance(3, "difference of few clusters: other seeds on the CPU give 11 to 14")
CLUSTER_SHARE = Tolerance(0.3, "difference as a share of many clusters: other seeds on the CPU give 16 to 21")
MANY_BINS = 50_000
AGREEMENT = Tolerance(
    0.95,
    "mutual information of clusters: other seeds on the CPU agree by 0.973 and more, a seed of cuML 23.12 by 0.939",
)
AGREEMENT_OF_MANY = Tolerance(
    0.90, f"the same above {MANY_BINS:,} bins, where clusters are few and large: 0.933 with other seeds on the CPU"
)
RAND_INDEX = Tolerance(
    0.98, "adjusted Rand index of the clusters of one embedding: 0.994 to 0.999 in emulations of the tree of cuML"
)
HEIGHTS = Tolerance(
    0.25, "largest relative difference of heights: 0.18 in emulations of the tree of cuML, which is that of a graph"
)
EQUAL_HEIGHTS = Tolerance(
    1e-4, "a smaller one is no tree of cuML: its core distances are off by 1e-3 in the median of emulations"
)
MEMBERSHIPS = Tolerance(0.98, "share of equal likeliest clusters: distances are float32, and bins lie between clusters")
LABELS = Tolerance(0.999, "share of equal labels of frames with one model: probabilities are float32")
ACCURACY = Tolerance(0.01, "loss of held-out accuracy: fits differ by rounding, which grows from step to step")
ESTIMATE = Tolerance(4.0, "times the measured peak that an estimate of memory should not exceed; no failure")


def agreement(bins: int) -> Tolerance:
    """Least normalised mutual information of the clusters of two embeddings of so many bins."""
    return AGREEMENT if bins <= MANY_BINS else AGREEMENT_OF_MANY


def described() -> dict[str, dict[str, float | str]]:
    """Every tolerance with its reason, by name."""
    return {name.lower(): asdict(value) for name, value in globals().items() if isinstance(value, Tolerance)}
