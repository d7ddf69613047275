"""Tracks of a tracker without identities: it begins a new one each time that it loses an animal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from bsoid_gpu.io.reader import Request

SHORTEST_S = 10.0  # of a track that is read without being chosen
LISTED = 5  # tracks in a message


def long_tracks(frames_of: Mapping[str, int], request: Request, path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the tracks to choose from, and notes on those that are left out.

    All tracks where ``request.individuals`` chooses or where there is only one; else those of at least 10 s.

    Parameters
    ----------
    frames_of
        Number of frames of each track.
    request
        What is wanted.
    path
        The file, for messages.

    Raises
    ------
    BadInput
        All tracks are shorter than 10 s.
    """
    if request.individuals or len(frames_of) <= 1:
        return tuple(frames_of), ()
    fewest = math.ceil(SHORTEST_S * request.fps)
    short = [name for name, frames in frames_of.items() if frames < fewest]
    if not short:
        return tuple(frames_of), ()
    limit = f"{SHORTEST_S:g} s ({fewest:,} frames at {request.fps:g} frames per second)"
    longest = sorted(short, key=lambda name: -frames_of[name])
    if len(short) == len(frames_of):
        msg = (
            f"{str(path)!r}: all {len(short)} tracks are shorter than {limit}; the longest: "
            f"{_listed(longest, frames_of)}. Choose tracks with --individuals {longest[0]}, or join the tracks of each "
            "animal in the tracker"
        )
        raise BadInput(msg)
    note = (
        f"{len(short)} of {len(frames_of)} tracks are shorter than {limit} and are left out; the longest of them: "
        f"{_listed(longest, frames_of)}. --individuals chooses tracks"
    )
    return tuple(name for name in frames_of if name not in set(short)), (note,)


def _listed(names: Sequence[str], frames_of: Mapping[str, int]) -> str:
    return ", ".join(f"{name} with {frames_of[name]:,} frames" for name in names[:LISTED])
