"""OpenPose: a folder with one JSON file a frame is one recording, named after the folder.

The files are named ``NAME_000000000012_keypoints.json``, which gives the frame number. Each lists the people of the
frame; ``pose_keypoints_2d`` holds x, y and confidence of each keypoint, 0, 0, 0 where it is missing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.human_keypoints import OPENPOSE, named_keypoints
from bsoid_gpu.io.messages import listed
from bsoid_gpu.io.people import (
    People,
    Person,
    identity_of,
    json_content,
    keypoint_count,
    people_outline,
    people_pose,
    triplets,
)
from bsoid_gpu.io.reader import Outline, Reader, Request, beginning

if TYPE_CHECKING:
    from bsoid_gpu.pose import Pose

FRAME = re.compile(r"(?:(?P<name>.*)_)?(?P<number>\d{1,18})_keypoints\.json", re.IGNORECASE | re.DOTALL)
OTHER_DATA = {".csv", ".h5", ".hdf5", ".json", ".nwb", ".slp"}  # files beside the frames that a note names
SNIFFED_BYTES = 512
PEEKED = 5  # frames that are sniffed: the first may be damaged
SAMPLED = 100  # frames that an outline reads
OTHER_KEYPOINTS = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
REMEDY = "run OpenPose with --number_people_max 1 for one person, or write the identity of each person as its person_id"


def sniff(path: Path) -> bool:
    """Whether a folder has files named as OpenPose names frames, and one of the first begins as OpenPose writes it."""
    try:
        return any(_begins(path / name) for name in _listing(path)[0][:PEEKED])
    except OSError:
        return False


def read(path: Path) -> bytes:
    """Content of a folder: one line of JSON with the names and sizes of its files, then the files in frame order.

    Raises
    ------
    BadInput
        There are no frames, or those of several recordings.
    """
    frames, others = _frames(path)
    contents = [(path / name).read_bytes() for name in frames]
    header = {
        "frames": [[name, len(content)] for name, content in zip(frames, contents, strict=True)],
        "others": others,
    }
    return b"\n".join([json.dumps(header).encode(), b"".join(contents)])


def parse(data: bytes, path: Path, request: Request) -> Pose:
    """Pose from the content of a folder; see :func:`bsoid_gpu.io.parse_pose`."""
    files, others = _unpacked(data, path)
    content = _people(files, path)
    names, note = named_keypoints(keypoint_count(content, path), OPENPOSE)
    notes = [*content.notes, note]
    if others:
        notes.append(f"the folder is one recording of OpenPose: {', '.join(map(repr, others))} beside it left out")
    return people_pose(content._replace(notes=tuple(notes)), names, path, request, REMEDY)


def outline(path: Path) -> Outline:
    """Outline of a folder; only some of its files are read."""
    frames, _ = _frames(path)
    sample = frames[:: max(len(frames) // SAMPLED, 1)]
    content = _people([(name, (path / name).read_bytes()) for name in sample], path)
    names, _ = named_keypoints(keypoint_count(content, path), OPENPOSE)
    size = sum((path / name).stat().st_size for name in frames)
    return people_outline(content, names, len(frames), size)


READERS = (Reader("OpenPose", (), sniff, parse, outline, read),)


def _listing(path: Path) -> tuple[list[str], list[str]]:
    """Names of the frames in a folder, in their order, and of other files with data."""
    with os.scandir(path) as entries:
        names = [entry.name for entry in entries if entry.is_file() and not entry.name.startswith(".")]
    frames = {name: int(match["number"]) for name in names if (match := FRAME.fullmatch(name))}
    others = [name for name in names if name not in frames and Path(name).suffix.lower() in OTHER_DATA]
    return sorted(frames, key=lambda name: (frames[name], name)), sorted(others)


def _frames(path: Path) -> tuple[list[str], list[str]]:
    """As :func:`_listing`; there are frames, and those of one recording."""
    frames, others = _listing(path)
    if not frames:
        msg = (
            f"cannot read {str(path)!r} as one recording: it is a directory without files as OpenPose names them "
            "(NAME_000000000012_keypoints.json)"
        )
        raise BadInput(msg)
    recordings = sorted({str(_frame(name)["name"] or "") for name in frames})
    if len(recordings) > 1:
        names = listed([repr(name) for name in recordings])
        msg = (
            f"{str(path)!r} has OpenPose files of {len(recordings)} recordings ({names}); expected one: move the "
            "files of each into a folder of its own"
        )
        raise BadInput(msg)
    return frames, others


def _frame(name: str) -> re.Match[str]:
    match = FRAME.fullmatch(name)
    if match is None:
        msg = f"{name!r} is not named as OpenPose names frames (NAME_000000000012_keypoints.json)"
        raise BadInput(msg)
    return match


def _begins(path: Path) -> bool:
    content = beginning(path, SNIFFED_BYTES)
    return content.lstrip().startswith(b"{") and b'"people"' in content


def _unpacked(data: bytes, path: Path) -> tuple[list[tuple[str, bytes]], list[str]]:
    """Names and contents of the frames, and names of other files: the reverse of :func:`read`."""
    line, _, contents = data.partition(b"\n")
    header = json_content(line, f"{str(path)!r}: the list of its files")
    try:
        files, others = [(str(name), int(size)) for name, size in header["frames"]], list(map(str, header["others"]))
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        msg = f"{str(path)!r}: the list of its files is damaged"
        raise BadInput(msg) from error
    if any(size < 0 for _, size in files) or sum(size for _, size in files) != len(contents):
        msg = f"{str(path)!r}: the list of its files is damaged"
        raise BadInput(msg)
    unpacked, start = [], 0
    for name, size in files:
        unpacked.append((name, contents[start : start + size]))
        start += size
    return unpacked, others


def _people(files: Sequence[tuple[str, bytes]], path: Path) -> People:
    """People of each frame; where some have 3-D keypoints, these."""
    numbers, people = [], []
    for name, data in files:
        where = repr(str(path / name))
        numbers.append(int(_frame(name)["number"]))
        people.append(_listed_people(json_content(data, where), where))
    spatial = any(person.get("pose_keypoints_3d") for of_frame in people for person in of_frame)
    others = any(person.get(key) for of_frame in people for person in of_frame for key in OTHER_KEYPOINTS)
    notes = ["the keypoints of faces and hands are left out"] if others else []
    frames = [
        [_person(person, spatial, repr(str(path / name))) for person in of_frame]
        for (name, _), of_frame in zip(files, people, strict=True)
    ]
    if spatial:
        flat = sum(not len(person.values) for of_frame in frames for person in of_frame)
        notes.append(f"the 3-D keypoints are read, not the 2-D ones; {flat:,} people have none and are left out")
    return People(numbers, frames, tuple(notes))


def _listed_people(content: Any, where: str) -> list[dict[str, Any]]:
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        msg = f"{where} is not a frame of OpenPose: expected an object whose 'people' is a list of objects"
        raise BadInput(msg)
    return people


def _person(person: dict[str, Any], spatial: bool, where: str) -> Person:
    key, width = ("pose_keypoints_3d", 4) if spatial else ("pose_keypoints_2d", 3)
    values = triplets(person.get(key) or [], f"{where}, {key}", width)
    return Person(values, identity_of(person.get("person_id")))
