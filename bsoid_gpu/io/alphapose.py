"""AlphaPose: ``alphapose-results.json``, one list with an entry for each person of each frame.

``image_id`` is the name of the image (``12.jpg``), which gives the frame number; ``keypoints`` holds x, y and
confidence of each keypoint; ``idx`` is the identity where people were tracked. A frame without people has no entry.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.human_keypoints import ALPHAPOSE, named_keypoints
from bsoid_gpu.io.people import (
    People,
    Person,
    identity_of,
    json_content,
    keypoint_count,
    people_outline,
    people_pose,
    shown,
    triplets,
)
from bsoid_gpu.io.reader import Outline, Reader, Request, beginning

if TYPE_CHECKING:
    from bsoid_gpu.pose import Pose

SNIFFED_BYTES = 4096
BEGINNING = re.compile(rb'\s*\[\s*\{\s*"image_id"\s*:\s*("[^"]*"|\d+)\s*,\s*"category_id"\s*:')
IMAGE = re.compile(r"(?P<name>.*?)(?P<number>\d{1,18})(?:\.[A-Za-z]+)?", re.DOTALL)
FEWEST = 0.01  # share of the frames in which there are people
REMEDY = "run AlphaPose with --pose_track, which writes the identity of each person as its idx"
EXPECTED = "expected a list with 'image_id' and 'keypoints' of each person (the default output)"


def sniff(path: Path) -> bool:
    """Whether a file begins as AlphaPose writes it."""
    content = beginning(path, SNIFFED_BYTES)
    return bool(BEGINNING.match(content)) and b'"keypoints"' in content


def parse(data: bytes, path: Path, request: Request) -> Pose:
    """Pose from the content of a file; see :func:`bsoid_gpu.io.parse_pose`."""
    content = _content(data, path)
    names, note = named_keypoints(keypoint_count(content, path), ALPHAPOSE)
    return people_pose(content._replace(notes=(*content.notes, note)), names, path, request, REMEDY)


def outline(path: Path) -> Outline:
    """Outline of a file, which is read."""
    data = path.read_bytes()
    content = _content(data, path)
    names, _ = named_keypoints(keypoint_count(content, path), ALPHAPOSE)
    return people_outline(content, names, len(content.numbers), len(data))


READERS = (Reader("AlphaPose", (".json",), sniff, parse, outline, own_suffix=False),)


def _content(data: bytes, path: Path) -> People:
    """People of every frame from the first one with people to the last one."""
    entries = json_content(data, repr(str(path)))
    if not isinstance(entries, list) or not entries or not all(_is_person(entry) for entry in entries):
        msg = f"{str(path)!r} is not a pose file of AlphaPose: {EXPECTED}"
        raise BadInput(msg)
    by_frame: dict[int, list[Person]] = {}
    for entry, number in zip(entries, _frame_numbers([entry["image_id"] for entry in entries], path), strict=True):
        values = triplets(entry["keypoints"], f"{str(path)!r}, image {shown(entry['image_id'])}, keypoints")
        by_frame.setdefault(number, []).append(Person(values, identity_of(entry.get("idx"))))
    numbers = _with_empty_frames(sorted(by_frame), path)
    empty = len(numbers) - len(by_frame)
    note = f"{empty:,} frames between the first and the last have no person: their positions are missing"
    return People(numbers, [by_frame.get(number, []) for number in numbers], (note,) if empty else ())


def _is_person(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("image_id"), str | int) and "keypoints" in entry


def _frame_numbers(images: list[str | int], path: Path) -> list[int]:
    """Number of the frame in the name of each image."""
    matches = [IMAGE.fullmatch(str(image)) for image in images]
    names = {match["name"] for match in matches if match}
    if None in matches or len(names) > 1:
        listed = ", ".join(sorted(map(shown, set(images)))[:3])
        msg = (
            f"{str(path)!r}: the images are named {listed} ...; expected the frames of one recording, named by their "
            "numbers ('12.jpg')"
        )
        raise BadInput(msg)
    return [int(match["number"]) for match in matches if match]


def _with_empty_frames(numbers: list[int], path: Path) -> list[int]:
    """Every frame number from the first to the last; as they are where most are left out, which is refused later."""
    span = numbers[-1] - numbers[0] + 1
    if len(numbers) > 1 and np.median(np.diff(numbers)) > 1:
        return numbers
    if len(numbers) < FEWEST * span:
        msg = (
            f"{str(path)!r}: of the {span:,} frames from {numbers[0]} to {numbers[-1]} only {len(numbers):,} have "
            "people: are several recordings joined in one file? Give each a file of its own"
        )
        raise BadInput(msg)
    return list(range(numbers[0], numbers[-1] + 1))
