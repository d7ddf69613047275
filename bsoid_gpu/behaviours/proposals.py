"""Proposed merges of labels that are one behaviour, and pairs that are its left and its right form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.behaviours import catalogue
from bsoid_gpu.behaviours.catalogue import DESCRIPTOR, SCALED
from bsoid_gpu.behaviours.grid import STEP_S
from bsoid_gpu.behaviours.measures import SessionMeasures
from bsoid_gpu.behaviours.ranks import mean_of_known
from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

MERGE, MIRROR = "merge", "mirror"
MIXED_SHARE, MIXED_LEAST = 0.06, 0.02  # of the bins of two labels, on average and in either direction
FOLLOWING_SHARE = 0.25  # of the bouts of each of two labels that the other one follows
NEAR_HEIGHT = 0.12  # of the median height at which two labels meet in the tree of the centres
ALIKE = 0.25  # largest |AUC - 0.5| of descriptors that do not separate
CLEARLY_APART = 0.4  # from that on, two labels are not one behaviour
OPPOSITE = 0.4  # least |AUC - 0.5| of a signed descriptor of left and right
TO_AND_FRO_SHARE, TO_AND_FRO_S = 0.5, 0.4  # left and right that follow each other so often, in bouts so short, are one
LEAST_S = 3.0  # of a label, below which nothing is proposed for it
SIMILAR_SIZE = 2.0  # largest ratio of the sizes of left and right
# descriptors that change within one movement: which limb is ahead, and how long a bout lasts
PHASES = {catalogue.FORE_LEAD, catalogue.HIND_LEAD, catalogue.DURATION, catalogue.FORWARD_ACCELERATION,
          catalogue.STRETCHING}  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """Labels that may be one behaviour: ``kind`` is ``"merge"`` or ``"mirror"``, ``reason`` a sentence."""

    labels: tuple[int, ...]
    kind: str
    reason: str


@dataclass(frozen=True, eq=False)
class Comparison:
    """How labels differ, means over the sessions.

    ``names`` of the descriptors; ``medians`` (labels, descriptors); ``auc`` (labels, labels, descriptors) less 0.5;
    NaN where unknown. ``body_length`` is in the unit of lengths; ``seconds`` (labels,) is how long each occurs.
    """

    names: tuple[str, ...]
    medians: Values
    auc: Values
    body_length: float
    seconds: Values

    @property
    def frequent(self) -> list[int]:
        """Labels that occur long enough for a proposal."""
        return [label for label, seconds in enumerate(self.seconds) if seconds >= LEAST_S]

    def gaps(self, left_out: Sequence[str] = ()) -> Values:
        """Largest distance of the AUC from 0.5 of each pair of labels: (labels, labels), NaN where none is known."""
        kept = [column for column, name in enumerate(self.names) if name not in left_out]
        return np.asarray(np.fmax.reduce(np.abs(self.auc[:, :, kept]), axis=2, initial=np.nan))

    def widest(self, i: int, j: int) -> tuple[str, float]:
        """Name of the descriptor that separates two labels most, durations left out, and its AUC, at least 0.5."""
        kept = np.array([name != catalogue.DURATION for name in self.names])
        apart = np.where(kept, np.nan_to_num(np.abs(self.auc[i, j])), 0.0)
        column = int(apart.argmax())
        return self.names[column], float(0.5 + apart[column])

    def directed(self, i: int, name: str) -> int:
        """1 or -1 where the median of a signed descriptor of a label is worth a word, else 0."""
        descriptor = DESCRIPTOR[name]
        least = descriptor.least * (self.body_length if descriptor.kind in SCALED else 1.0)
        value = self.medians[i, self.names.index(name)]
        return int(np.sign(value)) if abs(value) >= least else 0


def comparison(sessions: Sequence[SessionMeasures], labels: int) -> Comparison:
    """Compare the labels 0 to ``labels - 1``, each of which is a group of the sessions' measures.

    Raises
    ------
    BadInput
        A label without a group of its own.
    """
    groups = list(sessions[0].groups)
    missing = [label for label in range(labels) if (label,) not in groups]
    if missing:
        msg = f"the measures have no group of the labels {missing}; expected a group of its own for each label"
        raise BadInput(msg)
    own = [groups.index((label,)) for label in range(labels)]
    names = sessions[0].names
    medians = mean_of_known(np.stack([one.median[own].ravel() for one in sessions]))
    auc = mean_of_known(np.stack([one.pair_auc[np.ix_(own, own)].ravel() for one in sessions]).astype(np.float64))
    length = float(np.mean([one.body_length for one in sessions]))
    size = len(names)
    seconds = np.sum([one.samples[own] for one in sessions], axis=0) * STEP_S
    return Comparison(names, medians.reshape(labels, size), auc.reshape(labels, labels, size) - 0.5, length, seconds)


def proposals(
    compared: Comparison,
    confusion: NDArray[np.int64] | None = None,
    transitions: NDArray[np.int64] | None = None,
    centres: Values | None = None,
) -> list[Proposal]:
    """Merges, strongest first, then mirror pairs; each with its reason.

    Two labels are proposed where no descriptor separates them, or where the classifier mixes them, most of their bouts
    follow each other both ways, or their centres are near, unless a descriptor separates them clearly. Which limb is
    ahead, and changes of speed and length, do not: they differ between phases of one movement. A merge of
    several has no two labels that are clearly apart, and never left and right.

    Parameters
    ----------
    compared
        How the labels differ, see :func:`comparison`.
    confusion
        (labels, labels) number of bins by label and by the label predicted in cross-validation.
    transitions
        (labels, labels) number of bouts of the label of the column that follow one of the row.
    centres
        (labels, columns) means of standardised features; NaN for a label without bins.
    """
    evidence = _evidence(compared, confusion, transitions, centres)
    follows = None if transitions is None else _shares(transitions)
    apart = np.nan_to_num(compared.gaps(tuple(PHASES)), nan=1.0)
    apart_without_sides = np.nan_to_num(compared.gaps((*PHASES, *_signed(compared))), nan=1.0)
    never = apart >= CLEARLY_APART
    for i, j in combinations(compared.frequent, 2):
        if _to_and_fro(compared, follows, i, j):
            never[i, j] = apart_without_sides[i, j] >= CLEARLY_APART
        else:
            never[i, j] |= _opposite(compared, i, j)
    merges = _merges(evidence, never)
    joined = {label: merge.labels for merge in merges for label in merge.labels}
    return merges + _mirrors(compared, joined)


def _merges(evidence: dict[tuple[int, int], tuple[float, str]], never: NDArray[np.bool_]) -> list[Proposal]:
    """Join pairs of labels from the strongest on, if no two labels of the result must ``never`` be joined.

    Half of the pairs between the parts that are joined must have evidence: a chain of neighbours is no behaviour.
    """
    member: dict[int, tuple[int, ...]] = {label: (label,) for pair in evidence for label in pair}
    links: dict[tuple[int, ...], list[tuple[float, str]]] = {}
    for (i, j), (strength, reason) in sorted(evidence.items(), key=lambda item: (-item[1][0], item[0])):
        first, second = member[i], member[j]
        crossing = [(min(a, b), max(a, b)) for a in first for b in second]
        if first == second or any(never[pair] for pair in crossing):
            continue
        if 2 * sum(pair in evidence for pair in crossing) < len(crossing):
            continue
        joined = tuple(sorted(first + second))
        links[joined] = [*links.pop(first, []), *links.pop(second, []), (strength, reason)]
        member |= dict.fromkeys(joined, joined)
    strongest = sorted(links.items(), key=lambda item: -max(item[1])[0])
    return [Proposal(labels, MERGE, "; ".join(reason for _, reason in said) + ".") for labels, said in strongest]


def _to_and_fro(compared: Comparison, follows: Values | None, i: int, j: int) -> bool:
    """Whether left and right are phases of one movement: short bouts that mostly follow each other."""
    if follows is None:
        return False
    longest_s = compared.medians[[i, j], compared.names.index(catalogue.DURATION)].max()
    return bool(min(follows[i, j], follows[j, i]) >= TO_AND_FRO_SHARE and longest_s <= TO_AND_FRO_S)


def _evidence(
    compared: Comparison,
    confusion: NDArray[np.int64] | None,
    transitions: NDArray[np.int64] | None,
    centres: Values | None,
) -> dict[tuple[int, int], tuple[float, str]]:
    """Strength and reason of each pair of labels for which anything speaks."""
    mixed = _mixed(confusion)
    follows = None if transitions is None else _shares(transitions)
    near = None if centres is None else _near(centres)
    alike = compared.gaps((catalogue.DURATION,))
    evidence = {}
    for i, j in combinations(compared.frequent, 2):
        strength, said = 0.0, []
        if alike[i, j] < ALIKE:
            name, auc = compared.widest(i, j)
            strength += 1 - alike[i, j] / ALIKE
            said.append(f"no descriptor separates them (at most {name}, AUC {auc:.2f})")
        if mixed is not None and mixed[i, j] >= MIXED_SHARE:
            strength += mixed[i, j] / MIXED_SHARE / 4
            said.append(f"the classifier mixes {100 * mixed[i, j]:.0f} % of their bins in cross-validation")
        if follows is not None and min(follows[i, j], follows[j, i]) >= FOLLOWING_SHARE:
            strength += min(follows[i, j], follows[j, i])
            said.append(
                f"{100 * follows[i, j]:.0f} % of the bouts of {i} lead to {j} and {100 * follows[j, i]:.0f} % of those "
                f"of {j} to {i}, as phases of one movement do"
            )
        if near is not None and near[i, j] <= NEAR_HEIGHT:
            strength += NEAR_HEIGHT - near[i, j]
            said.append(f"their centres are {near[i, j]:.2f} of the usual distance apart")
        if said:
            evidence[i, j] = (float(strength), f"{i} and {j}: {', '.join(said)}")
    return evidence


def _shares(counts: NDArray[np.int64]) -> Values:
    """Each row over its sum, without the diagonal of transitions."""
    counts = np.asarray(counts, dtype=np.float64).copy()
    np.fill_diagonal(counts, 0.0)
    total = counts.sum(axis=1, keepdims=True)
    return counts / np.where(total > 0, total, 1.0)


def _mixed(confusion: NDArray[np.int64] | None) -> Values | None:
    """Share of the bins of two labels that get the other's, mean of both directions; 0 where one of them is small."""
    if confusion is None:
        return None
    counts = np.asarray(confusion, dtype=np.float64)
    total = counts.sum(axis=1, keepdims=True)
    share = counts / np.where(total > 0, total, 1.0)
    return np.where(np.minimum(share, share.T) >= MIXED_LEAST, (share + share.T) / 2, 0.0)


