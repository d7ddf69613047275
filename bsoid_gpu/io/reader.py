"""What the module of a file format provides: a reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.pose import Pose


class Outline(NamedTuple):
    """Size of a pose file: frames (may be an estimate), names of the keypoints, number of individuals, bytes."""

    frames: int
    keypoints: tuple[str, ...]
    individuals: int
    size: int


@dataclass(frozen=True)
class Reader:
    """Reads one file format.

    Parameters
    ----------
    name
        Name of the format in messages, such as ``"DeepLabCut CSV"``.
    suffixes
        Suffixes of its files, in lower case.
    sniff
        Whether a file begins as the format requires. True for a file that cannot be opened, so that reading it
        reports the reason.
    parse
        Pose from the content of a file, see :func:`bsoid_gpu.io.parse_pose`.
    outline
        Size of a file, see :func:`bsoid_gpu.io.outline`; may raise OSError.
    """

    name: str
    suffixes: tuple[str, ...]
    sniff: Callable[[Path], bool]
    parse: Callable[[bytes, Path, float, Backend, Sequence[str]], Pose]
    outline: Callable[[Path], Outline]
