"""From the arrays of a file to a pose: the wanted animals and keypoints, and which positions are missing.

Every reader ends here, so that every format has the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io.frame_numbers import checked_frame_numbers
from bsoid_gpu.io.reader import Request
from bsoid_gpu.method.likelihood import all_coordinates, present
from bsoid_gpu.pose import Pose, unknown_keypoint, unknown_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.typing import Array

INDIVIDUAL = "individual"  # the name where a file gives none
FARTHEST = 1e9  # px or mm; beyond it, a number is damaged, and its square may overflow


def chosen_names(
    keypoints_of: Mapping[str, Sequence[str]], request: Request, path: Path
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Individuals and keypoints to read, and notes on those that are left out.

    Parameters
    ----------
    keypoints_of
        Keypoints of each individual of the file, in order.
    request
        What is wanted. Of the individuals, those with all the wanted keypoints are read.
    path
        The file, for messages.

    Raises
    ------
    BadInput
        Unknown names, or individuals with different keypoints without a choice between them.
    """
    wanted, available = request.individuals, tuple(keypoints_of)
    problems = [unknown_name("individual", name, available) for name in wanted if name not in available]
    for kind, names in (("individual", wanted), ("keypoint", request.keypoints)):
        repeated = sorted({name for name in names if names.count(name) > 1})
        problems += [f"the {kind} {name!r} is requested {names.count(name)} times; name it once" for name in repeated]
    _raise(problems, path)
    individuals = wanted or available
    if not request.keypoints:
        _raise(_different_keypoints({name: keypoints_of[name] for name in individuals}), path)
        return individuals, tuple(keypoints_of[individuals[0]]), ()
    missing = {
        name: [keypoint for keypoint in request.keypoints if keypoint not in keypoints_of[name]] for name in individuals
    }
    qualified = tuple(name for name in individuals if not missing[name])
    if not qualified:
        closest = min(individuals, key=lambda name: len(missing[name]))
        _raise([unknown_keypoint(keypoint, keypoints_of[closest]) for keypoint in missing[closest]], path)
    notes = tuple(
        f"the individual {name!r} is left out: it has no keypoint {', '.join(map(repr, missing[name]))}"
        for name in individuals
        if missing[name]
    )
    return qualified, request.keypoints, notes


def _raise(problems: Sequence[str], path: Path) -> None:
    raise_all(problems, heading=f"{str(path)!r}: the names cannot be used:")


