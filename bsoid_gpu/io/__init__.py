"""Readers: from the files of pose trackers to :class:`bsoid_gpu.pose.Pose`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io import deeplabcut
from bsoid_gpu.log import logger

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.pose import Pose

CSV = (".csv",)
HDF5 = (".h5", ".hdf5")


def find_sessions(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Find the pose files that the user named: files, and folders without their subfolders, in natural order.

    In a folder, files that are no pose files are left out, and so is an HDF5 file beside a CSV file of its name,
    since DeepLabCut writes both; each time the log says so.

    Raises
    ------
    BadInput
        Nothing named, a path that is not there, a folder without pose files, or a file or a name that comes twice;
        every problem is told at once.
    """
    problems: list[str] = []
    found: list[Path] = []
    if not paths:
        problems.append("no sessions: give DeepLabCut files or folders of them")
    for path in map(Path, paths):
        try:
            inside = _in_folder(path) if path.is_dir() else [path] if path.exists() else []
        except OSError as error:
            problems.append(f"cannot read {str(path)!r}: {error.strerror}")
            continue
        if not inside:
            what = "holds no DeepLabCut files (.csv or .h5)" if path.is_dir() else "is not there"
            problems.append(f"{str(path)!r} {what}: give DeepLabCut files or folders of them")
        found += inside
    by_name: dict[str, list[Path]] = {}
    for path in found:
        by_name.setdefault(path.stem, []).append(path)
    problems += [
        f"{len(same)} files are named {name!r} ({', '.join(repr(str(path)) for path in same)}): outputs are named "
        "after sessions; rename or leave out one"
        for name, same in by_name.items()
        if len(same) > 1
    ]
    raise_all(problems)
    return found


def _in_folder(folder: Path) -> list[Path]:
    files = sorted(
        (
            path
            for path in folder.iterdir()
            if path.suffix.lower() in CSV + HDF5 and not path.name.startswith(".") and not path.is_dir()
        ),
        key=lambda path: natural_key(path.name),
    )
    tables = [path for path in files if path.suffix.lower() in CSV]
    others = {path for path in tables if not deeplabcut.looks_like_csv(path)}
    beside = {path.stem for path in tables if path not in others}
    kept = []
    for path in files:
        if path in others:
            logger.warning("%r is left out: it is no DeepLabCut file (its first cell is not 'scorer')", path.name)
        elif path.suffix.lower() in HDF5 and path.stem in beside:
            logger.info("%r is left out: the CSV file beside it holds the same session", path.name)
        else:
            kept.append(path)
    return kept


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key by which ``session2`` comes before ``session10``."""
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", name)]


def read_file(path: Path) -> bytes:
    """The whole file.

    Raises
    ------
    BadInput
        It cannot be read: not there any more, not allowed, a folder, a broken disk.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"cannot read {str(path)!r}: {error.strerror}"
        raise BadInput(msg) from error


def parse_pose(data: bytes, path: Path, fps: float, backend: Backend, keypoints: Sequence[str] = ()) -> Pose:
    """The pose that a file holds.

    Parameters
    ----------
    data
        The content of the file.
    path
        Its path: the name of the session, and where messages point to.
    fps
        Frames per second.
    backend
        Who parses the numbers, and where they go.
    keypoints
        Exact names, in the order wanted; empty takes all.

    Raises
    ------
    BadInput
        Not a file of DeepLabCut, or damaged; the message names the place.
    """
    if not data:
        msg = f"{str(path)!r} is empty"
        raise BadInput(msg)
    parse = deeplabcut.parse_hdf5 if path.suffix.lower() in HDF5 else deeplabcut.parse_csv
    return parse(data, path, fps, backend, keypoints)


def read_pose(path: str | os.PathLike[str], fps: float, backend: Backend, keypoints: Sequence[str] = ()) -> Pose:
    """Read the pose of a file; see :func:`parse_pose`."""
    return parse_pose(read_file(Path(path)), Path(path), fps, backend, keypoints)
