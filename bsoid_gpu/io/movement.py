"""Datasets of poses that movement saves as netCDF, which is HDF5 with names for the dimensions.

The dimensions are ``time``, ``space``, ``keypoint`` and ``individual`` in any order; before movement 0.17 the latter
two were ``keypoints`` and ``individuals``. https://movement.neuroinformatics.dev
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.arrange import INDIVIDUAL, arranged_pose, chosen_names
from bsoid_gpu.io.frame_times import FrameTimes, checked_rate, frame_times
from bsoid_gpu.io.hdf5 import attribute, dataset, dimension_scales, is_like, item, opened, optional, text, texts
from bsoid_gpu.io.reader import Outline, Reader, Request
from bsoid_gpu.pose import Pose

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

EXPECTED = "a dataset of poses that movement saved as netCDF"
NETCDF3 = b"CDF"
AXES = ("time", "individual", "keypoint", "space")
EARLIER_NAMES = {"keypoints": "keypoint", "individuals": "individual"}
SECONDS = ("seconds", "second", "s")


class Layout(NamedTuple):
    """Number of frames, and the names along the other axes in the order of the file."""

    frames: int
    individuals: tuple[str, ...]
    keypoints: tuple[str, ...]
    space: tuple[str, ...]


def sniff(path: Path) -> bool:
    """Whether a file is netCDF 4 with positions of keypoints in time and space."""
    return is_like(path, lambda content: not _problem(content))


def parse(data: bytes, path: Path, request: Request) -> Pose:
    """Pose of a dataset; see :func:`bsoid_gpu.io.parse_pose`."""
    if data.startswith(NETCDF3):
        msg = (
            f"{str(path)!r} is in the older format netCDF 3; expected netCDF 4: install netCDF4 or h5netcdf and save "
            'it with ds.to_netcdf(path, format="NETCDF4")'
        )
        raise BadInput(msg)
    with opened(data, path, EXPECTED) as content:
        layout = _layout(content, path)
        individuals, keypoints, left_out = chosen_names(
            dict.fromkeys(layout.individuals, layout.keypoints), request, path
        )
        times = _times(content, layout.frames, path, request.fps)
        rows = [layout.individuals.index(name) for name in individuals]
        columns = [layout.keypoints.index(name) for name in keypoints]
        space = [layout.space.index(name) for name in sorted(layout.space)]
        position = _arranged(dataset(content, "position"), path)[:, rows][:, :, columns][..., space]
        confidence = _confidence(content, path)
        if confidence is not None:
            shape = (position.shape[0], len(layout.individuals), len(layout.keypoints))
            confidence = np.broadcast_to(confidence, shape)[:, rows][:, :, columns]
    return arranged_pose(
        position,
        confidence,
        path,
        request,
        individuals=individuals,
        keypoints=keypoints,
        frame_numbers=times.numbers,
        start_s=times.start_s,
        notes=(*left_out, *times.notes),
    )


def outline(path: Path) -> Outline:
    """Outline of a dataset."""
    with path.open("rb") as file, opened(file, path, EXPECTED) as content:
        layout = _layout(content, path)
        return Outline(layout.frames, layout.keypoints, len(layout.individuals), path.stat().st_size)


READERS = (Reader("movement netCDF", (".nc",), sniff, parse, outline),)


def _problem(content: h5py.File) -> str:
    """Why a file is no dataset of poses; empty if it is one."""
    position: Any = item(content, "position")
    if getattr(position, "ndim", 0) < 2 or position.dtype.kind not in "fiu":
        return f"it has the variables {', '.join(map(text, content)) or 'none'}; expected positions"
    dimensions = _dimensions(position)
    if attribute(content, "ds_type") == "bboxes" or item(content, "shape") is not None:
        return "it has boxes around animals: one point of each animal says nothing about its pose; track keypoints"
    required, others = {"time", "space"} - set(dimensions), set(dimensions) - set(AXES)
    if required or others or len(set(dimensions)) < len(dimensions):
        return (
            f"the positions have the dimensions {', '.join(dimensions)}; expected {', '.join(AXES)}: choose one entry "
            "of any other dimension with ds.isel and save again"
        )
    if "keypoint" not in dimensions and _coordinate(content, "keypoint") is None:
        return "it has one point of each animal, which says nothing about its pose; track keypoints"
    return ""


def _layout(content: h5py.File, path: Path) -> Layout:
    """Dimensions and names, or BadInput where they cannot be used."""
    if problem := _problem(content):
        msg = f"{str(path)!r} is not {EXPECTED}: {problem}"
        raise BadInput(msg)
    position = dataset(content, "position")
    dimensions = _dimensions(position)
    names = {}
    for axis in ("individual", "keypoint", "space"):
        coordinate = _coordinate(content, axis)
        unnamed = () if axis in dimensions else (INDIVIDUAL,)
        names[axis] = unnamed if coordinate is None else texts(coordinate)
        size = position.shape[dimensions.index(axis)] if axis in dimensions else 1
        if len(names[axis]) != size or len(set(names[axis])) < size:
            msg = (
                f"{str(path)!r} has {len(names[axis])} names along {axis} ({', '.join(names[axis])}) for {size} "
                "entries; expected a name for each, without repeats: assign them with ds.assign_coords and save again"
            )
            raise BadInput(msg)
    if tuple(sorted(names["space"])) not in (("x", "y"), ("x", "y", "z")):
        msg = f"{str(path)!r} has the coordinates {', '.join(names['space'])}; expected x, y, or x, y, z"
        raise BadInput(msg)
    frames = position.shape[dimensions.index("time")]
    return Layout(frames, names["individual"], names["keypoint"], names["space"])


def _dimensions(variable: h5py.Dataset) -> tuple[str, ...]:
    """Names of the dimensions of a variable, by their present names; "unnamed" where one has none."""
    names = [text(scale.name).rpartition("/")[2] if scale else "unnamed" for scale in dimension_scales(variable)]
    return tuple(EARLIER_NAMES.get(name, name) for name in names)


def _coordinate(content: h5py.File, axis: str) -> h5py.Dataset | None:
    """What lies along a dimension, or along one of which a single entry was selected; None where that is not said."""
    names = (axis, *(earlier for earlier, name in EARLIER_NAMES.items() if name == axis))
    coordinate = next((own for name in names if (own := optional(content, name)) is not None), None)
    if coordinate is None or str(attribute(coordinate, "NAME")).startswith("This is a netCDF dimension but not"):
        return None
    return coordinate


def _values(variable: h5py.Dataset) -> NDArray[np.float64]:
    """Values of a variable, NaN where it is empty; they may be packed as whole numbers.

    https://docs.unidata.ucar.edu/nug/current/best_practices.html (packed data values)
    """
    packed = variable[()]
    values = np.asarray(packed, dtype=np.float64)
    for name in ("_FillValue", "missing_value"):
        if (empty := attribute(variable, name)) is not None:
            values = np.where(packed == empty, np.nan, values)
    factor, offset = (attribute(variable, name) for name in ("scale_factor", "add_offset"))
    return values * (1.0 if factor is None else float(factor)) + (0.0 if offset is None else float(offset))


def _arranged(variable: h5py.Dataset, path: Path, axes: Sequence[str] = AXES) -> NDArray[np.float64]:
    """Values of a variable with the named axes in this order; those that it does not have are of length 1."""
    dimensions = _dimensions(variable)
    if unknown := set(dimensions) - set(axes):
        msg = f"{str(path)!r}: {text(variable.name)} has the dimension {', '.join(sorted(unknown))}; expected {axes}"
        raise BadInput(msg)
    missing = [axis for axis in axes if axis not in dimensions]
    values = _values(variable).reshape(variable.shape + (1,) * len(missing))
    return values.transpose([(*dimensions, *missing).index(axis) for axis in axes])


def _confidence(content: h5py.File, path: Path) -> NDArray[np.float64] | None:
    """(frames, individuals or 1, keypoints or 1) confidences; None where there are none."""
    stored = optional(content, "confidence")
    if stored is None:
        return None
    confidence = _arranged(stored, path, AXES[:3])
    return None if np.isnan(confidence).all() else confidence


def _times(content: h5py.File, frames: int, path: Path, fps: float) -> FrameTimes:
    """Frames by the time coordinate, which is in seconds or in frames."""
    where = f"{path.name!r}, time"
    rate, unit = attribute(content, "fps"), attribute(content, "time_unit")
    if rate is not None:
        checked_rate(rate, f"{path.name!r}, fps", fps)
    coordinate = _coordinate(content, "time")
    if coordinate is None:
        note = "there are no times: the frames are numbered from 0 on"
        return FrameTimes(np.arange(frames, dtype=np.float64), 0.0, fps, (note,))
    times = _values(coordinate)
    unit = attribute(coordinate, "units") or unit
    if times.shape != (frames,) or unit not in (None, "frames", *SECONDS):
        msg = (
            f"{where}: there are {times.size} times in {unit} for {frames} frames; expected a time in seconds or "
            "frames for each: assign it with ds.assign_coords and save again"
        )
        raise BadInput(msg)
    if unit == "frames":
        return FrameTimes(times, 0.0, fps)
    timed = frame_times(times, where, fps, in_seconds=unit is not None or rate is not None)
    first = round(timed.start_s * float(rate or timed.rate))  # the time of frame 0 is 0
    if timed.notes or first < 0:
        return timed
    return timed._replace(numbers=timed.numbers + first, start_s=0.0)
