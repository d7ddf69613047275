"""Trackers that give one point an animal: TRex and idtracker.ai. They are recognised, and refused with the reason.

No array is read: the trajectories of idtracker.ai in a ``.npy`` file are a pickle, which could run code.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import hdf5
from bsoid_gpu.io.reader import Reader, Request, beginning

if TYPE_CHECKING:
    import h5py

LINE_BYTES = 4096  # a header is shorter
NUMPY = b"\x93NUMPY"
PICKLED = re.compile(rb"'descr':\s*'\|?O\d*'")
TRAJECTORIES = re.compile(r"(.*traject.*|with(out)?_gaps)\.npy", re.IGNORECASE | re.DOTALL)
POINTS = re.compile(rb'"?((time|seconds?|frame)[^,]*,)?"?x1"?,"?y1"?(,"?x\d+"?,"?y\d+"?)*', re.IGNORECASE)
CENTROID = re.compile(rb'([^,\r\n]*,)*"?X#[pw]?centroid\b', re.IGNORECASE)
ZIP_DAMAGED = (zipfile.BadZipFile, OSError, ValueError, LookupError, NotImplementedError, EOFError, struct.error)
TREX = (
    "TRex, of which only the centre of each animal could be read: the points of outlines and midlines change in number "
    "from frame to frame, and its pose fields (poseX0 and so on) are not known here"
)
IDTRACKER = "idtracker.ai, which gives one point an animal"
REASON = (
    "The features are distances and turns between at least 2 keypoints: track several keypoints of each animal in the "
    "video, for example with DeepLabCut or SLEAP"
)


def sniff_trex(path: Path) -> bool:
    """Whether a NumPy archive has the fields of TRex: the trajectory of an animal, or its outline and midline."""
    try:
        with zipfile.ZipFile(path) as archive:
            fields = {name.removesuffix(".npy") for name in archive.namelist()}
    except ZIP_DAMAGED:
        return False
    posture = {"midline_lengths", "outline_lengths"} <= fields
    return posture or "X#wcentroid" in fields or {"X", "Y", "frame", "missing"} <= fields


def sniff_trex_csv(path: Path) -> bool:
    """Whether the first line of a table names the centroid as TRex does."""
    return CENTROID.match(beginning(path, LINE_BYTES)) is not None


def sniff_idtracker(path: Path) -> bool:
    """Whether a NumPy file is named as a trajectory and holds a pickle; it is not opened."""
    content = beginning(path, 128)
    return (
        TRAJECTORIES.fullmatch(path.name) is not None
        and content.startswith(NUMPY)
        and PICKLED.search(content) is not None
    )


def sniff_idtracker_csv(path: Path) -> bool:
    """Whether the first line of a table names the columns ``x1, y1, x2, y2`` and so on, after the time."""
    first_line = beginning(path, LINE_BYTES).partition(b"\n")[0]
    return POINTS.fullmatch(first_line.strip()) is not None


def sniff_idtracker_hdf5(path: Path) -> bool:
    """Whether an HDF5 file has the trajectories of idtracker.ai, (frames, animals, 2)."""
    return hdf5.is_like(path, _has_trajectories)


def _has_trajectories(content: h5py.File) -> bool:
    shape: tuple[int, ...] = getattr(hdf5.item(content, "trajectories"), "shape", ())
    own = hdf5.item(content, "id_probabilities") is not None or "frames_per_second" in content.attrs
    return own and len(shape) == 3 and shape[2] == 2


def _refused(name: str, suffix: str, source: str, sniff: Callable[[Path], bool]) -> Reader:
    """Reader that recognises the files of a program and refuses them."""

    def outline(path: Path) -> NoReturn:
        if not sniff(path):
            msg = f"{str(path)!r} has no known format: give the pose as the tracker wrote it"
            raise BadInput(msg)
        msg = f"{str(path)!r} was written by {source}. {REASON}"
        raise BadInput(msg)

    def parse(data: bytes, path: Path, request: Request) -> NoReturn:
        outline(path)

    return Reader(f"{name} ({suffix})", (suffix,), sniff, parse, outline, own_suffix=False)


READERS = (
    _refused("TRex", ".npz", TREX, sniff_trex),
    _refused("TRex", ".csv", TREX, sniff_trex_csv),
    _refused("idtracker.ai", ".npy", IDTRACKER, sniff_idtracker),
    _refused("idtracker.ai", ".csv", IDTRACKER, sniff_idtracker_csv),
    _refused("idtracker.ai", ".h5", IDTRACKER, sniff_idtracker_hdf5),
)