def _different_keypoints(keypoints_of: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each individual that has other keypoints than the first one."""
    first, expected = next(iter(keypoints_of.items()))
    return [
        f"the individual {name!r} has the keypoints {', '.join(map(repr, own))}, {first!r} has "
        f"{', '.join(map(repr, expected))}; expected the same: choose animals with --individuals {first}, or common "
        "keypoints with --keypoints"
        for name, own in keypoints_of.items()
        if sorted(own) != sorted(expected)
    ]


def arranged_pose(
    position: Array,
    confidence: Array | None,
    path: Path,
    request: Request,
    *,
    individuals: Sequence[str],
    keypoints: Sequence[str],
    frame_numbers: NDArray[Any] | None = None,
    start_s: float = 0.0,
    notes: Sequence[str] = (),
) -> Pose:
    """Pose from the arrays of a file.

    A position is missing where a coordinate is NaN or infinite, and where the confidence is NaN or below 0. At 0, 0 and
    at -1, -1 it is missing too if its confidence is 0, the format has none, or all keypoints of the animal are there;
    otherwise a note says that it counts. A keypoint whose confidences are all NaN has confidence 1.

    Parameters
    ----------
    position
        (frames, individuals, keypoints, 2 or 3) on the backend or the host.
    confidence
        (frames, individuals, keypoints) likewise; None where the format has none: all positions have confidence 1.
    path
        The file or folder; it names the session.
    request
        What is wanted; names that are not among the wanted ones are already left out.
    individuals, keypoints
        Names along the axes.
    frame_numbers
        (frames,) as the file gives them; by default from 0 on. See :func:`checked_frame_numbers`.
    start_s
        Time of frame 0, in seconds.
    notes
        What the reader repaired or assumed.

    Raises
    ------
    BadInput
        No frames, frame numbers that cannot be used, or positions beyond 1e9.
    """
    position = _on_backend(position, request.backend)
    confidence = None if confidence is None else _on_backend(confidence, request.backend)
    xp = array_namespace(position)
    if position.shape[0] == 0:
        msg = f"{str(path)!r} has no frames"
        raise BadInput(msg)
    own_notes = list(notes)
    numbers = None
    if frame_numbers is not None:
        checked = checked_frame_numbers(frame_numbers, f"{path.name!r}", request.fps)
        numbers = checked.numbers
        own_notes += checked.notes
        if checked.order is not None:
            order = xp.asarray(checked.order, dtype=xp.int64, device=device_of(position))
            position = xp.take(position, order, axis=0)
            confidence = None if confidence is None else xp.take(confidence, order, axis=0)
    if confidence is None:
        own_notes.append("there are no likelihoods: all positions have confidence 1, and none is filtered")
    position, confidence, counts = _with_missing(position, confidence)
    own_notes += _position_notes(request.backend.to_host(counts), path, individuals, keypoints)
    return Pose(
        name=session_name(path),
        position=position,
        confidence=confidence,
        individuals=tuple(individuals),
        keypoints=tuple(keypoints),
        fps=request.fps,
        source=str(path),
        notes=tuple(own_notes),
        frame_numbers=numbers,  # type: ignore[arg-type]  # None: from 0 on
        start_s=start_s,
    )


def _on_backend(values: Array, backend: Backend) -> Array:
    return backend.asarray(values) if isinstance(values, np.ndarray) else values


def session_name(path: Path) -> str:
    """Name of the session of a file or folder."""
    return path.name if path.is_dir() else path.stem


def _with_missing(position: Array, confidence: Array | None) -> tuple[Array, Array, Array]:
    """Positions with NaN and confidences with 0 where they are missing, and what the notes need.

    The latter are (3, individuals, keypoints) int64: whether a keypoint with positions lacks confidences, its frames
    at 0, 0 or -1, -1 that count, and those beyond the farthest position.
    """
    xp = array_namespace(position)
    finite = all_coordinates(position, xp.isfinite)
    if confidence is None:
        confidence, empty = xp.ones_like(position[..., 0]), xp.zeros(position.shape[1:3], dtype=xp.bool)
        unconfirmed = xp.ones_like(finite)
    else:
        known = xp.isfinite(confidence)
        empty = ~xp.any(known, axis=0)  # an empty likelihood column says nothing against its positions
        confidence = xp.where(empty, xp.ones_like(confidence), xp.where(known, confidence, -xp.ones_like(confidence)))
        unconfirmed = (confidence <= 0) | empty
    constant = all_coordinates(position, lambda x: x == 0) | all_coordinates(position, lambda x: x == -1)
    if position.shape[2] > 1:  # no animal has all its keypoints in one place
        unconfirmed = unconfirmed | xp.all(constant | ~finite, axis=-1, keepdims=True)
    near = all_coordinates(position, lambda x: xp.abs(x) <= FARTHEST)
    seen = finite & (confidence >= 0) & ~(constant & unconfirmed)
    counts = xp.stack(
        [
            xp.astype(empty & xp.any(seen, axis=0), xp.int64),
            xp.sum(xp.astype(constant & seen, xp.int64), axis=0),
            xp.sum(xp.astype(seen & ~near, xp.int64), axis=0),
        ]
    )
    return xp.where(seen[..., None], position, xp.nan), xp.where(seen, confidence, xp.zeros_like(confidence)), counts


def _position_notes(
    counts: NDArray[Any], path: Path, individuals: Sequence[str], keypoints: Sequence[str]
) -> list[str]:
    """Sentences from the counts of :func:`_with_missing`; raise where there are positions beyond the farthest."""
    notes, problems = [], []
    for i, individual in enumerate(individuals):
        for k, keypoint in enumerate(keypoints):
            name = f"{individual} {keypoint}" if len(individuals) > 1 else keypoint
            empty, constant, far = counts[:, i, k]
            if empty:
                notes.append(
                    f"{name}: the likelihood column is empty: all positions have confidence 1, and none is filtered"
                )
            if constant:
                notes.append(
                    f"{name}: {constant:,} frames at exactly 0, 0 or -1, -1 have a confidence above 0 and count as "
                    "positions: give them confidence 0 if the tracker marks missing positions so"
                )
            if far:
                problems.append(
                    f"{name}: {far:,} positions are beyond {FARTHEST:g}; expected px or mm: correct these numbers, or "
                    "leave them empty where the position is missing"
                )
    raise_all(problems, heading=f"{str(path)!r}: the positions cannot be used:")
    return notes


def present_tracks(tracks: Sequence[Pose], backend: Backend) -> list[Pose]:
    """Tracks with a position in some frame; a note of the first one names the individuals that are left out.

    Raises
    ------
    BadInput
        No track has a position.
    """
    seen = [bool(backend.to_host(array_namespace(pose.position).any(present(pose.position)))) for pose in tracks]
    if not any(seen):
        msg = f"{tracks[0].name}: no keypoint has a position in any frame: leave this file out"
        raise BadInput(msg)
    absent = [pose.individuals[0] for pose, has_position in zip(tracks, seen, strict=True) if not has_position]
    first, *others = [pose for pose, has_position in zip(tracks, seen, strict=True) if has_position]
    notes = tuple(f"the individual {name!r} has no position in any frame and is left out" for name in absent)
    return [replace(first, notes=(*first.notes, *notes)), *others]
