"""The quantities that features are made of: distances at the frames, turns and displacements at the steps between them.

Bins and windows work on any set of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from array_api_compat import array_namespace

from bsoid_gpu.errors import raise_all
from bsoid_gpu.method.pairs import Pair, all_pairs, named_pairs, pair_name
from bsoid_gpu.method.vectors import length, pair_vectors, turns
from bsoid_gpu.pose import unknown_keypoint

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


@dataclass(frozen=True)
class RoleQuantities:
    """The seven quantities of the first form of the method (Hsu & Yttri 2021), of six keypoints named by their roles.

    At the frames: the body length, from the snout to the tail base; how far the snout is ahead of the forepaws, and of
    the hindpaws (the body length less the distance of the midpoint of the paws from the tail base); and the distance
    of the forepaws from each other. At the steps: the displacements of the snout and of the tail base, and the turn of
    the vector from the tail base to the snout.

    Parameters
    ----------
    keypoints
        Names of all keypoints, in order.
    roles
        Those of the roles, in the order of :data:`bsoid_gpu.settings.schema.KEYPOINT_ROLES`.
    """

    keypoints: tuple[str, ...]
    roles: tuple[str, ...]

    def listed(self, dimensions: int = 2) -> list[Quantity]:
        """See :class:`Quantities`."""
        snout, left_fore, right_fore, left_hind, right_hind, tail = self.roles
        return [
            Quantity(f"distance {pair_name(self.roles, (0, 5))}", DISTANCE),
            Quantity(f"distance {snout} ahead of {left_fore} + {right_fore}", DISTANCE),
            Quantity(f"distance {snout} ahead of {left_hind} + {right_hind}", DISTANCE),
            Quantity(f"distance {pair_name(self.roles, (1, 2))}", DISTANCE),
            Quantity(f"displacement {snout}", DISPLACEMENT),
            Quantity(f"displacement {tail}", DISPLACEMENT),
            Quantity(f"{turn_word(dimensions)} {pair_name(self.roles, (5, 0))}", TURN),
        ]

    def at_frames(self, position: Array) -> Array:
        """See :class:`Quantities`."""
        snout, left_fore, right_fore, left_hind, right_hind, tail = self._of_roles(position)
        body = length(snout - tail)
        columns = [
            body,
            body - length((left_fore + right_fore) / 2 - tail),
            body - length((left_hind + right_hind) / 2 - tail),
            length(left_fore - right_fore),
        ]
        return array_namespace(position).stack(columns, axis=1)

    def at_steps(self, position: Array) -> Array:
        """See :class:`Quantities`."""
        snout, *_, tail = self._of_roles(position)
        displacements = [length(point[1:, :] - point[:-1, :]) for point in (snout, tail)]
        turn = turns((snout - tail)[:, None, :])
        return array_namespace(position).stack([*displacements, turn[:, 0]], axis=1)

    def _of_roles(self, position: Array) -> list[Array]:
        """Positions (frames, space) of each role."""
        return [position[:, self.keypoints.index(name), :] for name in self.roles]


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
        The settings name pairs or roles that the keypoints do not have; all problems are reported together.
    """
    if settings.roles:
        unknown = [unknown_keypoint(name, keypoints) for name in settings.roles if name not in keypoints]
        raise_all(unknown, heading="[features] roles cannot be used:" if unknown else "")
        return RoleQuantities(tuple(keypoints), settings.roles)
    return PairQuantities(tuple(keypoints), tuple(named_pairs(keypoints, settings.pairs)))
