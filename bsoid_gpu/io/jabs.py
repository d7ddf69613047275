"""JABS pose files (``NAME_pose_est_vN.h5``), versions 2 to 8.

``poseest/points`` (frames, [instances,] 12, 2) holds y and x, ``poseest/confidence`` is 0 where a keypoint is missing.
Version 2 has one mouse. Since version 3 ``instance_track_id`` numbers the tracks, of the first ``instance_count``
instances of a frame; since version 4 ``instance_embed_id`` numbers the identities from 1 on, where ``id_mask`` is 0.
Later versions add objects, outlines and boxes, which are not read. Source: the documentation of the format by the
Kumar laboratory.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

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
COMPRESSION = 1100  # bytes from one byte of a file: no filter of HDF5 reaches more


class Poses(NamedTuple):
    """What a file holds: positions (frames, instances, 12, 2) as y, x, confidences, and whose they are.

    ``owner`` (frames, instances) is the number of the individual, negative where an instance belongs to none; ``kind``
    names the individuals with their numbers, None for a single mouse.
    """

    points: NDArray[Any]
    confidence: NDArray[Any]
    owner: NDArray[np.int64]
    kind: str | None
    notes: tuple[str, ...]


def sniff(path: Path) -> bool:
    """Whether an HDF5 file has the datasets of JABS."""
    return hdf5.is_like(path, lambda content: "poseest/points" in content and "poseest/confidence" in content)


def parse(data: bytes, path: Path, request: Request) -> Pose:
    """Pose from the content of a file; see :func:`bsoid_gpu.io.parse_pose`."""
    content = _content(data, path)
    numbers, frames_of = _individuals(content)
    if not numbers:
        _refuse("has no mouse with a position in any frame", path)
    all_of_them: tuple[tuple[str, ...], tuple[str, ...]] = tuple(numbers), ()
    available, short = long_tracks(frames_of, request, path) if content.kind == "track" else all_of_them
    individuals, keypoints, left_out = chosen_names(dict.fromkeys(available, KEYPOINTS), request, path)
    columns = [KEYPOINTS.index(name) for name in keypoints]
    position, confidence, repeated = _by_individual(content, [numbers[name] for name in individuals])
    return arranged_pose(
        request.backend.asarray(position[:, :, columns]),
        request.backend.asarray(confidence[:, :, columns]),
        path,
        request,
        individuals=individuals,
        keypoints=keypoints,
        notes=(*content.notes, *short, *left_out, *repeated),
    )


def outline(path: Path) -> Outline:
    """Outline of a file, which is read."""
    data = path.read_bytes()
    content = _content(data, path)
    return Outline(len(content.points), KEYPOINTS, len(_individuals(content)[0]), len(data))


READERS = (Reader("JABS", (".h5",), sniff, parse, outline),)


def _content(data: bytes, path: Path) -> Poses:
    with hdf5.opened(data, path, EXPECTED) as file:
        group = file["poseest"]
        points, confidence = (_array(group, name, data, path) for name in ("points", "confidence"))
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
        owner, kind, own_notes = _owners(group, points.shape[:2], data, path)
        return Poses(points, confidence, owner, kind, (*own_notes, *notes))


def _array(group: h5py.Group, name: str, data: bytes, path: Path) -> NDArray[Any]:
    """A dataset of numbers; a damaged size is refused before its memory is taken."""
    dataset = group[name]
    if dataset.dtype.kind not in "biuf":
        _refuse(f"has {name} of type {dataset.dtype}; expected numbers", path)
    if dataset.size * dataset.dtype.itemsize > COMPRESSION * len(data):
        _refuse(f"is damaged: {name} of shape {dataset.shape} cannot be in {len(data):,} bytes", path)
    return np.asarray(dataset[()])


def _refuse(reason: str, path: Path) -> None:
    msg = f"{str(path)!r} {reason}. Is it {EXPECTED} of version 2 to {NEWEST}? Write it again with JABS"
    raise BadInput(msg)


def _owners(
    group: h5py.Group, shape: tuple[int, int], data: bytes, path: Path
) -> tuple[NDArray[np.int64], str, tuple[str, ...]]:
    """Identity of each instance from 0 on, or its track where there are no identities; -1 for none."""
    notes: tuple[str, ...] = ()
    if "instance_embed_id" in group:
        identity = _labels(group, "instance_embed_id", shape, data, path)
        owned = identity > 0
        if "id_mask" in group:
            owned &= _labels(group, "id_mask", shape, data, path) == 0
        if "instance_id_center" in group:  # numbers above those of the centres are tracks without an identity
            owned &= identity <= len(group["instance_id_center"])
        if owned.any():
            return np.where(owned, identity - 1, -1), "identity", ()
        notes = ("no instance has an identity: the tracks are read",)
    if "instance_track_id" not in group:
        _refuse("has several instances in a frame, but neither identities nor tracks", path)
    track = _labels(group, "instance_track_id", shape, data, path)
    if "instance_count" in group:
        count = _labels(group, "instance_count", shape[:1], data, path)
        track = np.where(np.arange(shape[1]) < count[:, None], track, -1)
    return track, "track", notes


def _labels(group: h5py.Group, name: str, shape: tuple[int, ...], data: bytes, path: Path) -> NDArray[np.int64]:
    values = _array(group, name, data, path)
    if values.shape != shape or values.dtype.kind not in "biu":
        _refuse(f"has {name} of shape {values.shape} and type {values.dtype}; expected whole numbers {shape}", path)
    return values.astype(np.int64)


def _version_notes(group: h5py.Group) -> tuple[str, ...]:
    version = np.ravel(group.attrs.get("version", 0))
    if version.size and version.dtype.kind in "iuf" and version[0] > NEWEST:
        return (f"the file has version {version[0]} of the format; it is read as version {NEWEST}, the newest known",)
    return ()


def _scale_notes(group: h5py.Group) -> tuple[str, ...]:
    scale = np.ravel(group.attrs.get("cm_per_pixel", 0))
    if scale.size != 1 or scale.dtype.kind not in "iuf" or not (math.isfinite(scale[0]) and scale[0] > 0):
        return ()
    return (f"the file gives {0.1 / float(scale[0]):.5g} px per mm: --px-per-mm or [input] px_per_mm uses it",)


def _individuals(content: Poses) -> tuple[dict[str, int], dict[str, int]]:
    """Number of each individual in ``owner``, and number of its frames."""
    if content.kind is None:
        return {INDIVIDUAL: 0}, {INDIVIDUAL: len(content.points)}
    seen = content.owner[(content.owner >= 0) & (content.confidence > 0).any(axis=-1)]
    numbers, counts = np.unique(seen, return_counts=True)
    names = [f"{content.kind}_{number}" for number in numbers]
    return dict(zip(names, numbers.tolist(), strict=True)), dict(zip(names, counts.tolist(), strict=True))


def _by_individual(
    content: Poses, numbers: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    """Positions (frames, individuals, 12, 2) as x, y, confidences (frames, individuals, 12), and notes."""
    frames = len(content.points)
    position = np.full((frames, len(numbers), len(KEYPOINTS), 2), np.nan)
    confidence = np.zeros(position.shape[:3])
    repeated = 0
    for i, number in enumerate(numbers):
        own = (content.owner == number) & (content.confidence > 0).any(axis=-1)
        several = own.sum(axis=1) > 1
        repeated += int(several.sum())
        rows, instances = np.nonzero(own & ~several[:, None])
        seen = content.confidence[rows, instances] > 0
        yx = content.points[rows, instances].astype(np.float64)
        position[rows, i] = np.where(seen[..., None], yx[..., ::-1], np.nan)
        confidence[rows, i] = np.where(seen, content.confidence[rows, instances], 0.0)
    note = f"in {repeated:,} frames several instances have one number: the individual is missing there"
    return position, confidence, (note,) if repeated else ()
