"""The feature columns: their names, and what they are; and a warning where they are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from bsoid_gpu.method.logarithms import PLAIN, function_of
from bsoid_gpu.method.pairs import named_pairs, pair_name
from bsoid_gpu.method.quantities import DISPLACEMENT, TURN, Quantity, quantities_of
from bsoid_gpu.settings.schema import PX

if TYPE_CHECKING:
    from bsoid_gpu.settings.schema import Features

MANY = 200  # quantities


class FeatureColumn(NamedTuple):
    """A feature column: its quantity, whether it is that of a bin, the function that is taken, the unit of lengths."""

    name: str
    quantity: Quantity
    of_bin: bool = True
    function: str = PLAIN
    unit: str = PX

    @property
    def is_length(self) -> bool:
        """Whether its values are lengths in px."""
        return self.quantity.kind != TURN and self.function == PLAIN and self.unit == PX

    @property
    def is_speed(self) -> bool:
        """Whether its values are displacements in a bin, which follow the frame rate that is assumed."""
        return self.quantity.kind == DISPLACEMENT and self.of_bin


def feature_columns(keypoints: Sequence[str], settings: Features, dimensions: int = 2) -> list[FeatureColumn]:
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
    listed = quantities_of(keypoints, settings).listed(dimensions)
    if not settings.scales_s:
        return [FeatureColumn(quantity.name, quantity, unit=settings.lengths) for quantity in listed]
    of_scales = [(seconds, spread) for seconds in settings.scales_s for spread in (False, True)]
    return [
        _of_window(quantity, seconds, settings, spread=spread, of_bin=number == 0)
        for number, (seconds, spread) in enumerate([(settings.bin_s, False), *of_scales])
        for quantity in listed
    ]


def _of_window(quantity: Quantity, seconds: float, settings: Features, *, spread: bool, of_bin: bool) -> FeatureColumn:
    """The mean or standard deviation (spread) of a quantity in a window."""
    function = function_of(quantity.kind, spread=spread) if settings.log else PLAIN
    name = f"{quantity.name}, {'spread' if spread else 'mean'} {seconds:g} s"
    return FeatureColumn(f"{name}, {function}" if function else name, quantity, of_bin, function, settings.lengths)


def feature_names(keypoints: Sequence[str], settings: Features, dimensions: int = 2) -> list[str]:
    """Names of :func:`feature_columns`."""
    return [column.name for column in feature_columns(keypoints, settings, dimensions)]


def column_warnings(keypoints: Sequence[str], settings: Features) -> list[str]:
    """A sentence with the settings to try if there are more than 200 quantities."""
    number = len(quantities_of(keypoints, settings).listed())
    if number <= MANY:
        return []
    columns = len(feature_columns(keypoints, settings))
    of_windows = "" if columns == number else f" ({columns:,} with all windows)"
    few = keypoints[:3]
    listed = ", ".join(f'"{pair_name(few, pair)}"' for pair in ((0, 1), (1, 2)))
    return [
        f"{len(named_pairs(keypoints, settings.pairs))} pairs of {len(keypoints)} keypoints give {number:,} feature "
        f"columns{of_windows}, and above {MANY} most of them are redundant: choose the pairs that matter, for example "
        f"[features] pairs = [{listed}], or some keypoints, for example --keypoints {','.join(few)}"
    ]
