"""The quantities that features are made of: distances at the frames, turns and displacements at the steps between them.

Bins and windows work on any set of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from array_api_compat import array_namespace

from bsoid_gpu.method.pairs import Pair, all_pairs, named_pairs, pair_name
from bsoid_gpu.method.vectors import length, pair_vectors, turns

if TYPE_CHECKING:
    from bsoid_gpu.settings.schema import Features
    from bsoid_gpu.typing import Array

DISTANCE, TURN, DISPLACEMENT = "distance", "turn", "displacement"


class Quantity(NamedTuple):
    """Name and kind of a quantity: a distance (px) of a frame, or a turn (degrees) or displacement (px) of a step."""

    name: str
    kind: str


class Quantities(Protocol):
    """A set of quantities. Positions are (frames, keypoints, 2 or 3) px without NaN."""

    def listed(self, dimensions: int = 2) -> list[Quantity]:
        """The quantities of the frames, and then those of the steps, for positions of so many dimensions."""
        ...

    def at_frames(self, position: Array) -> Array:
        """Those of the frames: (frames, distances)."""
        ...

    def at_steps(self, position: Array) -> Array:
        """Those of the steps: (frames - 1, turns and displacements)."""
        ...


@dataclass(frozen=True)
class PairQuantities:
    """Distance and turn of each pair, and the displacement of each keypoint, as in the method."""

    keypoints: tuple[str, ...]
    pairs: tuple[Pair, ...]

    def listed(self, dimensions: int = 2) -> list[Quantity]:
        """See :class:`Quantities`."""
        names = [pair_name(self.keypoints, pair) for pair in self.pairs]
        return [
            *(Quantity(f"distance {name}", DISTANCE) for name in names),
            *(Quantity(f"{turn_word(dimensions)} {name}", TURN) for name in names),
            *(Quantity(f"displacement {keypoint}", DISPLACEMENT) for keypoint in self.keypoints),
        ]

    def at_frames(self, position: Array) -> Array:
        """See :class:`Quantities`."""
        return length(pair_vectors(position, self.pairs))

    def at_steps(self, position: Array) -> Array:
        """See :class:`Quantities`."""
        displacements = length(position[1:, ...] - position[:-1, ...])
        return array_namespace(position).concat([turns(pair_vectors(position, self.pairs)), displacements], axis=1)


def turn_word(dimensions: int) -> str:
    """Name of a turn: it has a sign in 2 dimensions, and none in 3."""
    return "turn" if dimensions == 2 else "unsigned turn"


def all_quantities(keypoints: int) -> PairQuantities:
    """Those of all pairs of so many keypoints, which have their numbers as names."""
    return PairQuantities(tuple(map(str, range(keypoints))), tuple(all_pairs(keypoints)))


def quantities_of(keypoints: Sequence[str], settings: Features) -> Quantities:
    """The quantities that the settings name, of these keypoints.

    Raises
    ------
    BadInput
        The settings name pairs that the keypoints do not have.
    """
    return PairQuantities(tuple(keypoints), tuple(named_pairs(keypoints, settings.pairs)))
