"""MMPose: one JSON file a video, as its inferencer and its demonstrations write it.

Each frame has a ``frame_id`` and ``instances`` with ``keypoints`` (x, y of each, or x, y, z) and ``keypoint_scores``.
The inferencer writes the list of frames; the demonstrations write it as ``instance_info`` beside ``meta_info``, which
names the keypoints. An image has one list of instances without a frame number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.human_keypoints import named_keypoints
from bsoid_gpu.io.people import (
    People,
    Person,
    identity_of,
    json_content,
    keypoint_count,
    number_array,
    people_outline,
    people_pose,
    shown,
)
from bsoid_gpu.io.reader import Outline, Reader, Request, beginning

if TYPE_CHECKING:
    from bsoid_gpu.pose import Pose

SNIFFED_BYTES = 4096
FRAMES = re.compile(rb'\s*\[\s*\{\s*"frame_id"\s*:\s*\d+\s*,\s*"instances"\s*:')
WITH_NAMES = re.compile(rb'\s*\{\s*"meta_info"\s*:\s*\{.*"(dataset_name|num_keypoints|keypoint_id2name)"', re.DOTALL)
IMAGE = re.compile(rb'\s*\[\s*\{\s*"keypoints"\s*:\s*\[\s*\[')
REMEDY = "keep one instance a frame, or write the identity of each instance as its track_id"
EXPECTED = "expected frames with 'frame_id' and 'instances', or these as 'instance_info' beside 'meta_info'"
OTHERS = "AlphaPose writes a list of people with 'image_id'; of OpenPose, give the folder with all frames"
ONE_IMAGE = "one image of MMPose, without a frame number; expected the file of a video: give the video to MMPose"


def sniff(path: Path) -> bool:
    """Whether a file begins as MMPose writes it for a video."""
    content = beginning(path, SNIFFED_BYTES)
    return bool(FRAMES.match(content) or WITH_NAMES.match(content))


def sniff_images(path: Path) -> bool:
    """Whether the first JSON file of a folder begins as MMPose writes it for an image."""
    try:
        files = sorted(path.glob("*.json"))
    except OSError:
        return False
    return len(files) > 1 and IMAGE.match(beginning(files[0], SNIFFED_BYTES)) is not None


def parse(data: bytes, path: Path, request: Request) -> Pose:
    """Pose from the content of a file; see :func:`bsoid_gpu.io.parse_pose`."""
    content, names = _content(data, path)
    return people_pose(content, names, path, request, REMEDY)


def outline(path: Path) -> Outline:
    """Outline of a file, which is read."""
    data = path.read_bytes()
    content, names = _content(data, path)
    return people_outline(content, names, len(content.numbers), len(data))


def refuse_images(path: Path) -> NoReturn:
    """Refuse a folder with the files of images."""
    msg = f"{str(path)!r} has the files of images, each {ONE_IMAGE}"
    raise BadInput(msg)


def _refuse_content(data: bytes, path: Path, request: Request) -> NoReturn:
    refuse_images(path)


READERS = (
    Reader("MMPose", (".json",), sniff, parse, outline, own_suffix=False),
    Reader("MMPose images", (), sniff_images, _refuse_content, refuse_images, refuse_images),
)


def _content(data: bytes, path: Path) -> tuple[People, tuple[str, ...]]:
    """People of each frame, and names of their keypoints."""
    content = json_content(data, repr(str(path)))
    named = isinstance(content, dict) and "meta_info" in content
    frames = content.get("instance_info") if named else content
    _check_frames(frames, path)
    people = People(
        [_frame_number(frame, path) for frame in frames],
        [[_person(instance, frame["frame_id"], path) for instance in frame["instances"]] for frame in frames],
    )
    count = keypoint_count(people, path)
    names = _names(content["meta_info"], count, path) if named else None
    if names is None:
        names, note = named_keypoints(count, {})  # as many keypoints are other ones in people and in animals
        people = people._replace(notes=(note,))
    return people, names


def _check_frames(frames: Any, path: Path) -> None:
    """Raise where the content is not a list of frames with instances."""
    listed = frames if isinstance(frames, list) else []
    if listed and all(
        isinstance(frame, dict) and isinstance(frame.get("instances"), list) and "frame_id" in frame for frame in listed
    ):
        return
    one_image = bool(listed) and isinstance(listed[0], dict) and {"keypoints", "keypoint_scores"} <= set(listed[0])
    msg = f"{str(path)!r} is " + (ONE_IMAGE if one_image else f"not a pose file of MMPose: {EXPECTED}; {OTHERS}")
    raise BadInput(msg)


def _frame_number(frame: Mapping[str, Any], path: Path) -> int:
    number = identity_of(frame["frame_id"])
    if number is None:
        msg = f"{str(path)!r}: a frame_id is {shown(frame['frame_id'])}; expected a whole number from 0 on"
        raise BadInput(msg)
    return number


def _person(instance: Any, frame: Any, path: Path) -> Person:
    where = f"{str(path)!r}, frame {frame}"
    if not isinstance(instance, dict):
        msg = f"{where}: an instance is no object: {EXPECTED}"
        raise BadInput(msg)
    position = number_array(instance.get("keypoints"), f"{where}, keypoints")
    scores = number_array(instance.get("keypoint_scores"), f"{where}, keypoint_scores")
    if position.ndim != 2 or position.shape[1] not in (2, 3) or scores.shape != position.shape[:1]:
        msg = (
            f"{where}: keypoints of shape {position.shape} and keypoint_scores of shape {scores.shape}; expected x, y "
            "(or x, y, z) and one score for each keypoint"
        )
        raise BadInput(msg)
    return Person(np.column_stack([position, scores]), identity_of(instance.get("track_id")))


def _names(meta: Any, count: int, path: Path) -> tuple[str, ...] | None:
    """Names of the keypoints in their order, None where the file gives none."""
    names = meta.get("keypoint_id2name") if isinstance(meta, dict) else None
    if not names:
        return None
    if isinstance(names, dict):
        names = [names.get(str(number)) for number in range(max(count, len(names)))]
    if (
        not isinstance(names, list)
        or len(names) != count
        or not all(isinstance(name, str) and name for name in names)
        or len(set(names)) != count
    ):
        msg = f"{str(path)!r}: the names in keypoint_id2name are not those of {count} keypoints, each with its own"
        raise BadInput(msg)
    return tuple(names)
