"""Labelled sessions: the labels of every frame with the positions that they were made from.

A prediction writes the positions of each session beside its tables, as ``tracks/NAME.safetensors``, so that pages,
clips and descriptions need no other file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu import files
from bsoid_gpu.errors import BadInput
from bsoid_gpu.method.bouts import Labels, bouts
from bsoid_gpu.pose import Pose
from bsoid_gpu.run_folder import arrays

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from bsoid_gpu.method.labelling import Prediction

TRACKS = "tracks"
METADATA = "bsoid_gpu"


@dataclass(frozen=True)
class LabelledSession:
    """A session with its labels.

    Parameters
    ----------
    pose
        Held positions, NaN in frames that do not show the animal; its confidence is 1 or 0.
    labels
        (frames,) int64 of the model, -1 where the confidence is too low or the animal is absent.
    confidence
        (frames,) float64 of the classifier, 0 where the animal is absent.
    smoothed
        (frames,) bool, frames to which smoothing gave another label than the most probable.
    scale
        Factor on the positions with which they were labelled.
    """

    pose: Pose
    labels: NDArray[np.int64]
    confidence: NDArray[np.float64]
    smoothed: NDArray[np.bool_]
    scale: float = 1.0

    def frame_labels(self) -> Labels:
        """The labels for tables of bouts; frames that show the animal have a confidence above 0."""
        pose = self.pose
        return Labels(self.labels, pose.fps, pose.frame_numbers, self.confidence > 0, pose.start_s)


def bouts_of(session: LabelledSession) -> pd.DataFrame:
    """Bouts of the labels of a session, see :func:`bsoid_gpu.method.bouts.bouts`."""
    return bouts(session.frame_labels())


def track_name(session: str) -> str:
    """Path of the track of a session in the folder of a prediction."""
    return f"{TRACKS}/{session}.safetensors"


def write_track(folder: Path, prediction: Prediction, keypoints: Sequence[str]) -> dict[str, str]:
    """Write the positions of a session, in float32, and return the digest of the file by its name."""
    name = track_name(prediction.name)
    facts = {
        "keypoints": list(keypoints),
        "fps": prediction.fps,
        "start_s": prediction.start_s,
        "scale": prediction.scale,
    }
    content = arrays.saved({"position": prediction.position}, {METADATA: json.dumps(facts, sort_keys=True)})
    with files.explained(folder / TRACKS):
        (folder / TRACKS).mkdir(parents=True, exist_ok=True)
    files.write_atomic(folder / name, content)
    return {name: files.digest(content)}


def load_session(folder: Path, name: str) -> LabelledSession:
    """A session of a prediction.

    Raises
    ------
    BadInput
        Its table or its track is missing or damaged.
    """
    try:
        named, metadata = arrays.loaded(folder / track_name(name))
        facts = json.loads(metadata[METADATA])
        return _session(name, read_labels(folder, name), named["position"], facts)
    except (OSError, KeyError, ValueError, TypeError) as error:
        msg = (
            f"{name}: its labels or positions in {str(folder)!r} are missing or damaged ({error}): run `bsoid-gpu "
            "predict` again"
        )
        raise BadInput(msg) from error


def read_labels(folder: Path, name: str) -> dict[str, NDArray[Any]]:
    """Columns of the table of the frames of a session; ``OSError`` or ``ValueError`` if it cannot be read."""
    from pyarrow import csv as arrow_csv

    table = arrow_csv.read_csv(folder / f"{name}.labels.csv")
    return {column: table[column].to_numpy() for column in ("frame", "label", "confidence", "smoothed")}


def _session(name: str, table: dict[str, NDArray[Any]], position: NDArray[np.float32], facts: Any) -> LabelledSession:
    shown = np.asarray(np.isfinite(position).all(axis=2))
    pose = Pose(
        name=name,
        position=position[:, None],
        confidence=shown[:, None].astype(np.float64),
        individuals=(name,),
        keypoints=tuple(facts["keypoints"]),
        fps=facts["fps"],
        frame_numbers=table["frame"],
        start_s=facts["start_s"],
    )
    labels, smoothed = table["label"].astype(np.int64), table["smoothed"].astype(bool)
    return LabelledSession(pose, labels, table["confidence"].astype(np.float64), smoothed, facts["scale"])
