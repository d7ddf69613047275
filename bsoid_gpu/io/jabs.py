"""JABS pose files (``NAME_pose_est_vN.h5``), versions 2 to 8.

``poseest/points`` (frames, [instances,] 12, 2) holds y and x, ``poseest/confidence`` is 0 where a keypoint is missing.
Version 2 has one mouse. Since version 3 ``instance_track_id`` numbers the tracks, of the first ``instance_count``
instances of a frame; since version 4 ``instance_embed_id`` numbers the identities from 1 on, where ``id_mask`` is 0.
Later versions add objects, outlines and boxes, which are not read. Source: the documentation of the format by the
Kumar laboratory.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import hdf5
from bsoid_gpu.io.arrange import INDIVIDUAL, arranged_pose, chosen_names
from bsoid_gpu.io.reader import Outline, Reader, Request
from bsoid_gpu.io.tracks import long_tracks

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from bsoid_gpu.pose import Pose

KEYPOINTS = (
    *("NOSE", "LEFT_EAR", "RIGHT_EAR", "BASE_NECK", "LEFT_FRONT_PAW", "RIGHT_FRONT_PAW", "CENTER_SPINE"),
    *("LEFT_REAR_PAW", "RIGHT_REAR_PAW", "BASE_TAIL", "MID_TAIL", "TIP_TAIL"),
)
EXPECTED = "a JABS pose file"
NEWEST = 8  # version that is known


class Poses(NamedTuple):
    """What a file holds: positions (frames, instances, 12, 2) as y, x, confidences, and whose they are.

    ``owner`` (frames, instances) is the number of the individual, negative where an instance belongs to none; ``kind``
    names the individuals with their numbers, None for a single mouse.
    """

    points: NDArray[np.float64]
    confidence: NDArray[np.float64]
    owner: NDArray[np.int64]
    kind: str | None
    notes: tuple[str, ...]

    def seen_as(self, number: int) -> NDArray[np.bool_]:
        """Whether an instance, (frames, instances), is the individual with this number and has a position."""
        return (self.owner == number) & (self.confidence > 0).any(axis=-1)


def sniff(path: Path) -> bool:
    """Whether an HDF5 file has the datasets of JABS."""
    names = ("poseest/points", "poseest/confidence")
    return hdf5.is_like(path, lambda content: all(hdf5.item(content, name) is not None for name in names))


def parse(data: bytes, path: Path, request: Request) -> Pose:
    """Pose from the content of a file; see :func:`bsoid_gpu.io.parse_pose`."""
    content = _content(data, path)
    numbers = _individuals(content)
    if not numbers:
        _refuse("has no mouse with a position in any frame", path)
    available: tuple[str, ...] = tuple(numbers)
    fragments: tuple[str, ...] = ()
    if content.kind == "track":
        frames_of = {name: np.flatnonzero(content.seen_as(number).any(axis=1)) for name, number in numbers.items()}
        available, fragments = long_tracks(frames_of, request)
    individuals, keypoints, left_out = chosen_names(dict.fromkeys(available, KEYPOINTS), request, path)
    columns = [KEYPOINTS.index(name) for name in keypoints]
    position, confidence, repeated = _by_individual(content, [numbers[name] for name in individuals])
    return arranged_pose(
        position[:, :, columns],
        confidence[:, :, columns],
        path,
        request,
        individuals=individuals,
        keypoints=keypoints,
        notes=(*content.notes, *fragments, *left_out, *repeated),
    )


def outline(path: Path) -> Outline:
    """Outline of a file, which is read."""
    data = path.read_bytes()
    content = _content(data, path)
    return Outline(len(content.points), KEYPOINTS, len(_individuals(content)), len(data))


READERS = (Reader("JABS", (".h5",), sniff, parse, outline),)


def _content(data: bytes, path: Path) -> Poses:
    with hdf5.opened(data, path, EXPECTED) as file:
        group = hdf5.item(file, "poseest")
        points, confidence = (hdf5.numbers(hdf5.dataset(group, name)[()]) for name in ("points", "confidence"))
        single = points.ndim == 3
        if single:
            points, confidence = points[:, None], confidence[:, None]
        if points.ndim != 4 or points.shape[2:] != (len(KEYPOINTS), 2) or confidence.shape != points.shape[:3]:
            _refuse(
                f"has points of shape {points.shape} and confidences of shape {confidence.shape}; expected (frames, "
                f"instances, {len(KEYPOINTS)}, 2) and (frames, instances, {len(KEYPOINTS)})",
                path,
            )
        notes = (*_version_notes(group), *_scale_notes(group))
        if single:
            return Poses(points, confidence, np.zeros(points.shape[:2], np.int64), None, notes)
        owner, kind, own_notes = _owners(group, points.shape[:2], path)
        return Poses(points, confidence, owner, kind, (*own_notes, *notes))


def _refuse(reason: str, path: Path) -> NoReturn:
    msg = f"{str(path)!r} {reason}. Is it {EXPECTED} of version 2 to {NEWEST}? Write it again with JABS"
    raise BadInput(msg)


def _owners(group: h5py.Group, shape: tuple[int, int], path: Path) -> tuple[NDArray[np.int64], str, tuple[str, ...]]:
    """Identity of each instance from 0 on, or its track where there are no identities; -1 for none."""
    notes: tuple[str, ...] = ()
    if hdf5.item(group, "instance_embed_id") is not None:
        identity = _labels(group, "instance_embed_id", shape, path)
        owned = identity > 0
        if hdf5.item(group, "id_mask") is not None:
            owned &= _labels(group, "id_mask", shape, path) == 0
        centres = hdf5.optional(group, "instance_id_center")
        if centres is not None:  # numbers above those of the centres are tracks without an identity
            owned &= identity <= len(centres)
        if owned.any():
            return np.where(owned, identity - 1, -1), "identity", ()
        notes = ("no instance has an identity: the tracks are read",)
    if hdf5.item(group, "instance_track_id") is None:
        _refuse("has several instances in a frame, but neither identities nor tracks", path)
    track = _labels(group, "instance_track_id", shape, path)
    if hdf5.item(group, "instance_count") is not None:
        count = _labels(group, "instance_count", shape[:1], path)
        track = np.where(np.arange(shape[1]) < count[:, None], track, -1)
    return track, "track", notes


def _labels(group: h5py.Group, name: str, shape: tuple[int, ...], path: Path) -> NDArray[np.int64]:
    dataset = hdf5.dataset(group, name)
    if dataset.shape != shape:
        _refuse(f"has {name} of shape {dataset.shape}; expected {shape}", path)
    return hdf5.numbers(dataset[()], "biu", np.int64)


def _version_notes(group: h5py.Group) -> tuple[str, ...]:
    version = hdf5.attribute(group, "version")
    if isinstance(version, np.number) and version > NEWEST:
        return (f"the file has version {version} of the format; it is read as version {NEWEST}, the newest known",)
    return ()


def _scale_notes(group: h5py.Group) -> tuple[str, ...]:
    scale = hdf5.attribute(group, "cm_per_pixel")
    if not isinstance(scale, np.number) or not (np.isfinite(scale) and scale > 0):
        return ()
    return (f"the file gives {0.1 / float(scale):.5g} px per mm: --px-per-mm or [input] px_per_mm uses it",)


def _individuals(content: Poses) -> dict[str, int]:
    """Number in ``owner`` of each individual with a position."""
    if content.kind is None:
        return {INDIVIDUAL: 0}
    seen = content.owner[(content.owner >= 0) & (content.confidence > 0).any(axis=-1)]
    return {f"{content.kind}_{number}": number for number in np.unique(seen).tolist()}


def _by_individual(
    content: Poses, numbers: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    """Positions (frames, individuals, 12, 2) as x, y, confidences (frames, individuals, 12), and notes."""
    frames = len(content.points)
    position = np.full((frames, len(numbers), len(KEYPOINTS), 2), np.nan)
    confidence = np.zeros(position.shape[:3])
    repeated = 0
    for i, number in enumerate(numbers):
        own = content.seen_as(number)
        several = own.sum(axis=1) > 1
        repeated += int(several.sum())
        rows, instances = np.nonzero(own & ~several[:, None])
        seen = content.confidence[rows, instances] > 0
        yx = content.points[rows, instances]
        position[rows, i] = np.where(seen[..., None], yx[..., ::-1], np.nan)
        confidence[rows, i] = np.where(seen, content.confidence[rows, instances], 0.0)
    note = f"in {repeated:,} frames several instances have one number: the individual is missing there"
    return position, confidence, (note,) if repeated else ()