def _near(centres: Values) -> Values:
    """Height at which labels meet in the tree of average linkage, over its median; infinite without a centre."""
    from scipy.cluster.hierarchy import cophenet, linkage
    from scipy.spatial.distance import squareform

    known = np.flatnonzero(np.isfinite(centres).all(axis=1))
    heights = np.full((len(centres), len(centres)), np.inf)
    if len(known) > 2:
        met = squareform(cophenet(linkage(centres[known], "average")))
        usual = float(np.median(met[np.triu_indices(len(known), 1)]))
        heights[np.ix_(known, known)] = met / usual if usual > 0 else np.inf
    return heights


def _signed(compared: Comparison) -> list[str]:
    """Signed descriptors that stay the same during a movement."""
    return [name for name in compared.names if DESCRIPTOR[name].signed and name not in PHASES]


def _opposite(compared: Comparison, i: int, j: int) -> bool:
    """Whether a signed descriptor has opposite directions."""
    return any(compared.directed(i, name) * compared.directed(j, name) < 0 for name in _signed(compared))


def _mirrors(compared: Comparison, joined: dict[int, tuple[int, ...]]) -> list[Proposal]:
    """Pairs of labels that are equal in all descriptors without direction and opposite in those with one.

    Of the labels of a proposed merge (``joined``), one stands for all.
    """
    unsigned = compared.gaps([one.name for one in catalogue.DESCRIPTORS if one.signed or one.name in PHASES])
    candidates = []
    for i, j in combinations(compared.frequent, 2):
        name = _reversed(compared, i, j)
        if name is not None and unsigned[i, j] < ALIKE and joined.get(i) != joined.get(j, (j,)):
            candidates.append((float(unsigned[i, j]), i, j, name))
    taken: set[int] = set()
    pairs = []
    for _, i, j, name in sorted(candidates):
        if not taken & {i, j}:
            taken |= {*joined.get(i, (i,)), *joined.get(j, (j,))}
            pairs.append(Proposal((i, j), MIRROR, _mirror_reason(compared, i, j, name)))
    return pairs


