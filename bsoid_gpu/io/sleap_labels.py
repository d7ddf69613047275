"""SLEAP label files (``.slp``): positions of animals in the frames of a video, predicted or labelled by hand.

The tables refer to each other by number; see the page "SLP File Format" of the documentation of sleap-io.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.arrange import INDIVIDUAL, arranged_pose, chosen_names
from bsoid_gpu.io.frame_numbers import every_frame
from bsoid_gpu.io.frame_times import checked_rate
from bsoid_gpu.io.hdf5 import attribute, dataset, is_like, item, numbers, opened, texts
from bsoid_gpu.io.messages import listed
from bsoid_gpu.io.reader import Outline, Reader, Request
from bsoid_gpu.io.sleap_instances import BY_HAND, UNTRACKED, Instances, distinct, instances_of, points_of
from bsoid_gpu.io.tracks import check_names, long_tracks
from bsoid_gpu.pose import Pose

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

EXPECTED = "a SLEAP label file (.slp)"
PIXEL_CENTRES = 1.1  # format from which on 0, 0 is the centre of a pixel; before that it is the corner of the image


class Labels(NamedTuple):
    """What a label file says of one video.

    ``frame_numbers`` (frames,); ``nodes`` and ``tracks`` are names, the last track that of instances without one; of
    ``instances``, the (n, nodes, 2) ``position`` and (n, nodes) ``score``; ``notes``.
    """

    frame_numbers: NDArray[np.int64]
    nodes: tuple[str, ...]
    tracks: tuple[str, ...]
    instances: Instances
    position: NDArray[np.float64]
    score: NDArray[np.float64]
    notes: tuple[str, ...]


def sniff(path: Path) -> bool:
    """Whether a file with the suffix ``.slp`` has the tables of SLEAP."""
    return is_like(path, lambda content: {"metadata", "frames", "instances"} <= set(content))


def outline(path: Path) -> Outline:
    """Size of a label file; its individuals are the mean number of animals in a frame."""
    data = path.read_bytes()
    with opened(data, path, EXPECTED) as content:
        frames, instances = dataset(content, "frames").size, dataset(content, "instances").size
        nodes = _nodes(content, 0)
    return Outline(frames, nodes, max(1, math.ceil(instances / max(frames, 1))), len(data))


def parse(data: bytes, path: Path, request: Request) -> Pose:
    """Pose of a label file, see :func:`bsoid_gpu.io.parse_pose`."""
    with opened(data, path, EXPECTED) as content:
        labels = _labels(content, path, request)
    long, fragments = long_tracks(_frames_of(labels, path), request)
    tracks, keypoints, left_out = chosen_names(dict.fromkeys(long, labels.nodes), request, path)
    position, confidence, by_hand = _arranged(labels, tracks, keypoints)
    frame_numbers, rows = every_frame(labels.frame_numbers)
    empty = rows < 0
    note = f"{empty.sum():,} frames between the first and the last have no instance"
    if empty.any():
        position = np.where(empty[:, None, None, None], np.nan, position[rows])
        confidence = None if confidence is None else confidence[rows]
    return arranged_pose(
        position,
        confidence,
        path,
        request,
        individuals=tracks,
        keypoints=keypoints,
        frame_numbers=frame_numbers,
        notes=(*labels.notes, *fragments, *left_out, *by_hand, *([note] if empty.any() else [])),
    )


READERS = (Reader("SLEAP labels", (".slp",), sniff, parse, outline),)


def _labels(content: h5py.File, path: Path, request: Request) -> Labels:
    """Instances that count, with their points.

    Raises
    ------
    BadInput
        No instances or those of several videos or skeletons, another frame rate, several instances of one track in a
        frame.
    """
    frames = _rows(content, "frames")
    number = _video(content, frames, path)
    if rate := _rate(_description(content, number)):
        checked_rate(rate, repr(str(path)), request.fps)
    frames = frames[frames["video"] == number]
    frame_numbers = numbers(frames["frame_idx"], "iu", np.int64)
    instances = instances_of(frames, _rows(content, "instances"))
    nodes = _nodes(content, _skeleton(content, instances, path))
    tracks = [str(json.loads(entry)[1]) for entry in texts(dataset(content, "tracks_json"))]
    if np.any((instances.track < UNTRACKED) | (instances.track >= len(tracks))):
        msg = "an instance is of a track that does not exist"
        raise ValueError(msg)
    instances, notes = distinct(instances, frame_numbers, tracks, path)
    position, score = points_of(instances, _rows(content, "points"), _rows(content, "pred_points"), len(nodes))
    if attribute(item(content, "metadata"), "format_id") < PIXEL_CENTRES:
        position -= 0.5
        notes += ("0, 0 is the corner of the image in this old file: all positions are moved by half a pixel",)
    return Labels(frame_numbers, nodes, (*tracks, INDIVIDUAL), instances, position, score, notes)


def _rows(content: h5py.File, name: str) -> NDArray[Any]:
    """Rows of a table."""
    return np.ravel(dataset(content, name)[()])


def _video(content: h5py.File, frames: NDArray[Any], path: Path) -> int:
    """Number of the only video with instances."""
    start, end, video = (
        numbers(frames[name], "iu", np.int64) for name in ("instance_id_start", "instance_id_end", "video")
    )
    videos = np.unique(video[end > start])
    if len(videos) == 1:
        return int(videos[0])
    if not len(videos):
        msg = f"{str(path)!r} has no animal in any frame: leave this file out"
        raise BadInput(msg)
    names = [repr(str(_file_name(_description(content, int(number))) or number)) for number in videos]
    msg = (
        f"{str(path)!r} holds {len(videos)} videos ({listed(names)}); expected one recording: "
        "export each video in SLEAP (Export Analysis HDF5), and give these files"
    )
    raise BadInput(msg)


def _description(content: h5py.File, number: int) -> dict[str, Any]:
    """What the file says of a video, whose number is that of its images in the file or else its place in the list."""
    videos = [json.loads(entry) for entry in texts(dataset(content, "videos_json"))]
    own = [video for video in videos if video.get("backend", {}).get("dataset") == f"video{number}/video"]
    return next(iter(own or videos[number : number + 1]), {})


def _file_name(video: dict[str, Any]) -> object:
    """Path of a video, or of its first image."""
    name = video.get("backend", {}).get("filename") or video.get("filename")
    return name[0] if isinstance(name, list) and name else name


def _rate(video: dict[str, Any]) -> object:
    """Frame rate of a video, or of the one that its images come from; None where it is not given."""
    rate = video.get("backend", {}).get("fps")
    return _rate(video["source_video"]) if rate is None and video.get("source_video") else rate


def _skeleton(content: h5py.File, instances: Instances, path: Path) -> int:
    """Number of the only skeleton of the instances."""
    used = np.unique(instances.skeleton)
    if len(used) > 1:
        names = "; ".join(", ".join(_nodes(content, int(number))) for number in used)
        msg = (
            f"{str(path)!r} has animals with {len(used)} skeletons ({names}); expected one: give a file for each "
            "kind of animal"
        )
        raise BadInput(msg)
    return int(used[0])


def _nodes(content: h5py.File, skeleton: int) -> tuple[str, ...]:
    """Names of the nodes in the order of the points, which is that of the skeleton and not of the list of names."""
    metadata = json.loads(attribute(item(content, "metadata"), "json"))
    return tuple(str(metadata["nodes"][node["id"]]["name"]) for node in metadata["skeletons"][skeleton]["nodes"])


def _frames_of(labels: Labels, path: Path) -> dict[str, NDArray[Any]]:
    """Ascending numbers of the frames in which a point of a track is visible, of each track that has instances."""
    instances = labels.instances
    order = np.argsort(instances.track, kind="stable")
    tracks, first = np.unique(instances.track[order], return_index=True)
    names = [labels.tracks[number] for number in tracks]
    check_names(names, path)
    visible = np.any(np.all(np.isfinite(labels.position), axis=2), axis=1)
    groups = np.split(order, first[1:])
    return {
        name: np.sort(labels.frame_numbers[instances.row[group[visible[group]]]])
        for name, group in zip(names, groups, strict=True)
    }


def _arranged(
    labels: Labels, tracks: Sequence[str], keypoints: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, tuple[str, ...]]:
    """Positions and confidences by (frame, track, keypoint), NaN without an instance, and notes.

    The confidences are None where all instances are labelled by hand.
    """
    instances = labels.instances
    column = np.array([tracks.index(name) if name in tracks else -1 for name in labels.tracks])[instances.track]
    chosen = column >= 0
    place = instances.row[chosen], column[chosen]
    nodes = [labels.nodes.index(name) for name in keypoints]
    position = np.full((len(labels.frame_numbers), len(tracks), len(nodes), 2), np.nan)
    confidence = np.full(position.shape[:3], np.nan)
    position[place] = labels.position[chosen][:, nodes]
    confidence[place] = labels.score[chosen][:, nodes]
    by_hand = (instances.kind == BY_HAND)[chosen]
    if not np.any(by_hand):
        return position, confidence, ()
    frames = len(np.unique(place[0][by_hand]))
    notes = (f"{frames:,} frames are labelled by hand: the confidence of these positions is 1",)
    return position, None if np.all(by_hand) else confidence, notes
