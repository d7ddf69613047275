"""The dominant rhythm of a movement, over windows of about a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

WINDOW_S = 1.0
LOWEST_HZ, HIGHEST_HZ, STEP_HZ = 1.0, 12.0, 0.25
RHYTHM_HZ = 2.0  # slower movement has fewer than two cycles in a window: no rhythm
HIGHEST_SHARE = 0.4  # of the frame rate
LOBE_HZ = 1.0  # power so near to the peak belongs to it: half the main lobe of the window


class Rhythm(NamedTuple):
    """Rate in Hz, amplitude in the unit of the signal, and share (0..1) of the power at that rate: (samples,) each."""

    hz: Values
    amplitude: Values
    share: Values


def rhythm_of(signals: Values, at: NDArray[np.int64], fps: float) -> Rhythm:
    """Strongest rhythm around rows ``at`` of signals that move together; NaN where a window has a gap.

    The power spectrum of windows of 1 s (Hann, without mean and trend), summed over the signals. The amplitude is that
    of a sine wave with the power of the peak; the share is that of the power within 1 Hz of the peak, of all from 1 Hz
    to 12 Hz or 0.4 of the frame rate. Where the peak is below 2 Hz there is no rhythm: no rate, and a share of 0.

    Parameters
    ----------
    signals
        (rows, signals), such as the coordinates of a paw.
    at
        (samples,) rows.
    fps
        Rows per second.
    """
    half = max(2, round(WINDOW_S * fps / 2))
    width = 2 * half + 1
    nothing = Rhythm(*(np.full(len(at), np.nan) for _ in range(3)))
    rates = np.arange(LOWEST_HZ, min(HIGHEST_HZ, HIGHEST_SHARE * fps) + 1e-9, STEP_HZ)
    inside = (at >= half) & (at < len(signals) - half)
    if not len(rates) or not inside.any():
        return nothing
    window, waves = _waves(width, rates, fps)
    power = np.zeros((int(inside.sum()), len(rates)))
    for column in range(signals.shape[1]):
        views = np.lib.stride_tricks.sliding_window_view(signals[:, column].astype(np.float32), width)
        spectrum = views[at[inside] - half] @ waves
        power += spectrum[:, : len(rates)].astype(np.float64) ** 2 + spectrum[:, len(rates) :].astype(np.float64) ** 2
    peak = power.argmax(axis=1)  # of windows with NaN: any
    near = np.abs(rates[None, :] - rates[:, None]) <= LOBE_HZ
    total = power.sum(axis=1)
    at_peak = np.take_along_axis(power, peak[:, None], axis=1)[:, 0]
    known = np.isfinite(total)
    slow = rates[peak] < RHYTHM_HZ
    rhythm = nothing
    rhythm.hz[inside] = np.where(known & ~slow, rates[peak], np.nan)
    rhythm.amplitude[inside] = np.where(known, 2 * np.sqrt(at_peak) / window.sum(), np.nan)
    share = np.sum(np.where(near[peak], power, 0.0), axis=1) / np.where(total > 0, total, np.nan)
    rhythm.share[inside] = np.where(known, np.where(slow, 0.0, share), np.nan)
    return rhythm


def _waves(width: int, rates: Values, fps: float) -> tuple[Values, NDArray[np.float32]]:
    """Hann window, and waves (width, 2 rates) that give the spectrum of windows without mean and trend."""
    window = np.hanning(width + 2)[1:-1]
    time_s = (np.arange(width) - width // 2) / fps
    waves = np.concatenate([f(2 * np.pi * time_s[:, None] * rates) for f in (np.cos, np.sin)], axis=1)
    waves *= window[:, None]
    # orthogonal to constants and lines: the same as taking mean and trend from the signal, weighted by the window
    lines = np.stack([np.ones(width), time_s], axis=1)
    weighted = lines * window[:, None]
    waves -= weighted @ np.linalg.solve(lines.T @ weighted, lines.T @ waves)
    return window, waves.astype(np.float32)
