"""Names of the keypoints of human pose models, in the order of their outputs.

Sources: the output formats in the documentation of OpenPose (BODY_25, COCO, MPI) and of AlphaPose (COCO, Halpe).
"""

from __future__ import annotations

from collections.abc import Mapping

_ARMS = ("RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist")
_LEGS = ("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle")
_FACE = ("REye", "LEye", "REar", "LEar")
_FEET = ("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel")
_COCO = (
    *("Nose", "LEye", "REye", "LEar", "REar", "LShoulder", "RShoulder", "LElbow", "RElbow", "LWrist", "RWrist"),
    *("LHip", "RHip", "LKnee", "RKnee", "LAnkle", "RAnkle"),
)
_HALPE = (*_COCO, "Head", "Neck", "Hip", "LBigToe", "RBigToe", "LSmallToe", "RSmallToe", "LHeel", "RHeel")


def _numbered(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{name}_{number}" for number in range(count))


Models = Mapping[int, tuple[str, tuple[str, ...]]]  # name and keypoints of the model with so many keypoints
OPENPOSE: Models = {
    25: ("BODY_25", ("Nose", "Neck", *_ARMS, "MidHip", *_LEGS, *_FACE, *_FEET)),
    18: ("COCO", ("Nose", "Neck", *_ARMS, *_LEGS, *_FACE)),
    15: ("MPI", ("Head", "Neck", *_ARMS, *_LEGS, "Chest")),
}
ALPHAPOSE: Models = {
    17: ("COCO", _COCO),
    26: ("Halpe 26", _HALPE),
    136: (
        "Halpe 136",
        (*_HALPE, *_numbered("Face", 68), *_numbered("LHand", 21), *_numbered("RHand", 21)),
    ),
}


def named_keypoints(count: int, models: Models) -> tuple[tuple[str, ...], str]:
    """Names of so many keypoints, and a sentence on where they come from."""
    if count in models:
        model, names = models[count]
        return names, f"the {count} keypoints are named as those of the model {model}: the file gives no names"
    return _numbered("keypoint", count), f"the {count} keypoints are numbered from 0 on: the file gives no names"
