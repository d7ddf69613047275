"""Frame numbers from the times of the frames, and the frame rate that a file states."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 0.01  # by which a rate may differ from the requested one
MAX_TIME_S = 1e15  # beyond it there is no fraction of a second
WINDOW_FRAMES = 64  # at first, see `_grid`


class FrameTimes(NamedTuple):
    """Frames of a recording from their times.

    ``numbers`` (frames,) whole and ascending, the first is 0 unless the times are frame numbers; ``start_s`` is the
    time of frame 0 and ``rate`` the frames per second, both by these times; ``notes`` are what was assumed.
    """

    numbers: NDArray[np.float64]
    start_s: float
    rate: float
    notes: tuple[str, ...] = ()


class Grid(NamedTuple):
    """Evenly spaced times: the numbers of the nearest ones, of which the first is 0, and their period in seconds.

    ``unevenness`` is the standard deviation of the times from them, in periods.
    """

    numbers: NDArray[np.float64]
    period: float
    unevenness: float


def checked_rate(value: Any, where: str, fps: float) -> float:
    """Frames per second that a file states; BadInput where they are no rate, or not that of the camera."""
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = math.nan
    if not (math.isfinite(rate) and rate > 0):
        msg = f"{where}: the frame rate is {value!r}; expected frames per second, a number above 0: correct the file"
        raise BadInput(msg)
    if abs(rate - fps) > TOLERANCE * fps:
        correct = "correct the rate in the file, or give the file that the tracker itself wrote"
        if rate != 1:  # which SLEAP writes where it does not know the rate
            correct = f"give --fps {rate:g}, or {correct}"
        msg = f"{where}: the file states {rate:g} frames per second, but {fps:g} were given: {correct}"
        raise BadInput(msg)
    return rate


def frame_times(times_s: NDArray[Any], where: str, fps: float, *, in_seconds: bool = False) -> FrameTimes:
    """Number the frames by their times.

    Times may be uneven by less than half a frame. A longer step is a gap of whole frames. Times that rise by exactly 1
    are frame numbers: some programs write these where they do not know the times.

    Parameters
    ----------
    times_s
        (frames,) times as the file gives them, in seconds.
    where
        What they are, in messages, for example ``"'mouse.nwb', timestamps"``.
    fps
        Frames per second of the camera.
    in_seconds
        Whether it is certain that the times are seconds.

    Raises
    ------
    BadInput
        Times that do not rise, have another rate, or are too uneven.
    """
    times = np.asarray(times_s, dtype=np.float64)
    with np.errstate(all="ignore"):  # absurd times of a damaged file; they are refused by the checks
        steps = _rising_steps(times, where)
        if len(times) < 2:
            return FrameTimes(np.zeros(len(times)), float(times.sum()), fps)
        usual = float(np.partition(steps, len(steps) // 2)[len(steps) // 2])  # a median that is one of them
        if not in_seconds and usual == 1 and np.all(times == np.round(times)) and abs(fps - 1) > TOLERANCE:
            note = f"the times rise by 1: they are frame numbers, not seconds; {fps:g} frames per second as given"
            return FrameTimes(times, 0.0, fps, (note,))
        grid = _even_times(times, steps[(steps > 0.5 * usual) & (steps < 1.5 * usual)], fps)
    _check_grid(grid, times, usual, where, fps)
    return FrameTimes(grid.numbers, float(times[0]), 1 / grid.period)


def _even_times(times: NDArray[np.float64], single_steps: NDArray[np.float64], fps: float) -> Grid:
    """Fit even times; without gaps and late frames all steps are single, from one frame to the next."""
    period = float(single_steps.mean())
    if len(single_steps) == len(times) - 1:
        return Grid(np.arange(len(times), dtype=np.float64), period, 0.0)
    return min((_grid(times, start) for start in (period, 1 / fps)), key=lambda grid: grid.unevenness)


def _check_grid(grid: Grid, times: NDArray[np.float64], usual: float, where: str, fps: float) -> None:
    """Raise where the times have another rate, or two of them belong to one frame."""
    rises = np.diff(grid.numbers)
    if not (abs(grid.period * fps - 1) <= TOLERANCE and np.median(rises) == 1):
        step = grid.period if np.median(rises) == 1 else usual
        msg = (
            f"{where}: the times rise by {step:g}, which is {1 / step:g} frames per second if they are seconds, but "
            f"{fps:g} were given: give --fps {1 / step:g}, or correct the times in the file"
        )
        raise BadInput(msg)
    if np.any(rises < 1):
        row = int(np.argmax(rises < 1))
        msg = (
            f"{where}: the times are too uneven: rows {row + 1} and {row + 2} ({times[row]:g} and {times[row + 1]:g}) "
            f"are nearest to the same frame at {fps:g} frames per second; expected a time for each frame, within half "
            "a frame: correct the times in the file"
        )
        raise BadInput(msg)


def _rising_steps(times: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    """Differences of successive times; BadInput where a time is not a number or not above the last one."""
    usable = np.abs(times) < MAX_TIME_S
    if not np.all(usable):
        row = int(np.argmin(usable))
        msg = f"{where}: the time of row {row + 1} is {times[row]}; expected a time for each frame: correct the file"
        raise BadInput(msg)
    steps = np.diff(times)
    if np.any(steps <= 0):
        row = int(np.argmax(steps <= 0))
        what = "is repeated in" if steps[row] == 0 else f"is followed by {times[row + 1]:g} in"
        msg = (
            f"{where}: {times[row]:g} {what} row {row + 2}; expected rising times, one for each frame: are several "
            "recordings joined in one file? Separate them"
        )
        raise BadInput(msg)
    return steps


def _grid(times: NDArray[np.float64], period: float) -> Grid:
    """Fit an even grid to the times by least squares.

    It is fitted to the first frames, then to a quarter more, and so on: the error of the period stays so small that
    it does not amount to half a frame in those that are added.

    Parameters
    ----------
    times
        (frames,) rising.
    period
        Of the grid, within a percent.
    """
    since = times - times[0]
    turns = np.exp(2j * np.pi * since[:WINDOW_FRAMES] / period)
    start = np.angle(turns.mean()) / (2 * np.pi) * period  # the mean phase: the first time may be off by half a frame
    window = WINDOW_FRAMES
    while True:
        numbers = np.round((since[:window] - start) / period)
        deviation = numbers - numbers.mean()
        if np.any(deviation != 0):
            period = float(deviation @ since[:window] / (deviation @ deviation))
            start = since[:window].mean() - period * numbers.mean()
        if window >= len(times):
            break
        window += window // 4
    position = (since - start) / period
    numbers = np.round(position)
    return Grid(numbers - numbers[0], period, float(np.std(position - numbers)))
