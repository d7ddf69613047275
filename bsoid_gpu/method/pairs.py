"""Pairs of keypoints: all, or those that the settings name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from itertools import combinations, permutations

from bsoid_gpu.errors import raise_all
from bsoid_gpu.pose import unknown_keypoint

Pair = tuple[int, int]
SEPARATOR = " - "


def all_pairs(keypoints: int) -> list[Pair]:
    """Every pair i < j of so many keypoints."""
    return list(combinations(range(keypoints), 2))


def named_pairs(keypoints: Sequence[str], names: Sequence[str] = ()) -> list[Pair]:
    """Indices of the keypoints of each pair.

    Parameters
    ----------
    keypoints
        Names of the keypoints, in order.
    names
        Pairs, such as ``"snout - tail_base"``, in the order wanted; empty for all. A keypoint may contain the
        separator.

    Raises
    ------
    BadInput
        Names that are not those of two keypoints, or a pair that is named twice; all problems are reported together.
    """
    if not names:
        return all_pairs(len(keypoints))
    readings = [_readings(name, keypoints) for name in names]
    problems = [
        problem for name, pairs in zip(names, readings, strict=True) for problem in _problems(name, pairs, keypoints)
    ]
    chosen = [pairs[0] for pairs in readings if pairs]
    unordered = [frozenset(pair) for pair in chosen]
    repeated = [pair for i, pair in enumerate(chosen) if unordered.index(frozenset(pair)) < i]
    problems += [f"{pair_name(keypoints, pair)!r} is named twice; name it once" for pair in repeated]
    raise_all(problems, heading="[features] pairs cannot be used:" if problems else "")
    return chosen


def pair_name(keypoints: Sequence[str], pair: Pair) -> str:
    """Name of a pair, as in the settings and the tables."""
    return f"{keypoints[pair[0]]}{SEPARATOR}{keypoints[pair[1]]}"


def _readings(name: str, keypoints: Sequence[str]) -> list[Pair]:
    """Pairs of keypoints that a name can mean; several where keypoints contain the separator."""
    parts = name.split(SEPARATOR)
    splits = [(SEPARATOR.join(parts[:i]), SEPARATOR.join(parts[i:])) for i in range(1, len(parts))]
    return [(keypoints.index(a), keypoints.index(b)) for a, b in splits if a in keypoints and b in keypoints]


def _problems(name: str, pairs: Sequence[Pair], keypoints: Sequence[str]) -> list[str]:
    """Sentences if a name is not that of exactly one pair of two keypoints."""
    if len(pairs) > 1:
        meanings = " or ".join(f"{keypoints[i]!r} and {keypoints[j]!r}" for i, j in pairs)
        return [f"{name!r} can mean {meanings}: rename one of these keypoints"]
    if pairs:
        same = pairs[0][0] == pairs[0][1]
        return [f"{name!r} names one keypoint twice; expected two keypoints"] if same else []
    sides = name.split(SEPARATOR)
    if len(sides) == 2:
        return [f"{name!r}: {unknown_keypoint(side, keypoints)}" for side in sides if side not in keypoints]
    valid = [pair_name(keypoints, (i, j)) for i, j in permutations(range(len(keypoints)), 2)]
    similar = difflib.get_close_matches(name, valid, n=1)
    hint = f"did you mean {similar[0]!r}? " if similar else ""
    return [
        f"{name!r} is no pair of keypoints; {hint}expected two names with {SEPARATOR!r} between them, of "
        f"{', '.join(map(repr, keypoints))}"
    ]
