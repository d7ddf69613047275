"""Tracks of one file: which of them are read as individuals.

A tracker begins a new track each time that it loses an animal, so that a file may have many more tracks than animals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.messages import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.io.reader import Request

MIN_TRACK_S = 10.0  # shorter tracks are left out beside longer ones


def long_tracks(frames_of: Mapping[str, NDArray[Any]], request: Request) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the tracks to choose from, and notes.

    Parameters
    ----------
    frames_of
        (frames,) ascending numbers of the frames in which each track is present.
    request
        If it names individuals, they are chosen among all tracks. Otherwise tracks with fewer than
        :data:`MIN_TRACK_S` seconds are left out, if there are longer ones.
    """
    if request.individuals:
        return tuple(frames_of), ()
    notes = []
    present = {name: frames for name, frames in frames_of.items() if len(frames)}
    animals = _most_in_a_frame(present)
    if len(present) > animals:
        notes.append(
            f"there are {len(present)} tracks but never more than {animals} in one frame: {_lengths(present)}. Where "
            "the tracker loses an animal its track ends; each track is a session of its own unless those of one animal "
            "are joined in the tracker"
        )
    min_frames = math.ceil(MIN_TRACK_S * request.fps)
    short = {name: frames for name, frames in frames_of.items() if len(frames) < min_frames}
    if not short or len(short) == len(frames_of):
        return tuple(frames_of), tuple(notes)
    notes.append(
        f"{len(short)} of {len(frames_of)} tracks have fewer than {min_frames:,} frames ({MIN_TRACK_S:g} s) and are "
        f"left out: {_lengths(short)}; to read tracks of any length, name them with --individuals"
    )
    return tuple(name for name in frames_of if name not in short), tuple(notes)


def _most_in_a_frame(frames_of: Mapping[str, NDArray[Any]]) -> int:
    """Largest number of tracks in one frame."""
    if not frames_of:
        return 0
    _, counts = np.unique(np.concatenate(list(frames_of.values())), return_counts=True)
    return int(counts.max())


def _lengths(frames_of: Mapping[str, NDArray[Any]]) -> str:
    """The longest tracks with their frames."""
    longest = sorted(frames_of.items(), key=lambda track: -len(track[1]))
    return listed(
        [
            f"{name!r} has {len(frames):,} frames" + (f" ({frames[0]} to {frames[-1]})" if len(frames) else "")
            for name, frames in longest
        ]
    )


def check_names(names: Sequence[str], path: Path) -> None:
    """Raise :class:`BadInput` where tracks have the same name."""
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        several = listed([f"{names.count(name)} tracks are named {name!r}" for name in repeated])
        msg = f"{str(path)!r}: {several}; expected one track for each animal: join or rename them in the tracker"
        raise BadInput(msg)