def _reversed(compared: Comparison, i: int, j: int) -> str | None:
    """The signed descriptor that separates two labels most, if it is opposite and of similar size, and none agrees."""
    columns = {name: compared.names.index(name) for name in _signed(compared)}
    signs = {name: compared.directed(i, name) * compared.directed(j, name) for name in columns}
    if any(sign > 0 for sign in signs.values()):
        return None
    opposite = [name for name, sign in signs.items() if sign < 0 and abs(compared.auc[i, j, columns[name]]) >= OPPOSITE]
    for name in sorted(opposite, key=lambda name: -abs(compared.auc[i, j, columns[name]])):
        sizes = np.abs(compared.medians[[i, j], columns[name]])
        if sizes.max() <= SIMILAR_SIZE * sizes.min():
            return name
    return None


def _mirror_reason(compared: Comparison, i: int, j: int, name: str) -> str:
    from bsoid_gpu.behaviours.words import quantity

    values = compared.medians[[i, j], compared.names.index(name)]
    unit = DESCRIPTOR[name].kind if DESCRIPTOR[name].kind not in SCALED else ""
    sides = ["right" if value > 0 else "left" for value in values]
    first, second = (f"{quantity(abs(value), unit)} to the {side}" for value, side in zip(values, sides, strict=True))
    return f"{i} and {j} differ in direction only: the {name} is {first} in {i} and {second} in {j}."
