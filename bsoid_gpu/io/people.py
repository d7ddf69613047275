"""People of human pose estimators, which list those of each frame in any order.

One person in every frame is one individual. Several need identities: which person of the next frame is which is never
guessed from their positions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.arrange import INDIVIDUAL, arranged_pose, chosen_names
from bsoid_gpu.io.reader import Outline, Request
from bsoid_gpu.io.tracks import long_tracks

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from bsoid_gpu.pose import Pose

NOT_NUMBERS = (ValueError, TypeError, OverflowError, RecursionError)  # NumPy's errors


class Person(NamedTuple):
    """One person of one frame: (keypoints, space + 1) coordinates and confidence; identity, None if unknown."""

    values: NDArray[np.float64]
    identity: int | None = None

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Whether each keypoint has a position, (keypoints,); a confidence of 0 marks a missing one."""
        return np.isfinite(self.values).all(axis=1) & (self.values[:, -1] > 0)


class People(NamedTuple):
    """Numbers of the frames, the people of each frame, and what the reader assumed."""

    numbers: list[int]
    people: list[list[Person]]
    notes: tuple[str, ...] = ()


Track = dict[int, Person]  # of each row in which the person is there


def json_content(data: bytes, where: str) -> Any:
    """Content of a JSON file.

    Raises
    ------
    BadInput
        It is damaged, or one key of an object occurs twice.
    """
    try:
        return json.loads(data, object_pairs_hook=_each_key_once)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        msg = f"{where} is not JSON, or it is cut short ({reason}): write it again, or leave it out"
        raise BadInput(msg) from error


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        msg = "a key occurs twice in one object"
        raise ValueError(msg)
    return content


def number_array(values: Any, where: str) -> NDArray[np.float64]:
    """Numbers of a list, or of a list of lists of one length; null is NaN.

    Raises
    ------
    BadInput
        There are values that are no numbers, or lists of several lengths.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except NOT_NUMBERS as error:
        msg = f"{where}: expected lists of numbers, all of one length ({str(error)[:200]})"
        raise BadInput(msg) from error


def triplets(values: Any, where: str, width: int = 3) -> NDArray[np.float64]:
    """(keypoints, width) from a flat list, ``x, y, confidence`` of each keypoint (or ``x, y, z, confidence``)."""
    flat = number_array(values, where)
    if flat.ndim != 1 or flat.size % width:
        msg = f"{where} has values of shape {flat.shape}; expected one list with {width} numbers for each keypoint"
        raise BadInput(msg)
    return flat.reshape(-1, width)


def shown(value: Any) -> str:
    """A value of a JSON file in a message: the beginning of a text or number, the type of all else."""
    return repr(value)[:60] if isinstance(value, str | int | float) else f"of type {type(value).__name__}"


def identity_of(value: Any) -> int | None:
    """Identity from a number, or from a list of one; None for all else and for negative numbers."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53 or value != int(value):
        return None
    return int(value)


def people_pose(content: People, names: Sequence[str], path: Path, request: Request, remedy: str) -> Pose:
    """Pose of the people.

    Keypoints that nobody has in any frame are left out, unless keypoints are requested.

    Parameters
    ----------
    content
        The people of each frame.
    names
        Names of the keypoints.
    path
        The file or folder.
    request
        What is wanted.
    remedy
        What gives the people identities, for messages.

    Raises
    ------
    BadInput
        Several people without identities, an identity that occurs twice in a frame, or unknown names.
    """
    tracks, unknown = _tracks(content, path, remedy)
    frames = np.asarray(content.numbers)
    available, fragments = long_tracks({name: np.sort(frames[list(track)]) for name, track in tracks.items()}, request)
    individuals, keypoints, left_out = chosen_names(dict.fromkeys(available, names), request, path)
    values = _values({name: tracks[name] for name in individuals}, len(frames), names)
    unseen: tuple[str, ...] = ()
    if not request.keypoints:
        keypoints, unseen = _seen_keypoints(values, names)
    values = values[:, :, [names.index(keypoint) for keypoint in keypoints]]
    return arranged_pose(
        values[..., :-1],
        values[..., -1],
        path,
        request,
        individuals=individuals,
        keypoints=keypoints,
        frame_numbers=frames,
        notes=(*content.notes, *unknown, *fragments, *left_out, *unseen),
    )


