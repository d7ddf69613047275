"""What the name of a pose file says: the video, and what trackers and copying have added to it.

DeepLabCut adds network, task, date, shuffle and snapshot (``DLC_resnet50_taskJan1shuffle1_1000``, before version 2.1
``DeepCut_...``; version 3 ends in ``_snapshot_200`` or ``_snapshot_best-150``), for several animals the method of
tracking (``_el``, ``_bx``, ``_sk``), and ``_filtered``. SuperAnimal adds ``_superanimal_quadruped_...``, Lightning
Pose the seed (``.rng=0``), SLEAP ``.predictions`` or ``.analysis``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from bsoid_gpu.io.arrange import session_name

NETWORK = (
    "resnet|mobilenet|mobnet|efficientnet|effnet|dlcrnet|hrnet|dekr|ctd|rtm|cspnext|tokenpose|animaltokenpose|swin|vit"
)
MODELS = (  # of the first that matches, the first group is the video and the second one the model
    rf"(.+?)((?:DLC|DeepCut)_(?:{NETWORK}).*?shuffle\d+.*)",
    r"(.+)((?:DLC|DeepCut)_.*?shuffle\d+.*)",
    r"(.+?)((?:DLC_snapshot-|_superanimal_|DLC_superanimal_).*)",
    r"(.+?)((?:[._-](?:train_frames|model|snapshot|epoch|fold|seed|rng)=[^.]+)+)",
    r"(.+?)([._-]rng\d+)",
)
COPY = r"(.+?)( - Copy(?: \(\d+\))?| ?\(\d+\)|[ _-]copy(?:[ _]?\d+)?)"
FILTERED = r"(.+?)(_?filtered)"
EXPORT = r"(.+?)((?:\.(?:predictions|analysis|tracks))+)"
VIDEO = r"(.+?)(\.(?:mp4|avi|mov|mkv|m4v|mpe?g|wmv|webm|mts|ts|h264|hevc))"
SKELETON = r".+DLC_.*_skeleton"  # lengths, no second track of the video


class TrackName(NamedTuple):
    """Parts of a file's name; ``added`` is all that follows the video, with the suffix of the file."""

    video: str
    model: str
    filtered: bool
    copy: str
    added: str


def track_name(path: Path) -> TrackName:
    """Parts of the name of a pose file or folder."""
    stem = session_name(path)
    if re.fullmatch(SKELETON, stem):
        return TrackName(stem, "", False, "", path.suffix)
    rest, copy = _split(COPY, stem)
    rest, filtered = _split(FILTERED, rest)
    rest, _ = _split(EXPORT, rest)
    video, model = next((parts for pattern in MODELS if (parts := _split(pattern, rest))[1]), (rest, ""))
    name, _ = _split(VIDEO, video)
    return TrackName(name, model, bool(filtered), copy, path.name.removeprefix(video))


def _split(pattern: str, name: str) -> tuple[str, str]:
    """The two groups of a pattern; the name alone where it does not match."""
    match = re.fullmatch(pattern, name, re.IGNORECASE)
    return (match[1], match[2]) if match else (name, "")
