"""Standardisation of features, per recording or globally."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import array_namespace

from bsoid_gpu.estimators.standard_scaler import scale_of, standardise

if TYPE_CHECKING:
    from bsoid_gpu.typing import Array

TOGETHER = ""  # name of the global scale


def standardise_sessions(
    features: Array, session_bins: Sequence[int], recordings: Sequence[str], per: str
) -> tuple[Array, dict[str, tuple[Array, Array]]]:
    """Standardise features per recording, as in the method, or globally.

    Parameters
    ----------
    features
        (bins, columns), sessions one after another.
    session_bins, recordings
        Bins of each session, and the name of its recording.
    per
        ``"session"`` or ``"global"``.

    Returns
    -------
    tuple
        The standardised features (bins, columns) float64, and mean and standard deviation (columns,) by
        recording, or under ``""`` if global. A recording without bins has no scale.
    """
    xp = array_namespace(features)
    names = recordings if per == "session" else [TOGETHER] * len(recordings)
    stops = np.cumsum(session_bins).tolist()
    parts = [
        (name, features[stop - bins : stop, :])
        for name, bins, stop in zip(names, session_bins, stops, strict=True)
        if bins
    ]
    by_recording: dict[str, list[Array]] = {}
    for name, part in parts:
        by_recording.setdefault(name, []).append(part)
    scales = {name: scale_of(xp.concat(group)) for name, group in by_recording.items()}
    return xp.concat([standardise(part, *scales[name]) for name, part in parts]), scales
