"""Descriptions of groups of labels: only sentences that separate the group, each checked on other animals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.behaviours import catalogue
from bsoid_gpu.behaviours.catalogue import DESCRIPTOR, unit_of
from bsoid_gpu.behaviours.measures import LEAST_BOUTS, Group, SessionMeasures
from bsoid_gpu.behaviours.ranks import mean_of_known
from bsoid_gpu.behaviours.words import Context, Value, compared, sentence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

SEPARATES = 0.75  # AUC, or 1 - AUC
UNITS_SHARE = 0.8  # of the animals in which it must
LEAST_UNITS = 2  # in each half
ENOUGH_SESSIONS = 5  # below, parts of the bouts stand for animals
MOST_SENTENCES = 4
SIMILAR = 0.75  # rank correlation of two descriptors that say the same
QUIET = {
    *(catalogue.MOVEMENT, catalogue.PLACE_SPEED, catalogue.TURN_SIZE, catalogue.HEAD_MOVEMENT),
    *(catalogue.FORE_MOVEMENT, catalogue.HIND_MOVEMENT, catalogue.OTHER_MOVEMENT, catalogue.BEND_SIZE),
}  # that one of them is low says most of the others too
# where two say nearly the same, the one that says more: added to |AUC - 0.5|
PREFERRED = {
    **{
        catalogue.FORWARD: 0.06,
        catalogue.TURN: 0.06,
        catalogue.BEND: 0.06,
        catalogue.ELONGATION: 0.06,
        catalogue.PLACE_SPEED: 0.01,
    },
    **{catalogue.LIMB_HZ: 0.04, catalogue.LIMB_SWING: 0.03, catalogue.LIMB_RHYTHM: 0.02},
    **{catalogue.HEAD_HZ: 0.04, catalogue.HEAD_SWING: 0.03, catalogue.HEAD_RHYTHM: 0.02},
}
NOTHING = "No clear signature."


@dataclass(frozen=True)
class Description:
    """What the animal does in a group of labels.

    ``signature`` is whether any statement separates it; ``basis`` says on what the statements were checked.
    ``nearest`` are the labels of the most similar group.
    """

    labels: Group
    sentences: tuple[str, ...]
    signature: bool
    values: tuple[Value, ...]
    basis: str
    nearest: Group = ()

    def as_json(self) -> dict[str, Any]:
        """For JSON; numbers that are not known are None."""
        values = [{key: _json(one) for key, one in asdict(value).items()} for value in self.values]
        return {
            "labels": list(self.labels),
            "sentences": list(self.sentences),
            "signature": self.signature,
            "values": values,
            "basis": self.basis,
            "nearest": list(self.nearest),
        }


def described(sessions: Sequence[SessionMeasures], length_unit: str = "body lengths") -> list[Description]:
    """Describe each group of labels.

    A statement holds if its descriptor has an AUC of at least 0.75, or at most 0.25, against the rest of the time in
    80 % of the animals, in either half of them. The values are means of the sessions' medians and quartiles.

    Parameters
    ----------
    sessions
        Measures of all sessions, with the same groups. A session counts as an animal; with fewer than 5 that have the
        group, each quarter of its bouts in a session does, in the order of time.
    length_unit
        ``"body lengths"`` or ``"mm"``: the unit that the sessions were measured in.

    Returns
    -------
    list[Description]
        One for each group, in order.
    """
    if not sessions:
        return []
    return [_description(number, group, sessions, length_unit) for number, group in enumerate(sessions[0].groups)]


def _json(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return float(f"{value:.5g}") if np.isfinite(value) else None


def _description(index: int, group: Group, sessions: Sequence[SessionMeasures], length_unit: str) -> Description:
    names = sessions[0].names
    halves, basis = _units(index, sessions)
    values = _values(index, sessions, length_unit)
    context = Context(
        {value.name: value for value in values},
        sessions[0].nouns,
        float(np.mean([one.body_length for one in sessions])),
        sessions[0].view,
    )
    if halves is None:
        bouts = sum(int(one.bouts[index]) for one in sessions)
        few = "" if not bouts else f" {bouts} bout{'s are' if bouts > 1 else ' is'} too few to check one."
        return Description(group, (NOTHING + few if bouts else "Does not occur.",), False, values, basis)
    correlation = np.mean([one.correlation for one in sessions], axis=0)
    nearest = _nearest(index, sessions)
    texts = _chosen(names, halves, correlation, context)
    if not texts:
        return Description(group, (NOTHING,), False, values, basis, nearest)
    return Description(
        group, (*texts, *_difference(index, nearest, sessions, length_unit)), True, values, basis, nearest
    )


def _units(index: int, sessions: Sequence[SessionMeasures]) -> tuple[tuple[Values, Values] | None, str]:
    """AUC of each animal or part of a session (units, descriptors) in two halves, and what they are; None if too few.

    The halves have different sessions where both then have 2 units, and different parts of the bouts otherwise.
    """
    present = [one for one in sessions if np.isfinite(one.auc[index]).any()]
    if len(present) >= ENOUGH_SESSIONS:
        units = [one.auc[index][None] for one in present]
        basis = f"checked on {len(present)} sessions, each half on the other"
    else:
        units = [one.part_auc[index] for one in present]
        units = [unit[np.isfinite(unit).any(axis=1)] for unit in units]
        count = sum(map(len, units))
        basis = (
            f"checked on {count} parts of the bouts of {len(present)} session{'s' * (len(present) != 1)}, each half on "
            f"the other: with fewer than {ENOUGH_SESSIONS} sessions it is not known whether other animals do the same"
        )
    halves = _split(units)
    if min(map(len, halves)) < LEAST_UNITS:
        halves = _split([unit[None] for of_session in units for unit in of_session])
    if min(map(len, halves)) < LEAST_UNITS:
        return None, f"too few bouts to check a statement: at least {2 * LEAST_UNITS * LEAST_BOUTS} are needed"
    return (halves[0], halves[1]), basis


def _split(units: Sequence[Values]) -> list[Values]:
    return [np.concatenate(half) if half else np.zeros((0, 0)) for half in (units[::2], units[1::2])]


def holds(half: Values, high: bool) -> NDArray[np.bool_]:
    """Whether each descriptor separates in enough of the units (units, descriptors)."""
    known = np.isfinite(half)
    separates = np.where(known, half if high else 1 - half, 0.0) >= SEPARATES
    count = known.sum(axis=0)
    return (count >= LEAST_UNITS) & (separates.sum(axis=0) >= UNITS_SHARE * count)


def _values(index: int, sessions: Sequence[SessionMeasures], length_unit: str) -> tuple[Value, ...]:
    keys = ("median", "q25", "q75", "rest_median", "auc")
    means = {key: mean_of_known(np.stack([getattr(one, key)[index] for one in sessions])) for key in keys}
    return tuple(
        Value(name, unit_of(DESCRIPTOR[name].kind, length_unit), *(float(means[key][column]) for key in keys))
        for column, name in enumerate(sessions[0].names)
    )


def _chosen(
    names: Sequence[str], halves: tuple[Values, Values], correlation: Values, context: Context
) -> tuple[str, ...]:
    """Sentences of the strongest statements that differ from each other."""
    candidates = []
    both = np.concatenate(halves)
    for high in (True, False):
        for column in np.flatnonzero(holds(halves[0], high) & holds(halves[1], high)).tolist():
            text = sentence(names[column], high, context)
            if text is not None:
                strength = abs(float(np.nanmedian(both[:, column])) - 0.5)
                candidates.append((strength + PREFERRED.get(names[column], 0.0), column, high, text))
    candidates.sort(key=lambda one: -one[0])
    chosen: list[tuple[int, bool, str]] = []
    duration: tuple[str, ...] = ()
    for _, column, high, text in candidates:
        if names[column] == catalogue.DURATION:
            duration = (text,)
        elif len(chosen) < MOST_SENTENCES and not _repeats(column, high, chosen, names, correlation):
            chosen.append((column, high, text))
    texts = tuple(text for _, _, text in sorted(chosen))  # in the order of the catalogue: first where it moves
    # how long the bouts are does not say what the animal does
    return (*texts, *duration)[:MOST_SENTENCES] if texts else ()


def _repeats(
    column: int, high: bool, chosen: Sequence[tuple[int, bool, str]], names: Sequence[str], correlation: Values
) -> bool:
    """Whether a statement says what a chosen one says already."""
    for other, other_high, _ in chosen:
        same_family = DESCRIPTOR[names[column]].family == DESCRIPTOR[names[other]].family
        both_quiet = not high and not other_high and {names[column], names[other]} <= QUIET
        if same_family or both_quiet or abs(correlation[column, other]) >= SIMILAR:
            return True
    return False


def _nearest(index: int, sessions: Sequence[SessionMeasures]) -> Group:
    """Labels of the group without common labels that the descriptors separate least; empty if there is none."""
    groups = sessions[0].groups
    pairs = mean_of_known(np.stack([one.pair_auc[index].ravel() for one in sessions]).astype(np.float64))
    gaps = mean_of_known(np.abs(pairs.reshape(len(groups), -1) - 0.5).T)
    others = [i for i in np.flatnonzero(np.isfinite(gaps)).tolist() if not set(groups[i]) & set(groups[index])]
    return groups[min(others, key=lambda i: float(gaps[i]))] if others else ()


def _difference(index: int, other: Group, sessions: Sequence[SessionMeasures], length_unit: str) -> tuple[str, ...]:
    """A sentence on the most similar group, and what differs most; none with fewer than 4 sessions to check it."""
    if not other:
        return ()
    nearest = sessions[0].groups.index(other)
    pairs = np.stack([one.pair_auc[index, nearest] for one in sessions])
    present = pairs[np.isfinite(pairs).any(axis=1)]
    if len(present) < 2 * LEAST_UNITS:
        return ()
    own, others_values = (_values(i, sessions, length_unit) for i in (index, nearest))
    name = f"label {other[0]}" if len(other) == 1 else f"labels {' and '.join(map(str, other))}"
    apart = np.abs(np.nan_to_num(mean_of_known(present), nan=0.5) - 0.5)
    preference = np.array(
        [PREFERRED.get(one, -np.inf if one == catalogue.DURATION else 0.0) for one in sessions[0].names]
    )
    for column in np.argsort(-apart - preference)[: np.sum(np.isfinite(preference))]:
        for high in (True, False):
            if holds(present[::2], high)[column] and holds(present[1::2], high)[column]:
                difference = compared(sessions[0].names[column], own[column], others_values[column])
                return (f"The most similar is {name}, but its {difference}.",)
    return (f"The most similar is {name}: no descriptor separates the two.",)
