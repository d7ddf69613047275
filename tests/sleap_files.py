"""Files as SLEAP writes them, for tests."""

import json
from typing import NamedTuple

import h5py
import numpy as np
from numpy.lib.recfunctions import repack_fields

from bsoid_gpu.io import sleap_analysis, sleap_labels
from bsoid_gpu.io.reader import Request

NODES = ("nose", "left ear", "tail")
PYTHON = ("frame", "track", "node", "xy")
MATLAB = ("track", "xy", "node", "frame")

FRAME = [
    ("frame_id", "u8"),
    ("video", "u4"),
    ("frame_idx", "u8"),
    ("instance_id_start", "u8"),
    ("instance_id_end", "u8"),
]
INSTANCE = [
    ("instance_id", "i8"),
    ("instance_type", "u1"),
    ("frame_id", "u8"),
    ("skeleton", "u4"),
    ("track", "i4"),
    ("from_predicted", "i8"),
    ("score", "f4"),
    ("point_id_start", "u8"),
    ("point_id_end", "u8"),
    ("tracking_score", "f4"),  # from format 1.2 on
]
POINT = [("x", "f8"), ("y", "f8"), ("visible", "?"), ("complete", "?")]


def parse(path, cpu, fps=30.0, keypoints=(), individuals=()):
    """Pose of a file by the reader that recognises it."""
    (reader,) = [
        reader
        for reader in (*sleap_analysis.READERS, *sleap_labels.READERS)
        if path.suffix in reader.suffixes and reader.sniff(path)
    ]
    return reader.parse(path.read_bytes(), path, Request(fps, cpu, tuple(keypoints), tuple(individuals)))


def positions(frames, tracks=1, nodes=3, seed=0):
    """(frames, tracks, nodes, 2) positions, all different."""
    return np.random.default_rng(seed).uniform(1, 500, (frames, tracks, nodes, 2))


def write_analysis(path, tracks, *, names=None, nodes=NODES, order=MATLAB, scores=None, dims=False, **more):
    """An analysis file of (frames, tracks, nodes, 2) positions; further datasets and values by name."""
    with h5py.File(path, "w") as file:
        file["node_names"] = np.array(nodes, "S")
        names = [f"track {number}" for number in range(tracks.shape[1])] if names is None else names
        file["track_names"] = np.array(names, "S") if len(names) else np.zeros(0)
        arrays = {"tracks": (tracks, PYTHON), "point_scores": (scores, PYTHON[:3])}
        for name, (values, axes) in arrays.items():
            if values is not None:
                own = [axis for axis in order if axis in axes]
                file.create_dataset(name, data=np.transpose(values, [axes.index(a) for a in own]), compression="gzip")
                if dims:
                    file[name].attrs["dims"] = json.dumps(own)
        for name, values in more.items():
            file[name] = values
    return path


class Instance(NamedTuple):
    """An animal in a frame; labelled by hand where it has no scores."""

    frame: int
    xy: np.ndarray
    scores: object = None
    track: int = 0
    source: int = -1
    visible: object = True
    video: int = 0
    skeleton: int = 0


def write_labels(path, instances, *, tracks=("mouse",), nodes=NODES, format_id=1.2, videos=None, empty=(), **metadata):
    """A label file; ``empty`` are numbers of frames without an instance.

    The names of the nodes are in another order than the nodes of the skeleton.
    """
    skeleton = {"graph": {"name": "mouse"}, "links": [], "nodes": [{"id": n} for n in reversed(range(len(nodes)))]}
    metadata = {
        "skeletons": [skeleton],
        "nodes": [{"name": name, "weight": 1.0} for name in reversed(nodes)],
        "provenance": {},
    } | metadata
    keys = dict.fromkeys([(0, frame) for frame in empty] + [(one.video, one.frame) for one in instances])
    frames, rows, points = [], [], {True: [], False: []}
    for number, (video, frame) in enumerate(keys):
        own = [(place, one) for place, one in enumerate(instances) if (one.video, one.frame) == (video, frame)]
        frames.append((number, video, frame, len(rows), len(rows) + len(own)))
        for place, one in own:
            kind = points[one.scores is None]
            ids = (place, one.scores is not None, number, one.skeleton, one.track, one.source, 0)
            rows.append((*ids, len(kind), len(kind) + len(one.xy), 0))
            visible = np.broadcast_to(one.visible, len(one.xy))
            scores = [()] * len(one.xy) if one.scores is None else [(score,) for score in one.scores]
            kind += [(*xy, seen, False, *score) for xy, seen, score in zip(one.xy, visible, scores, strict=True)]
    with h5py.File(path, "w") as file:
        file.create_group("metadata").attrs["json"] = np.bytes_(json.dumps(metadata))
        file["metadata"].attrs["format_id"] = format_id
        fields = [name for name, _ in INSTANCE[: 10 if format_id >= 1.2 else 9]]
        file["frames"], file["instances"] = np.array(frames, FRAME), repack_fields(np.array(rows, INSTANCE)[fields])
        file["points"] = np.array(points[True], POINT)
        file["pred_points"] = np.array(points[False], [*POINT, ("score", "f8")])
        videos = [{"backend": {"filename": "mouse.mp4"}}] if videos is None else videos
        file["videos_json"] = np.array([json.dumps(video) for video in videos], "S")
        file["tracks_json"] = np.array([json.dumps([0, name]) for name in tracks], "S") if tracks else np.zeros(0)
    return path
