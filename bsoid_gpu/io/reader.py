"""What the module of a file format provides: a reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.pose import Pose


class Request(NamedTuple):
    """What is wanted from a file.

    ``fps`` are the camera's frames per second, and ``backend`` holds the arrays. ``keypoints`` and ``individuals`` are
    exact names, in the order wanted; empty for all.
    """

    fps: float
    backend: Backend
    keypoints: tuple[str, ...] = ()
    individuals: tuple[str, ...] = ()


class Outline(NamedTuple):
    """Size of a pose file: frames (may be an estimate), names of the keypoints, number of individuals, bytes."""

    frames: int
    keypoints: tuple[str, ...]
    individuals: int
    size: int


def file_bytes(path: Path) -> bytes:
    """Content of a file."""
    return path.read_bytes()


def beginning(path: Path, size: int) -> bytes:
    """The first bytes of a file, without the mark of UTF-8; none of a file that cannot be opened."""
    try:
        with path.open("rb") as file:
            return file.read(size).removeprefix(b"\xef\xbb\xbf")
    except OSError:
        return b""


@dataclass(frozen=True)
class Reader:
    """Reads one file format.

    Parameters
    ----------
    name
        Name of the format in messages, such as ``"DeepLabCut CSV"``.
    suffixes
        Suffixes of its files, in lower case; empty for a format whose recording is a folder of files.
    sniff
        Whether a file begins as the format requires; False, never an error, for a file that is damaged or cannot be
        opened.
    parse
        Pose from the content of a file, its path and what is wanted, see :func:`bsoid_gpu.io.parse_pose`.
    outline
        Size of a file, see :func:`bsoid_gpu.io.outline`; may raise OSError.
    read
        Content of a file, or of the files of a folder; may raise OSError.
    own_suffix
        False for a suffix that many programs use: a file of no known format is then left out without a warning.
    """

    name: str
    suffixes: tuple[str, ...]
    sniff: Callable[[Path], bool]
    parse: Callable[[bytes, Path, Request], Pose]
    outline: Callable[[Path], Outline]
    read: Callable[[Path], bytes] = file_bytes
    own_suffix: bool = True
