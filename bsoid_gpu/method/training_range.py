"""The range of a model: body length and features of its training sessions, to compare new sessions with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import array_namespace

from bsoid_gpu.method.array_quantiles import median
from bsoid_gpu.method.logarithms import LOG10, speed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.method.columns import FeatureColumn
    from bsoid_gpu.typing import Array

LEVELS = (0.005, 0.75, 0.9, 0.95, 0.995)  # of the stored quantiles
LOW, FAST, HIGH = 0, slice(1, 4), 4
ONE_PLACE_PX = 1e-6  # a smaller body length is that of rounding
ONE_PLACE = "all keypoints are in one place in most frames, so that the animal has no size: are these its positions?"
OTHER_SIZE = 1.25  # beyond the smallest and largest body length in training
# Smallest ratio of displacements, at each of the fast quantiles, that is taken for another frame rate. Of clips of 60 s
# of a mouse against other mice, 3 to 15 % reach it at their true rate and 83 to 100 % at half of it; of clips of 20 s,
# 8 to 20 % and 50 to 57 %.
OTHER_RATE, OTHER_RATE_SHORT, SHORT_S = 1.5, 1.6, 60.0
OUTSIDE_SHARE = 0.2  # of the windows; 1 % is expected
LISTED = 3  # columns in a message


@dataclass(frozen=True)
class TrainingRange:
    """Body lengths (sessions,) px of the training sessions, and quantiles (levels, columns) of the bins' features."""

    body_lengths_px: NDArray[np.float64]
    quantiles: NDArray[np.float64]

    @property
    def body_length_px(self) -> float:
        """Median body length."""
        return float(np.median(self.body_lengths_px))


def body_length(position: Array) -> Array:
    """Median over frames of the root mean square distance of the keypoints from their centroid, in px.

    Parameters
    ----------
    position
        (frames, keypoints, space) without NaN.

    Returns
    -------
    Array
        A number, on the device.
    """
    xp = array_namespace(position)
    centred = position - xp.mean(position, axis=1, keepdims=True)
    return median(xp.sqrt(xp.mean(xp.sum(centred * centred, axis=2), axis=1)))


def training_range(features: NDArray[np.float64], body_lengths_px: Sequence[float]) -> TrainingRange:
    """Range of a model from the training bins (bins, columns) and the body length of each session."""
    return TrainingRange(np.asarray(body_lengths_px, dtype=np.float64), np.quantile(features, LEVELS, axis=0))


def size_warning(known: TrainingRange, body_length_px: float) -> list[str]:
    """A sentence if the animal is much larger or smaller than every animal of the training sessions."""
    if body_length_px < ONE_PLACE_PX:
        return [f"{ONE_PLACE} The labels are not to be trusted"]
    factor = body_length_px / known.body_length_px
    smallest, largest = known.body_lengths_px.min(), known.body_lengths_px.max()
    if smallest / OTHER_SIZE <= body_length_px <= largest * OTHER_SIZE:
        return []
    return [
        f"bodies are {factor:.2g} times as large as in training ({body_length_px:.4g} px against "
        f"{known.body_length_px:.4g} px): another camera or resolution? The labels are not to be trusted; "
        f"--scale {1 / factor:.4g} brings the positions to the scale of training"
    ]


def feature_warnings(
    known: TrainingRange,
    features: NDArray[np.float64],
    columns: Sequence[FeatureColumn],
    fps: float,
    seconds: float,
    scale: float,
) -> list[str]:
    """Sentences on features that the model has not seen, and on a frame rate that displacements contradict.

    Parameters
    ----------
    known
        Range of the model.
    features
        (windows, columns), a sample of the session.
    columns
        What they are.
    fps
        Frame rate that is assumed.
    seconds
        Length of the session.
    scale
        Body length relative to training, which displacements follow.
    """
    if not len(features):
        return []
    return _rate_warning(known, features, columns, fps, seconds, scale) or _outside_warning(known, features, columns)


def _rate_warning(
    known: TrainingRange,
    features: NDArray[np.float64],
    columns: Sequence[FeatureColumn],
    fps: float,
    seconds: float,
    scale: float,
) -> list[str]:
    speeds = [i for i, column in enumerate(columns) if column.is_speed]
    here, there = np.quantile(features[:, speeds], LEVELS[FAST], axis=0), known.quantiles[FAST, speeds]
    if any(columns[i].function == LOG10 for i in speeds):
        here, there = speed_of(here), speed_of(there)
    moves = (here > 0).all(axis=0) & (there > 0).all(axis=0)
    if not moves.any():
        return []
    ratios = np.median(here[:, moves] / there[:, moves], axis=1) / scale
    limit = OTHER_RATE if seconds >= SHORT_S else OTHER_RATE_SHORT
    if not ((ratios > limit).all() or (ratios < 1 / limit).all()):
        return []
    ratio = float(np.median(ratios))
    return [
        f"displacements are {ratio:.2g} times those of training at {fps:g} fps: if the animals move alike, the frame "
        f"rate is about {fps / ratio:.3g}: check it, and give it with --fps"
    ]


def _outside_warning(
    known: TrainingRange, features: NDArray[np.float64], columns: Sequence[FeatureColumn]
) -> list[str]:
    outside = np.mean((features < known.quantiles[LOW]) | (features > known.quantiles[HIGH]), axis=0)
    beyond = [i for i in np.argsort(-outside, kind="stable") if outside[i] > OUTSIDE_SHARE]
    if not beyond:
        return []
    worst = ", ".join(f"{columns[i].name!r} in {outside[i]:.0%}" for i in beyond[:LISTED])
    return [
        f"{len(beyond)} of {len(columns)} features are often outside the range of training ({worst} of the windows; "
        "1 % is expected): this session differs from those that the model was built from"
    ]
