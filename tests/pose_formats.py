"""One recording in every format that can be read, for tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import dlc
import dlc_hdf5
import h5py
import hdf5_poses
import human
import numpy as np
import sleap_files
import three_dimensions

from bsoid_gpu.io.freemocap import KEYPOINTS as MEDIAPIPE
from bsoid_gpu.io.human_keypoints import ALPHAPOSE, OPENPOSE
from bsoid_gpu.io.jabs import KEYPOINTS as JABS
from bsoid_gpu.pose import Pose
from bsoid_gpu.synthetic import mouse
from bsoid_gpu.synthetic.sessions import simulate_session

FPS = hdf5_poses.RATE
FRAMES = 330  # more than 10 s in which an animal is there
ABSENT = slice(100, 125)  # frames without the first animal, more than 0.5 s
COORDS = ("x", "y", "z")


def recording(animals=1, dimensions=2, frames=FRAMES, seed=0) -> Pose:
    """Mice with a few missing positions, the first of which is not there for a while."""
    mice = []
    for animal in range(animals):
        if dimensions == 3:
            one, _ = three_dimensions.session("m", frames, FPS, seed=seed + animal)
        else:
            one, _ = simulate_session("m", frames, FPS, np.random.default_rng(seed + animal))
        mice.append(one)
    position, confidence = (
        np.concatenate([getattr(one, name) for one in mice], axis=1) for name in ("position", "confidence")
    )
    position[40:43, :, 2] = np.nan
    position[ABSENT, 0] = np.nan
    confidence[np.isnan(position[..., 0])] = 0
    return replace(
        mice[0], position=position, confidence=confidence, individuals=tuple(f"mouse{i}" for i in range(animals))
    )


def csv(path: Path, pose: Pose, *, likelihood=True) -> Path:
    """Write a file of DeepLabCut, with every digit."""
    several = len(pose.individuals) > 1
    coords = (*COORDS[: pose.position.shape[3]], *(["likelihood"] if likelihood else []))
    columns = [(i, k, c) for i in pose.individuals for k in pose.keypoints for c in coords]
    titles = ("individuals", "bodyparts", "coords")
    rows = [["scorer", *["net"] * len(columns)]]
    rows += [
        [title, *names]
        for title, names in zip(titles, zip(*columns, strict=True), strict=True)
        if several or title != "individuals"
    ]
    rows += [[str(t), *map(dlc.cell, frame.ravel())] for t, frame in enumerate(_table(pose, likelihood=likelihood))]
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    return path


def _table(pose: Pose, *, likelihood=True):
    """(frames, individuals, keypoints, coordinates)."""
    values = np.concatenate([pose.position, pose.confidence[..., None]], axis=-1)
    return values if likelihood else values[..., :-1]


def _without_likelihood(folder: Path, pose: Pose) -> Path:
    return csv(folder / "m.csv", pose, likelihood=False)


def _csv(folder: Path, pose: Pose) -> Path:
    return csv(folder / "m.csv", pose)


def _hdf5(format_: str) -> Callable[[Path, Pose], Path]:
    def write(folder: Path, pose: Pose) -> Path:
        individuals = pose.individuals if len(pose.individuals) > 1 else ()
        table = dlc_hdf5.frame(_table(pose), pose.keypoints, individuals)
        return dlc_hdf5.write(folder / "m.h5", table, format=format_)

    return write


def _sleap_analysis(folder: Path, pose: Pose) -> Path:
    return sleap_files.write_analysis(
        folder / "m.analysis.h5",
        pose.position,
        names=pose.individuals,
        nodes=pose.keypoints,
        scores=np.where(np.isnan(pose.position[..., 0]), np.nan, pose.confidence),
    )


def _sleap_labels(folder: Path, pose: Pose) -> Path:
    present = ~np.isnan(pose.position).all(axis=(2, 3))
    instances = [
        sleap_files.Instance(t, pose.position[t, i], pose.confidence[t, i], i) for t, i in np.argwhere(present).tolist()
    ]
    empty = np.flatnonzero(~present.any(axis=1)).tolist()
    return sleap_files.write_labels(
        folder / "m.slp", instances, tracks=pose.individuals, nodes=pose.keypoints, empty=empty
    )


def _nwb(folder: Path, pose: Pose) -> Path:
    containers = {
        animal: {
            "series": {
                name: {"data": pose.position[:, i, k], "confidence": pose.confidence[:, i, k], "rate": pose.fps}
                for k, name in enumerate(pose.keypoints)
            }
        }
        for i, animal in enumerate(pose.individuals)
    }
    return hdf5_poses.nwb(folder / "m.nwb", containers, skeletons=list(pose.keypoints))


def _movement(folder: Path, pose: Pose) -> Path:
    return hdf5_poses.movement(
        folder / "m.nc",
        np.transpose(pose.position, (0, 3, 2, 1)),
        np.transpose(pose.confidence, (0, 2, 1)),
        keypoint=list(pose.keypoints),
        individual=list(pose.individuals),
    )


def _all_keypoints(pose: Pose, names) -> np.ndarray:
    """(frames, individuals, names, space + 1): keypoints of a fixed list, with zeros for those that are missing."""
    values = np.zeros((pose.frames, len(pose.individuals), len(names), pose.position.shape[3] + 1))
    values[:, :, [names.index(name) for name in pose.keypoints]] = np.nan_to_num(_table(pose))
    return values


def _openpose(folder: Path, pose: Pose) -> Path:
    values = _all_keypoints(pose, OPENPOSE[25][1])
    frames = [
        [human.openpose_person(one, i if len(frame) > 1 else -1) for i, one in enumerate(frame) if one.any()]
        for frame in values
    ]
    return human.openpose_folder(folder / "m", frames)


def _mmpose(folder: Path, pose: Pose) -> Path:
    values, several = _all_keypoints(pose, pose.keypoints), len(pose.individuals) > 1
    frames = [
        {
            "frame_id": number,
            "instances": [
                {"keypoints": one[:, :-1].tolist(), "keypoint_scores": one[:, -1].tolist()}
                | ({"track_id": i} if several else {})
                for i, one in enumerate(frame)
                if one.any()
            ],
        }
        for number, frame in enumerate(values)
    ]
    names = {str(k): name for k, name in enumerate(pose.keypoints)}
    (folder / "m.json").write_text(json.dumps({"meta_info": {"keypoint_id2name": names}, "instance_info": frames}))
    return folder / "m.json"


def _alphapose(folder: Path, pose: Pose) -> Path:
    entries = [
        {"image_id": f"{number}.jpg", "category_id": 1, "keypoints": one.ravel().tolist(), "score": 2.9, "idx": i}
        for number, frame in enumerate(_all_keypoints(pose, ALPHAPOSE[17][1]))
        for i, one in enumerate(frame)
        if one.any()
    ]
    (folder / "m.json").write_text(json.dumps(entries))
    return folder / "m.json"


def _jabs(folder: Path, pose: Pose) -> Path:
    """A file of version 2 for one mouse and 4 for several, whose order in the file changes."""
    values, several = _all_keypoints(pose, JABS), len(pose.individuals) > 1
    order = np.random.default_rng(9).permuted(np.tile(np.arange(values.shape[1]), (pose.frames, 1)), axis=1)
    values = values[np.arange(pose.frames)[:, None], order]
    path = folder / f"m_pose_est_v{4 if several else 2}.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("poseest")
        group.attrs["version"] = [4 if several else 2, 0]
        kept = slice(None) if several else 0
        group["points"] = values[:, kept, :, 1::-1].astype(np.uint16)
        group["confidence"] = values[:, kept, :, 2].astype(np.float32)
        if several:
            group["instance_embed_id"] = (order + 1).astype(np.uint32)
            group["id_mask"] = ~values.any(axis=(2, 3))
            group["instance_id_center"] = np.zeros((values.shape[1], 4), np.float32)
    return path


def _as_in_jabs(pose: Pose) -> Pose:
    return replace(pose, position=np.floor(pose.position), confidence=pose.confidence.astype(np.float32).astype(float))


def _anipose(folder: Path, pose: Pose) -> Path:
    score = pose.confidence[:, 0]
    data = three_dimensions.anipose_csv(pose.position[:, 0], pose.keypoints, score=score)
    (folder / "m.csv").write_bytes(data)
    return folder / "m.csv"


def _freemocap(folder: Path, pose: Pose) -> Path:
    values = np.full((pose.frames, len(MEDIAPIPE), 3), np.nan)
    values[:, [MEDIAPIPE.index(name) for name in pose.keypoints]] = pose.position[:, 0]
    np.save(folder / "m.npy", values)
    return folder / "m.npy"


class Format(NamedTuple):
    """A format, and what of a recording of simulated mice it can hold.

    ``write`` writes a pose into a folder. ``keypoints`` are the format's own names for those of the mouse; ``stored``
    gives the numbers as the format rounds them.
    """

    write: Callable[[Path, Pose], Path]
    animals: int = 1
    dimensions: int = 2
    keypoints: tuple[str, ...] = mouse.KEYPOINTS
    likelihood: bool = True
    stored: Callable[[Pose], Pose] = lambda pose: pose

    def recording(self, frames=FRAMES, seed=0) -> Pose:
        """A recording with the keypoints and the numbers of this format."""
        pose = recording(self.animals, self.dimensions, frames, seed)
        return self.stored(replace(pose, keypoints=self.keypoints))


BODY_25 = ("Nose", "RWrist", "LWrist", "RAnkle", "LAnkle", "MidHip")
COCO = (*BODY_25[:-1], "LHip")
MICE = ("NOSE", "RIGHT_FRONT_PAW", "LEFT_FRONT_PAW", "RIGHT_REAR_PAW", "LEFT_REAR_PAW", "BASE_TAIL")
PERSON = ("nose", "right_wrist", "left_wrist", "right_ankle", "left_ankle", "left_hip")

FORMATS = {
    "DeepLabCut CSV": Format(_csv),
    "DeepLabCut CSV, two animals": Format(_csv, 2),
    "DeepLabCut CSV without likelihoods": Format(_without_likelihood, likelihood=False),
    "DeepLabCut HDF5, table": Format(_hdf5("table")),
    "DeepLabCut HDF5, fixed": Format(_hdf5("fixed")),
    "DeepLabCut HDF5, two animals": Format(_hdf5("table"), 2),
    "SLEAP analysis": Format(_sleap_analysis),
    "SLEAP analysis, two animals": Format(_sleap_analysis, 2),
    "SLEAP labels": Format(_sleap_labels),
    "SLEAP labels, two animals": Format(_sleap_labels, 2),
    "NWB": Format(_nwb),
    "NWB, two animals": Format(_nwb, 2),
    "movement": Format(_movement),
    "movement, two animals": Format(_movement, 2),
    "OpenPose": Format(_openpose, keypoints=BODY_25),
    "OpenPose, two people": Format(_openpose, 2, keypoints=BODY_25),
    "MMPose": Format(_mmpose),
    "MMPose, two animals": Format(_mmpose, 2),
    "AlphaPose": Format(_alphapose, keypoints=COCO),
    "AlphaPose, two people": Format(_alphapose, 2, keypoints=COCO),
    "JABS": Format(_jabs, keypoints=MICE, stored=_as_in_jabs),
    "JABS, two animals": Format(_jabs, 2, keypoints=MICE, stored=_as_in_jabs),
    "DeepLabCut CSV, 3-D": Format(_without_likelihood, dimensions=3, likelihood=False),
    "Anipose": Format(_anipose, dimensions=3),
    "FreeMoCap": Format(_freemocap, dimensions=3, keypoints=PERSON, likelihood=False),
    "NWB, 3-D": Format(_nwb, dimensions=3),
    "movement, 3-D": Format(_movement, dimensions=3),
}