def people_outline(content: People, names: Sequence[str], frames: int, size: int) -> Outline:
    """Outline of a recording from the people of some of its frames."""
    seen = [person for people in content.people for person in people if person.seen.any()]
    if seen:
        has_position = np.stack([person.seen for person in seen]).any(axis=0)
        names = [names[k] for k in np.flatnonzero(has_position).tolist()]
    identities = {person.identity for person in seen if person.identity is not None}
    return Outline(frames, tuple(names), max(len(identities), 1), size)


def keypoint_count(content: People, path: Path) -> int:
    """Number of keypoints, which is that of every person.

    Raises
    ------
    BadInput
        There are no people, or they have different numbers of keypoints.
    """
    shapes = {person.values.shape for people in content.people for person in people if len(person.values)}
    if not shapes:
        msg = f"{str(path)!r}: no person with body keypoints in any frame: leave this recording out"
        raise BadInput(msg)
    if len(shapes) > 1:
        counts = " and ".join(f"{keypoints} in {width - 1}-D" for keypoints, width in sorted(shapes))
        msg = f"{str(path)!r}: the people have {counts} keypoints; expected the same number: track it with one model"
        raise BadInput(msg)
    return shapes.pop()[0]


def _tracks(content: People, path: Path, remedy: str) -> tuple[dict[str, Track], tuple[str, ...]]:
    """The person of each row for each individual, and a note on people without an identity."""
    present = [[person for person in people if person.seen.any()] for people in content.people]
    tracks: dict[int, Track] = {}
    unknown = 0
    for row, people in enumerate(present):
        for person in people:
            if person.identity is None:
                unknown += 1
            elif row in tracks.setdefault(person.identity, {}):
                _refuse(f"two people have the identity {person.identity} in frame {content.numbers[row]}", path, remedy)
            else:
                tracks[person.identity][row] = person
    if tracks:
        note = f"{unknown:,} people without an identity are left out: the others have one"
        return {f"person_{name}": tracks[name] for name in sorted(tracks)}, (note,) if unknown else ()
    several = [row for row, people in enumerate(present) if len(people) > 1]
    if several:
        first = several[0]
        _refuse(
            f"{len(several):,} of {len(present):,} frames have several people without identities, the first is frame "
            f"{content.numbers[first]} with {len(present[first])}",
            path,
            remedy,
        )
    return {INDIVIDUAL: {row: people[0] for row, people in enumerate(present) if people}}, ()


def _refuse(reason: str, path: Path, remedy: str) -> None:
    msg = f"{str(path)!r}: {reason}. The order of people changes from frame to frame: {remedy}"
    raise BadInput(msg)


def _values(tracks: Mapping[str, Track], frames: int, names: Sequence[str]) -> NDArray[np.float64]:
    """(frames, individuals, keypoints, space + 1) coordinates and confidence, NaN where a person is not there."""
    width = next((person.values.shape[1] for track in tracks.values() for person in track.values()), 3)
    missing = np.append(np.full(width - 1, np.nan), 0.0)
    values = np.tile(missing, (frames, len(tracks), len(names), 1))
    for column, track in enumerate(tracks.values()):
        for row, person in track.items():
            values[row, column] = np.where(person.seen[:, None], person.values, missing)
    return values


def _seen_keypoints(values: NDArray[np.float64], names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Keypoints that some individual has in some frame, all if there are none; and a note on the others."""
    seen = (values[..., -1] > 0).any(axis=(0, 1))
    never = [names[k] for k in np.flatnonzero(~seen).tolist()]
    if len(never) in (0, len(names)):
        return tuple(names), ()
    note = f"{len(never)} of {len(names)} keypoints have no position in any frame and are left out: {', '.join(never)}"
    return tuple(name for name in names if name not in never), (note,)
