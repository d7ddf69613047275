"""Frame numbers of a file: checked, and sorted where they are not in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.csv_diagnosis import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNITS = {"milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}  # of times in place of frame numbers
MOST_EMPTY = 100  # frames for each one with an animal, as far as frames without one are added


class FrameNumbers(NamedTuple):
    """Frame numbers of the rows.

    ``numbers`` (rows,) int64, ascending; ``order`` (rows,) int64 sorts the rows by them, None if they are sorted;
    ``notes`` are what was repaired or is unusual.
    """

    numbers: NDArray[np.int64]
    order: NDArray[np.int64] | None
    notes: tuple[str, ...]


def checked_frame_numbers(values: NDArray[Any], where: str, fps: float) -> FrameNumbers:
    """Frame numbers from those that a file gives.

    Parameters
    ----------
    values
        (rows,) numbers as the file gives them, or texts.
    where
        What they are, in messages, for example ``"'mouse.csv', first column"``.
    fps
        Frames per second of the camera.

    Raises
    ------
    BadInput
        They are not whole numbers from 0 on, a number is repeated, or most frames are left out.
    """
    numbers = _whole_numbers(values, where)
    order = None
    notes: list[str] = []
    steps = np.diff(numbers)
    if np.any(steps < 0):
        order = np.argsort(numbers, kind="stable")
        row = int(np.flatnonzero(steps < 0)[0]) + 1
        notes.append(f"the frames are not in order (frame {numbers[row]} follows {numbers[row - 1]}): they were sorted")
        numbers = numbers[order]
        steps = np.diff(numbers)
    _check_steps(numbers, steps, where, fps)
    if len(numbers) and numbers[0] > 0:
        notes.append(f"the frames begin at number {numbers[0]}: labels carry these numbers")
    if np.any(steps > 1):
        gaps = np.flatnonzero(steps > 1)
        listed = [f"{numbers[gap] + 1} to {numbers[gap + 1] - 1}" for gap in gaps[:3]]
        left_out = int(np.sum(steps[gaps] - 1))
        more = f" and {len(gaps) - 3} more gaps" if len(gaps) > 3 else ""
        notes.append(f"{left_out:,} frames are left out ({', '.join(listed)}{more}): no window and no bout spans a gap")
    return FrameNumbers(numbers, order, tuple(notes))


def every_frame(numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All frame numbers from the first to the last, and the row of each, -1 for those that are left out.

    For formats that only hold frames with an animal. The numbers stay as they are where they do not rise or where most
    are left out, see :func:`checked_frame_numbers`.
    """
    rows = np.arange(len(numbers))
    steps = np.diff(numbers)
    if not len(steps) or np.any(steps < 1) or np.median(steps) > 1 or steps.sum() > MOST_EMPTY * len(numbers):
        return numbers, rows
    every = np.arange(numbers[0], numbers[-1] + 1)
    of_every = np.full(len(every), -1)
    of_every[numbers - numbers[0]] = rows
    return every, of_every


def _whole_numbers(values: NDArray[Any], where: str) -> NDArray[np.int64]:
    values = np.asarray(values)
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        first = str(next((value for value in values if not is_number(str(value))), ""))
        msg = (
            f"{where}: {first[:60]!r} is not a frame number; expected the number of the frame in the video. Images "
            "that were chosen for labelling are no recording: give the file with the tracked video"
        )
        raise BadInput(msg) from error
    wrong = np.flatnonzero(~np.isfinite(numbers) | (numbers != np.round(numbers)) | (numbers < 0) | (numbers > 2**53))
    if len(wrong):
        first = numbers[wrong[0]]
        times = " (are these times in seconds?)" if np.isfinite(first) and first != np.round(first) else ""
        msg = (
            f"{where}: row {wrong[0] + 1} has {values[wrong[0]]} as its frame number{times}; expected whole numbers "
            "from 0 on: number the frames as in the video"
        )
        raise BadInput(msg)
    return numbers.astype(np.int64)


def _check_steps(numbers: NDArray[np.int64], steps: NDArray[np.int64], where: str, fps: float) -> None:
    """Raise where a number is repeated, or where most frames of the video are left out."""
    if np.any(steps == 0):
        repeated = np.unique(numbers[1:][steps == 0])
        msg = (
            f"{where}: {len(repeated)} frame numbers are repeated, the first is {repeated[0]}: are several recordings "
            "joined in one file? Separate them, or number the frames as in the video"
        )
        raise BadInput(msg)
    if len(steps) and (step := int(np.sort(steps)[(len(steps) - 1) // 2])) > 1:
        for unit, per_second in UNITS.items():
            if abs(step * fps / per_second - 1) < 0.1:
                msg = (
                    f"{where}: the frame numbers rise by {step}, which is the time between two frames at {fps:g} "
                    f"frames per second in {unit}: are these times? Number the frames as in the video, from 0 on"
                )
                raise BadInput(msg)
        rate = f" ({fps / step:g} if {fps:g} is the rate of the video)" if fps else ""
        msg = (
            f"{where}: the frame numbers rise by {step}: only every {_ordinal(step)} frame was tracked. Number the "
            f"frames from 0 without gaps and give their own rate with --fps{rate}"
        )
        raise BadInput(msg)


def _ordinal(number: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if 10 <= number % 100 <= 20 else endings.get(number % 10, 'th')}"
