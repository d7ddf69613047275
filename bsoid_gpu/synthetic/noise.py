"""Random values that are correlated in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def low_passed(
    spread: float, constant_s: float, shape: tuple[int, ...], fps: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """White noise through a first-order low pass: (frames, ...), of this standard deviation after a few constants.

    ``constant_s`` is the time in which the correlation falls to 1/e; 0 leaves the noise white. Without a spread no
    random numbers are used.
    """
    from scipy.signal import lfilter

    if spread == 0:
        return np.zeros(shape)
    decay = np.exp(-1 / (constant_s * fps)) if constant_s else 0.0
    noise = rng.normal(0, spread * np.sqrt(1 - decay**2), size=shape)
    return np.asarray(lfilter([1.0], [1.0, -decay], noise, axis=0))
