"""NWB files with the extension ndx-pose, of every version so far (0.1 to 0.4).

A container (``PoseEstimation``, or ``MultiCameraPoseEstimation`` for three dimensions) holds one series for each
keypoint: its positions, its confidences, and its times or its rate. https://github.com/rly/ndx-pose
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io.arrange import INDIVIDUAL, arranged_pose, chosen_names
from bsoid_gpu.io.frame_times import FrameTimes, checked_rate, frame_times
from bsoid_gpu.io.hdf5 import attribute, dataset, is_like, item, numbers, opened, optional, text, texts
from bsoid_gpu.io.messages import listed
from bsoid_gpu.io.reader import Outline, Reader, Request
from bsoid_gpu.pose import Pose

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    Series = dict[str, h5py.Group]  # of one container by keypoint

EXPECTED = "an NWB file with a pose (ndx-pose)"
CONTAINERS = ("PoseEstimation", "MultiCameraPoseEstimation")
SERIES = "PoseEstimationSeries"
PIXELS = ("pixels", "pixel", "px")
SAME_TIME_FRAMES = 0.1  # times of two series that differ by less are the same


def sniff(path: Path) -> bool:
    """Whether a file is NWB and holds a pose."""
    return is_like(path, lambda content: bool(_containers(content)[0]))


def parse(data: bytes, path: Path, request: Request) -> Pose:
    """Pose of the containers of a file, each of which is one individual; see :func:`bsoid_gpu.io.parse_pose`."""
    with opened(data, path, EXPECTED) as content:
        containers, notes = _containers(content)
        if not containers:
            raise BadInput(_without_pose(content, path))
        keypoints_of = {name: tuple(series) for name, series in containers.items()}
        individuals, keypoints, left_out = chosen_names(keypoints_of, request, path)
        series = [containers[individual][keypoint] for individual in individuals for keypoint in keypoints]
        raise_all(_problems(series), heading=f"{str(path)!r}: the series cannot be read together:")
        times = _shared_times(series, path, request.fps)
        position = np.stack([_positions(one) for one in series], axis=1)
        confidence = np.stack([_confidences(one) for one in series], axis=1)
        notes = [*notes, *left_out, *times.notes, *_unit_notes(series[0]), *_animal_notes(individuals)]
    shape = (len(position), len(individuals), len(keypoints))
    return arranged_pose(
        position.reshape(*shape, position.shape[-1]),
        None if np.isnan(confidence).all() else confidence.reshape(shape),
        path,
        request,
        individuals=individuals,
        keypoints=keypoints,
        frame_numbers=times.numbers,
        start_s=times.start_s,
        notes=notes,
    )


def outline(path: Path) -> Outline:
    """Outline of a file, from the first series."""
    with path.open("rb") as file, opened(file, path, EXPECTED) as content:
        containers, _ = _containers(content)
        if not containers:
            raise BadInput(_without_pose(content, path))
        first = next(iter(containers.values()))
        frames = dataset(next(iter(first.values())), "data").shape[0]
        return Outline(frames, tuple(first), len(containers), path.stat().st_size)


READERS = (Reader("NWB (ndx-pose)", (".nwb",), sniff, parse, outline),)


def _containers(content: h5py.File) -> tuple[dict[str, Series], list[str]]:
    """Containers with series, by the name of the individual, and notes on what is left out or unusual."""
    groups: list[h5py.Group] = []

    def collect(_: str, node: h5py.Group | h5py.Dataset) -> None:
        if _type(node) in CONTAINERS and any(_members(node, SERIES)):
            groups.append(node)

    content.visititems(collect)
    rigs = tuple(f"{group.name}/" for group in groups if _type(group) == CONTAINERS[1])
    views = [group for group in groups if group.name.startswith(rigs)]
    groups = [group for group in groups if group not in views]
    notes = ["the views of single cameras are left out: the positions in space are read"] if views else []
    containers = {}
    for name, group in zip(_individuals(groups), groups, strict=True):
        containers[name], order_notes = _ordered_series(group)
        notes += order_notes
    return containers, notes


def _individuals(groups: Sequence[h5py.Group]) -> list[str]:
    """A name for each container: its own, with that of its module where several have one name."""
    if len(groups) == 1:
        return [INDIVIDUAL]
    paths = [text(group.name).removeprefix("/processing/") for group in groups]
    names = [path.rpartition("/")[2] for path in paths]
    return [name if names.count(name) == 1 else path for name, path in zip(names, paths, strict=True)]


def _members(group: h5py.Group, kind: str) -> Iterator[tuple[str, h5py.Group]]:
    """Members of a group with a neurodata type, by name; links that lead nowhere are none."""
    for name in group:
        member = item(group, name)
        if member is not None and _type(member) == kind:
            yield text(name), member


def _type(node: h5py.Group | h5py.Dataset) -> Any:
    return attribute(node, "neurodata_type")


def _ordered_series(group: h5py.Group) -> tuple[Series, list[str]]:
    """Series of a container by name, in the order of the nodes of its skeleton if it has one."""
    series = dict(_members(group, SERIES))
    holders = [group, *(skeleton for _, skeleton in _members(group, "Skeleton"))]  # the group itself in ndx-pose 0.1
    nodes = [node for holder in holders for node in _nodes(holder)]
    named = [node if node in series else SERIES + node for node in nodes]  # NeuroConv writes the latter
    ordered = {name: series[name] for name in named if name in series}
    if len(ordered) == len(series):
        return ordered, []
    unnamed = "the skeleton does not name all keypoints: they are in alphabetical order"
    return series, [f"{text(group.name)}: {unnamed}"] if nodes else []


def _nodes(holder: h5py.Group) -> tuple[str, ...]:
    nodes = optional(holder, "nodes")
    return () if nodes is None else texts(nodes)


def _problems(series: Sequence[h5py.Group]) -> list[str]:
    """A sentence for each series that cannot be read, or else for each with other data than the first one."""
    if problems := [problem for one in series for problem in _own_problems(one)]:
        return problems
    kinds = [f"data of shape {data.shape} in {attribute(data, 'unit')}" for data in map(_data, series)]
    return [
        f"{text(one.name)} has {kind}, {text(series[0].name)} has {kinds[0]}; expected the same frames, space and "
        "unit: choose containers with --individuals or keypoints with --keypoints, or give the file that the tracker "
        "itself wrote"
        for one, kind in zip(series, kinds, strict=True)
        if kind != kinds[0]
    ]


def _own_problems(series: h5py.Group) -> list[str]:
    data, confidence, name = optional(series, "data"), optional(series, "confidence"), text(series.name)
    if data is None:
        return [f"{name}: there are no data; expected numbers, (frames, 2 or 3)"]
    shape = data.shape
    if len(shape) != 2 or shape[1] not in (2, 3) or data.dtype.kind not in "fiu":
        return [f"{name}: the data have shape {shape}; expected numbers, (frames, 2 or 3)"]
    if confidence is not None and (confidence.shape != shape[:1] or confidence.dtype.kind not in "fiu"):
        return [f"{name}: the confidence has shape {confidence.shape}; expected {shape[:1]}"]
    factor, offset = _scale(data)
    if not (np.isfinite(factor) and np.isfinite(offset) and factor != 0):
        return [f"{name}: the conversion is {factor:g}, the offset {offset:g}; expected those to its unit"]
    return []


def _shared_times(series: Sequence[h5py.Group], path: Path, fps: float) -> FrameTimes:
    """Frames by the times of the first series, which all others must have."""
    first, *others = series
    times, rate = _times(first, path, fps)
    for one in others:
        own, _ = _times(one, path, fps)
        if not np.allclose(own, times, rtol=0, atol=SAME_TIME_FRAMES / fps, equal_nan=True):
            row = int(np.argmax(~np.isclose(own, times, rtol=0, atol=SAME_TIME_FRAMES / fps, equal_nan=True)))
            msg = (
                f"{str(path)!r}: {text(one.name)} has the time {own[row]:g} in row {row + 1}, {text(first.name)} has "
                f"{times[row]:g}; expected the same times: choose containers with --individuals, or keypoints with "
                "--keypoints"
            )
            raise BadInput(msg)
    return frame_times(times, f"{path.name!r}, {text(first.name)}", fps, in_seconds=rate is not None)


def _times(series: h5py.Group, path: Path, fps: float) -> tuple[NDArray[np.float64], float | None]:
    """(frames,) times of a series in seconds, from its timestamps or else from its rate, and the rate."""
    where, frames = f"{path.name!r}, {text(series.name)}", _data(series).shape[0]
    timestamps = optional(series, "timestamps")
    if timestamps is not None:
        if timestamps.shape != (frames,) or timestamps.dtype.kind not in "fiu":
            msg = f"{where} has timestamps of shape {timestamps.shape}; expected numbers, ({frames},): correct the file"
            raise BadInput(msg)
        return numbers(timestamps[()]), None
    start = optional(series, "starting_time")
    if start is None:
        msg = f"{where} has neither timestamps nor a starting time with a rate; expected one of them: correct the file"
        raise BadInput(msg)
    rate = checked_rate(attribute(start, "rate"), where, fps)
    return float(start[()]) + np.arange(frames) / rate, rate


def _data(series: h5py.Group) -> h5py.Dataset:
    return dataset(series, "data")


def _positions(series: h5py.Group) -> NDArray[np.float64]:
    """(frames, 2 or 3) positions in the unit of the series."""
    data = _data(series)
    factor, offset = _scale(data)
    return numbers(data[()]) * factor + offset


def _scale(data: h5py.Dataset) -> tuple[float, float]:
    """Factor and offset from the numbers to their unit."""
    conversion, offset = attribute(data, "conversion"), attribute(data, "offset")
    return 1.0 if conversion is None else float(conversion), 0.0 if offset is None else float(offset)


def _confidences(series: h5py.Group) -> NDArray[np.float64]:
    """(frames,) confidences; NaN where the series has none."""
    confidence = optional(series, "confidence")
    return np.full(_data(series).shape[0], np.nan) if confidence is None else numbers(confidence[()])


def _unit_notes(series: h5py.Group) -> list[str]:
    unit = attribute(_data(series), "unit")
    return [] if unit is None or str(unit).lower() in PIXELS else [f"the positions are in {unit}, not in pixels"]


def _animal_notes(individuals: Sequence[str]) -> list[str]:
    if len(individuals) < 2:
        return []
    names = ", ".join(map(repr, individuals))
    return [
        f"the containers {names} are read as {len(individuals)} animals: if they are cameras or trackers of one "
        "animal, choose one of them with --individuals"
    ]


def _without_pose(content: h5py.File, path: Path) -> str:
    """Message for a file without pose, which names what it contains."""
    names: list[str] = []

    def collect(name: str, node: h5py.Group | h5py.Dataset) -> None:
        if name.startswith(("acquisition/", "processing/")) and _type(node) not in (None, "ProcessingModule"):
            names.append(f"{text(name)} ({_type(node)})")

    content.visititems(collect)
    return (
        f"{str(path)!r} has no pose, it contains {listed(names, most=10) or 'no data'}; expected a container of the "
        "type PoseEstimation with a PoseEstimationSeries for each keypoint: give the file that the pose tracker wrote"
    )
