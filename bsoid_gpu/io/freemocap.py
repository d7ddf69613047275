"""FreeMoCap files: a NumPy array of the positions of a person in three dimensions, in mm.

``mediapipe_body_3d_xyz.npy`` has the 33 points of MediaPipe's body; ``mediapipe_skeleton_3d.npy`` and the
``..._spatialXYZ.npy`` of the raw data have those first, then the points of the hands and of the face. The arrays have
no names: MediaPipe's order gives them.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.arrange import INDIVIDUAL, arranged_pose, chosen_names
from bsoid_gpu.io.messages import reason
from bsoid_gpu.io.reader import Outline, Reader, Request, beginning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.pose import Pose

MAGIC = b"\x93NUMPY"
KEYPOINTS = (  # noqa: SIM905 - one name a line would be half of this file
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer left_ear right_ear "
    "mouth_left mouth_right left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_pinky "
    "right_pinky left_index right_index left_thumb right_thumb left_hip right_hip left_knee right_knee left_ankle "
    "right_ankle left_heel right_heel left_foot_index right_foot_index"
).split()
BODY = len(KEYPOINTS)
HANDS = 2 * 21
POINTS = (BODY, BODY + HANDS + 468, BODY + HANDS + 478)  # the face without and with the irises
NO_POSITIONS = "reprojectionerror"  # in the names of FreeMoCap's arrays of errors
DAMAGED = (ValueError, TypeError, EOFError, SyntaxError, TokenError, MemoryError, OverflowError, RecursionError)


def sniff(path: Path) -> bool:
    """Whether a file is an array of positions of MediaPipe's points."""
    try:
        if beginning(path, len(MAGIC)) != MAGIC:
            return False
        _positions(path, path)
    except (OSError, BadInput):
        return False
    return True


def parse(data: bytes, path: Path, request: Request) -> Pose:
    """Parse an array; see :func:`bsoid_gpu.io.parse_pose`."""
    array = _positions(data, path)
    individuals, keypoints, _ = chosen_names({INDIVIDUAL: KEYPOINTS}, request, path)
    notes = [
        "the keypoints are named in the order of MediaPipe's body, since the array has no names",
        "positions are in the unit of the calibration (often mm), not in px",
    ]
    if array.shape[1] > BODY:
        notes.append(f"{array.shape[1] - BODY} points of the hands and of the face are left out")
    chosen = [KEYPOINTS.index(name) for name in keypoints]
    position = array[:, None, chosen, :].astype(np.float64)
    return arranged_pose(position, None, path, request, individuals=individuals, keypoints=keypoints, notes=notes)


def outline(path: Path) -> Outline:
    """Outline of an array, from its header."""
    return Outline(_positions(path, path).shape[0], tuple(KEYPOINTS), 1, path.stat().st_size)


READERS = (Reader("FreeMoCap array", (".npy",), sniff, parse, outline, own_suffix=False),)


def _positions(source: bytes | Path, path: Path) -> NDArray[Any]:
    """The array (frames, points, 3) of a file, mapped, or of its content."""
    try:
        array = _loaded(source)
    except DAMAGED as error:
        msg = f"{str(path)!r} is not a NumPy array of numbers, or it is damaged: {reason(error)}"
        raise BadInput(msg) from error
    if problem := _problem(array, path):
        msg = (
            f"{str(path)!r} {problem}; expected (frames, {', '.join(map(str, POINTS[:-1]))} or {POINTS[-1]} points, 3) "
            "numbers with decimals, as in FreeMoCap's mediapipe_body_3d_xyz.npy"
        )
        raise BadInput(msg)
    return array


def _loaded(source: bytes | Path) -> NDArray[Any]:
    """The array; no code in it is run, since pickles are refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of headers that it reads with effort
        if isinstance(source, Path):
            return np.lib.format.open_memmap(source, mode="r")
        return np.asarray(np.lib.format.read_array(io.BytesIO(source), allow_pickle=False))


def _problem(array: NDArray[Any], path: Path) -> str:
    """Why an array is no recording; empty if it is one."""
    if NO_POSITIONS in path.name.lower():
        return "has the errors of the reprojection, going by its name"
    if array.dtype.kind != "f":
        return f"has values of type {array.dtype}"
    if array.ndim == 4 and array.shape[-1] in (2, 3):
        return f"has shape {array.shape}, the positions in the image of each camera"
    if array.ndim != 3 or array.shape[2] != 3 or array.shape[1] not in POINTS:
        return f"has shape {array.shape}"
    return ""
