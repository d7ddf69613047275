"""The feature columns: their names, and what they are; and a warning where they are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from bsoid_gpu.method.pairs import named_pairs, pair_name
from bsoid_gpu.method.quantities import DISPLACEMENT, TURN, Quantity, quantities_of

if TYPE_CHECKING:
    from bsoid_gpu.settings.schema import Features

MANY = 200  # quantities


class Column(NamedTuple):
    """A feature column: its name, and the quantity that it is of."""

    name: str
    quantity: Quantity

    @property
    def is_length(self) -> bool:
        """Whether its values are lengths in px."""
        return self.quantity.kind != TURN

    @property
    def is_speed(self) -> bool:
        """Whether its values are displacements, which follow the frame rate that is assumed."""
        return self.quantity.kind == DISPLACEMENT


def feature_columns(keypoints: Sequence[str], settings: Features, dimensions: int = 2) -> list[Column]:
    """The columns of :func:`bsoid_gpu.method.features.bin_features`, in their order.

    Parameters
    ----------
    keypoints
        Names of the keypoints, in order.
    settings
        Feature settings.
    dimensions
        Of the positions: 2, where turns have a sign, or 3, where they have none.
    """
    return [Column(quantity.name, quantity) for quantity in quantities_of(keypoints, settings).listed(dimensions)]


def feature_names(keypoints: Sequence[str], settings: Features, dimensions: int = 2) -> list[str]:
    """Names of :func:`feature_columns`."""
    return [column.name for column in feature_columns(keypoints, settings, dimensions)]


def column_warnings(keypoints: Sequence[str], settings: Features) -> list[str]:
    """A sentence with the settings to try if there are more than 200 quantities."""
    number = len(quantities_of(keypoints, settings).listed())
    if number <= MANY:
        return []
    few = keypoints[:3]
    listed = ", ".join(f'"{pair_name(few, pair)}"' for pair in ((0, 1), (1, 2)))
    return [
        f"{len(named_pairs(keypoints, settings.pairs))} pairs of {len(keypoints)} keypoints give {number:,} feature "
        f"columns, and above {MANY} most of them are redundant: choose the pairs that matter, for example [features] "
        f"pairs = [{listed}], or some keypoints, for example --keypoints {','.join(few)}"
    ]
