"""SLEAP analysis files (``.analysis.h5``): arrays of positions and scores, one row for each frame from 0 on.

The axes are in the order of MATLAB, of SLEAP's export without transposition, of Python, or as the attribute ``dims``
says; see the page "Analysis HDF5" of the documentation of sleap-io.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.arrange import arranged_pose, chosen_names
from bsoid_gpu.io.hdf5 import attribute, is_like, opened, stored, texts
from bsoid_gpu.io.reader import Outline, Reader, Request
from bsoid_gpu.io.sleap_tracks import check_names, check_rate, extent, long_tracks, numbers
from bsoid_gpu.pose import Pose

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

EXPECTED = "a SLEAP analysis file"
MATLAB = ("track", "xy", "node", "frame")
PYTHON = ("frame", "track", "node", "xy")
NOT_TRANSPOSED = ("frame", "node", "xy", "track")
ORDERS = (MATLAB, NOT_TRANSPOSED, PYTHON)
PARTS = {
    "tracks": {"frame", "track", "node", "xy"},
    "point_scores": {"frame", "track", "node"},
    "track_occupancy": {"frame", "track"},
}


class Layout(NamedTuple):
    """Names of the tracks and nodes, number of frames, the axes of each dataset in :data:`PARTS`, and notes."""

    tracks: tuple[str, ...]
    nodes: tuple[str, ...]
    frames: int
    axes: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]


def sniff(path: Path) -> bool:
    """Whether an HDF5 file has the positions of tracks, and names of nodes."""

    def has_tracks(content: h5py.File) -> bool:
        return "node_names" in content and len(content["tracks"].shape) == len(MATLAB)

    return is_like(path, has_tracks)


def outline(path: Path) -> Outline:
    """Size of an analysis file."""
    data = path.read_bytes()
    with opened(data, path, EXPECTED) as content:
        layout = _layout(content, path)
    return Outline(layout.frames, layout.nodes, len(layout.tracks), len(data))


def parse(data: bytes, path: Path, request: Request) -> Pose:
    """Pose of an analysis file, see :func:`bsoid_gpu.io.parse_pose`."""
    with opened(data, path, EXPECTED) as content:
        layout = _layout(content, path)
        check_rate(_rate(content), path, request)
        present = _presence(content, layout)
        extents = {name: extent(np.flatnonzero(own)) for name, own in zip(layout.tracks, present.T, strict=True)}
        names, notes = long_tracks(extents, int(present.sum(axis=1).max(initial=0)), request)
        tracks, nodes, left_out = chosen_names(dict.fromkeys(names, layout.nodes), request, path)
        chosen = [layout.tracks.index(name) for name in tracks]
        columns = [layout.nodes.index(name) for name in nodes]
        position = np.stack([_track(content, layout, "tracks", n)[:, columns] for n in chosen], axis=1)
        scores = None
        if "point_scores" in layout.axes:
            scores = np.stack([_track(content, layout, "point_scores", n)[:, columns] for n in chosen], axis=1)
        position, absent = _without_absent(position, present[:, chosen], tracks)
        confidence, unscored = _confidence(scores, position, has_instance_scores="instance_scores" in content)
    return arranged_pose(
        request.backend.asarray(position),
        None if confidence is None else request.backend.asarray(confidence),
        path,
        request,
        individuals=tracks,
        keypoints=nodes,
        notes=(*layout.notes, *notes, *left_out, *absent, *unscored),
    )


READERS = (Reader("SLEAP analysis HDF5", (".h5", ".hdf5"), sniff, parse, outline),)


def _layout(content: h5py.File, path: Path) -> Layout:
    """Names and axes.

    Raises
    ------
    BadInput
        Shapes that do not fit the names, or fit several orders of the axes.
    """
    nodes = texts(stored(content, "node_names"))
    tracks = texts(stored(content, "track_names")) if "track_names" in content else []
    parts = {name: stored(content, name) for name in PARTS if name in content}
    shape = parts["tracks"].shape
    named = {"node": len(nodes), "track": max(len(tracks), 1), "xy": 2}
    candidates = _candidates(parts, named)
    if not tracks and not candidates:  # several tracks without names
        candidates = _candidates(parts, {"node": len(nodes), "xy": 2})
    if len(candidates) != 1:
        shapes = ", ".join(f"{name!r} {dataset.shape}" for name, dataset in parts.items())
        orders = " or ".join(str(axes["tracks"]) for axes in candidates) or "none of the known orders"
        msg = (
            f"{str(path)!r}: the axes are {orders} by their lengths: {shapes}, with {len(nodes)} node names and "
            f"{len(tracks)} track names; expected {MATLAB}: export the analysis file again from the .slp file, or give "
            "the .slp file"
        )
        raise BadInput(msg)
    (axes,) = candidates
    notes: tuple[str, ...] = ()
    if not tracks:
        tracks = [f"track_{number}" for number in range(shape[axes["tracks"].index("track")])]
        notes = (
            f"the tracks have no names and are called {', '.join(tracks[:3])}{' ...' * (len(tracks) > 3)}: the file "
            "was exported without tracking, so that in a recording of several animals one track holds now this and "
            "now that animal",
        )
    check_names(tracks, path)
    return Layout(tuple(tracks), tuple(nodes), shape[axes["tracks"].index("frame")], axes, notes)


def _candidates(parts: dict[str, h5py.Dataset], lengths: dict[str, int]) -> list[dict[str, tuple[str, ...]]]:
    """Axes of each dataset in the orders that fit its attribute ``dims``, the lengths of the names and each other."""
    stated = {name: tuple(json.loads(attribute(part, "dims"))) for name, part in parts.items() if "dims" in part.attrs}
    orders = [stated["tracks"]] if "tracks" in stated else ORDERS
    fitting = []
    for order in orders:
        axes = {name: tuple(axis for axis in order if axis in PARTS[name]) for name in parts}
        if "track_occupancy" in axes:  # is the other way round than the other datasets, unless written for Python
            axes["track_occupancy"] = ("track", "frame") if order == NOT_TRANSPOSED else ("frame", "track")
        axes |= stated
        sizes = dict(zip(order, parts["tracks"].shape, strict=True)) | lengths
        if all(
            set(axes[name]) == PARTS[name] and part.shape == tuple(sizes[axis] for axis in axes[name])
            for name, part in parts.items()
        ):
            fitting.append(axes)
    return fitting


def _track(content: h5py.File, layout: Layout, name: str, number: int) -> NDArray[Any]:
    """One track of a dataset: (frames, nodes, 2) positions or (frames, nodes) scores, float64."""
    axes = layout.axes[name]
    values = stored(content, name)[tuple(number if axis == "track" else slice(None) for axis in axes)]
    rest = [axis for axis in axes if axis != "track"]
    order = [rest.index(axis) for axis in ("frame", "node", "xy") if axis in rest]
    return numbers(np.transpose(values, order), "fiu", np.float64)


def _presence(content: h5py.File, layout: Layout) -> NDArray[Any]:
    """(frames, tracks) bool: which tracks each frame has, by its occupancy or else by the positions."""
    if "track_occupancy" in layout.axes:
        occupancy = stored(content, "track_occupancy")[()] != 0
        return np.asarray(occupancy if layout.axes["track_occupancy"] == ("frame", "track") else occupancy.T)
    tracks = (_track(content, layout, "tracks", number) for number in range(len(layout.tracks)))
    return np.stack([np.isfinite(track).all(axis=2).any(axis=1) for track in tracks], axis=1)


def _without_absent(
    position: NDArray[Any], present: NDArray[Any], tracks: tuple[str, ...]
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """(frames, tracks, nodes, 2) positions, NaN in frames where the (frames, tracks) presence is False, and notes."""
    contradictions = (np.isfinite(position).all(axis=3).any(axis=2) & ~present).sum(axis=0)
    notes = tuple(
        f"{name!r} has positions in {number:,} frames where track_occupancy says that it is absent: they are missing"
        for name, number in zip(tracks, contradictions, strict=True)
        if number
    )
    return np.where(present[:, :, None, None], position, np.nan), notes


def _confidence(
    scores: NDArray[Any] | None, position: NDArray[Any], *, has_instance_scores: bool
) -> tuple[NDArray[Any] | None, tuple[str, ...]]:
    """(frames, tracks, nodes) confidences, 1 for positions without a score, and notes; None without any score."""
    if scores is None:
        unused = ("the scores of whole animals (instance_scores) are not used",) if has_instance_scores else ()
        return None, unused
    seen = np.isfinite(position).all(axis=3)
    if not np.any(seen & np.isfinite(scores)):
        return None, ()
    unscored = seen & np.isnan(scores)
    frames = int(unscored.any(axis=(1, 2)).sum())
    notes = (f"{frames:,} frames have positions without a score, as labels made by hand: their confidence is 1",)
    return np.where(unscored, 1.0, scores), notes if frames else ()


def _rate(content: h5py.File) -> object:
    """Frame rate of the video, which sleap-io writes where it knows it."""
    video = json.loads(attribute(content, "video_backend_metadata") or "{}")
    return video.get("fps")
