"""The known file formats, and reading a file with the reader of its format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import (
    alphapose,
    anipose,
    deeplabcut_csv,
    deeplabcut_hdf5,
    freemocap,
    hdf5,
    jabs,
    mmpose,
    movement,
    nwb,
    one_point,
    openpose,
    sleap_analysis,
    sleap_labels,
)
from bsoid_gpu.io.reader import Request

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.io.reader import Outline, Reader
    from bsoid_gpu.pose import Pose

READERS: tuple[Reader, ...] = (  # by preference: of two files with one name, the first is read
    *deeplabcut_csv.READERS,
    *deeplabcut_hdf5.READERS,
    *jabs.READERS,
    *openpose.READERS,
    *mmpose.READERS,
    *alphapose.READERS,
    *sleap_analysis.READERS,
    *sleap_labels.READERS,
    *nwb.READERS,
    *movement.READERS,
    *anipose.READERS,
    *freemocap.READERS,
    *one_point.READERS,  # last: they only refuse
)


def programs() -> list[str]:
    """Programs whose files are read, for messages."""
    readers = [reader for reader in READERS if reader not in one_point.READERS]
    return list(dict.fromkeys(reader.name.partition(" ")[0] for reader in readers))


def readers_for(path: Path) -> list[Reader]:
    """Readers of files with this suffix, or of folders, by preference."""
    if path.is_dir():
        return [reader for reader in READERS if not reader.suffixes]
    return [reader for reader in READERS if path.suffix.lower() in reader.suffixes]


def recognise(path: Path) -> Reader | None:
    """Reader of the format that a file begins with; None where no format is known.

    A file that is damaged gets the first reader whose own suffix it has, which can report what is wrong: no recording
    of a folder is left out because it cannot be read.
    """
    readers = readers_for(path)
    recognising = next((reader for reader in readers if reader.sniff(path)), None)
    own = next((reader for reader in readers if reader.own_suffix), None)
    return recognising or (own if own and _is_damaged(path) else None)


def _is_damaged(path: Path) -> bool:
    """Whether a file is empty, cannot be opened, or is HDF5 by its name but not by its content."""
    if path.is_dir():
        return False
    try:
        empty = path.stat().st_size == 0
        with path.open("rb"):
            return empty or (path.suffix.lower() in hdf5.SUFFIXES and not hdf5.is_like(path, bool))
    except OSError:
        return True


def reader_of(path: Path) -> Reader:
    """Reader that recognises a file, or else the one that can report what is wrong with it."""
    return recognise(path) or (readers_for(path) or READERS)[0]


def read_file(path: Path) -> bytes:
    """Content of a file, or of the files of a folder that is one recording.

    Raises
    ------
    BadInput
        It cannot be read: it does not exist, permission is denied, it is a folder without a recording, the disk fails.
    """
    try:
        return reader_of(path).read(path)
    except OSError as error:
        msg = f"cannot read {str(path)!r}: {error.strerror}"
        raise BadInput(msg) from error


def parse_pose(
    data: bytes,
    path: Path,
    fps: float,
    backend: Backend,
    keypoints: Sequence[str] = (),
    individuals: Sequence[str] = (),
) -> Pose:
    """Pose from the content of a file.

    Parameters
    ----------
    data
        Content of the file.
    path
        Its path: names the session, and the file in messages.
    fps
        Frames per second.
    backend
        Parses the numbers and holds the arrays.
    keypoints, individuals
        Exact names, in the order wanted; empty for all.

    Raises
    ------
    BadInput
        The file has no known format or is damaged; the message names the place.
    """
    if not data:
        msg = f"{str(path)!r} is empty"
        raise BadInput(msg)
    return reader_of(path).parse(data, path, Request(fps, backend, tuple(keypoints), tuple(individuals)))


def read_pose(
    path: str | os.PathLike[str],
    fps: float,
    backend: Backend,
    keypoints: Sequence[str] = (),
    individuals: Sequence[str] = (),
) -> Pose:
    """Read the pose of a file; see :func:`parse_pose`."""
    return parse_pose(read_file(Path(path)), Path(path), fps, backend, keypoints, individuals)


def outline(path: Path) -> Outline:
    """Size of a pose file, from its beginning where the format allows.

    Raises
    ------
    BadInput
        The file cannot be read or has no known format.
    """
    try:
        return reader_of(path).outline(path)
    except OSError as error:
        msg = f"cannot read {str(path)!r}: {error.strerror}"
        raise BadInput(msg) from error
