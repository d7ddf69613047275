"""Tracks of a SLEAP file: which of them are read as individuals.

SLEAP begins a new track where it loses an animal, so that a file may have many more tracks than animals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.io.reader import Request

MIN_TRACK_S = 10.0  # shorter tracks are left out beside longer ones
MAX_LISTED = 5  # tracks in a message
MAX_RATE_ERROR = 0.01  # of the frame rate, for rates such as 29.97


class Extent(NamedTuple):
    """Number of frames in which a track is present, and the numbers of the first and the last of them."""

    frames: int
    first: int
    last: int


def extent(numbers: NDArray[Any]) -> Extent:
    """Extent of a track from the (n,) frame numbers in which it is present."""
    return Extent(len(numbers), int(numbers.min()), int(numbers.max())) if len(numbers) else Extent(0, 0, 0)


def long_tracks(
    extents: Mapping[str, Extent], animals: int, request: Request
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the tracks that are long enough, and notes.

    Parameters
    ----------
    extents
        Extent of each track.
    animals
        Largest number of tracks in one frame.
    request
        If it names individuals, these are all that counts; otherwise tracks with fewer than :data:`MIN_TRACK_S`
        seconds are left out, if there are longer ones.
    """
    if request.individuals:
        return tuple(extents), ()
    notes = []
    present = {name: own for name, own in extents.items() if own.frames}
    if len(present) > animals:
        notes.append(
            f"there are {len(present)} tracks but never more than {animals} in one frame: {_listed(present)}. Where "
            "SLEAP loses an animal its track ends; each track is a session of its own unless those of one animal are "
            "joined in SLEAP"
        )
    min_frames = math.ceil(MIN_TRACK_S * request.fps)
    short = {name: own for name, own in extents.items() if own.frames < min_frames}
    if not short or len(short) == len(extents):
        return tuple(extents), tuple(notes)
    notes.append(
        f"{len(short)} of {len(extents)} tracks have fewer than {min_frames} frames ({MIN_TRACK_S:g} s) and are left "
        f"out: {_listed(short)}; to read tracks of any length, name them with --individuals"
    )
    return tuple(name for name in extents if name not in short), tuple(notes)


def _listed(extents: Mapping[str, Extent]) -> str:
    """The longest tracks with their frames."""
    longest = sorted(extents.items(), key=lambda item: -item[1].frames)
    texts = [
        f"{name!r} has {own.frames:,} frames" + (f" ({own.first} to {own.last})" if own.frames else "")
        for name, own in longest[:MAX_LISTED]
    ]
    return ", ".join(texts) + (f" and {len(longest) - MAX_LISTED} have no more" if len(longest) > MAX_LISTED else "")


def check_names(names: Sequence[str], path: Path) -> None:
    """Raise :class:`BadInput` where tracks have the same name."""
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        listed = ", ".join(f"{names.count(name)} tracks are named {name!r}" for name in repeated[:MAX_LISTED])
        msg = f"{str(path)!r}: {listed}; expected one track for each animal: join or rename them in SLEAP"
        raise BadInput(msg)


def check_rate(stated: object, path: Path, request: Request) -> None:
    """Raise :class:`BadInput` where a file states another frame rate than the requested one."""
    if not isinstance(stated, int | float) or not math.isfinite(stated) or stated <= 0:
        return
    if abs(stated - request.fps) > MAX_RATE_ERROR * request.fps:
        msg = (
            f"{str(path)!r} states that its video has {stated:g} frames per second, fps is {request.fps:g}; expected "
            f"the same: give --fps {stated:g}, or correct the video's rate in the file"
        )
        raise BadInput(msg)


def numbers(values: NDArray[Any], kinds: str, dtype: type[Any]) -> NDArray[Any]:
    """Numbers of an HDF5 dataset as a type.

    Raises
    ------
    TypeError
        They are of another kind than the given ones (letters of :attr:`numpy.dtype.kind`).
    """
    if values.dtype.kind not in kinds:
        msg = f"values of type {values.dtype} stand where numbers are expected"
        raise TypeError(msg)
    with np.errstate(all="ignore"):  # numbers too large for the type are infinite
        return values.astype(dtype)
