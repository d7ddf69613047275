"""Sessions: where they come from, their names, and which of them are parts of one recording.

A session is one file, or one animal of a file. Sessions may be parts of one recording (``[input] group``); the
parts of a recording share their likelihood thresholds and, in the embedding, their scale.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.files import digest
from bsoid_gpu.io import find_sessions, parse_pose, read_file
from bsoid_gpu.io.outline import Outline, outline
from bsoid_gpu.log import logger
from bsoid_gpu.pose import Pose

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Input

Sessions = str | os.PathLike[str] | Pose | Sequence[str | os.PathLike[str] | Pose]


@dataclass(frozen=True)
class Source:
    """Where the pose of one file, or one pose that is there already, comes from."""

    name: str
    origin: Path | Pose

    def size(self) -> int:
        """Bytes of the file, or of the pose in memory."""
        try:
            return self.origin.stat().st_size if isinstance(self.origin, Path) else self.origin.position.nbytes
        except OSError:  # told when it is read
            return 0

    def outline(self) -> Outline:
        """How large it is, without reading all of a file."""
        if isinstance(self.origin, Path):
            return outline(self.origin)
        pose = self.origin
        return Outline(pose.frames, pose.keypoints, len(pose.individuals), pose.position.nbytes)

    def read(self) -> Content:
        """What is there now; a file is read once, so that its digest is that of what is parsed."""
        return Content(self.name, self.origin, read_file(self.origin) if isinstance(self.origin, Path) else b"")


@dataclass(frozen=True)
class Content:
    """What a source holds: ``data`` is that of a file."""

    name: str
    origin: Path | Pose
    data: bytes

    def digest(self) -> str:
        """Digest of the content; the name does not count."""
        if isinstance(self.origin, Path):
            return digest(self.data)
        hasher = hashlib.blake2b(repr((self.origin.individuals, self.origin.keypoints)).encode(), digest_size=16)
        for array in (self.origin.position, self.origin.confidence):
            hasher.update(array.tobytes())
        return hasher.hexdigest()

    def tracks(self, fps: float, backend: Backend, keypoints: Sequence[str] = ()) -> list[Pose]:
        """One pose for each individual.

        Raises
        ------
        BadInput
            The file cannot be used, or the pose is of another frame rate.
        """
        if isinstance(self.origin, Path):
            pose = parse_pose(self.data, self.origin, fps, backend, keypoints)
        else:
            pose = self.origin.select(keypoints) if keypoints else self.origin
            if pose.fps != fps:
                msg = f"{self.name}: is of {pose.fps:g} fps, not of {fps:g}: give its own, fps={pose.fps:g}"
                raise BadInput(msg)
        for note in pose.notes:
            logger.warning("%s: %s", self.name, note)
        return pose.tracks()


def sources(sessions: Sessions) -> list[Source]:
    """Find what the user named: files, folders of files, or poses.

    Raises
    ------
    BadInput
        Nothing there, or two sessions of one name; every problem is told at once.
    """
    given = [sessions] if isinstance(sessions, str | os.PathLike | Pose) else list(sessions)
    poses = [item for item in given if isinstance(item, Pose)]
    paths = [item for item in given if not isinstance(item, Pose)]
    found = [Source(path.stem, path) for path in (find_sessions(paths) if paths or not poses else [])]
    found += [Source(pose.name, pose) for pose in poses]
    check_names([source.name for source in found])
    return found


def recording_of(name: str, settings: Input) -> str:
    """Name of the recording that the session is a part of."""
    return settings.recording_of(name)


def by_recording(found: Sequence[Source], settings: Input) -> dict[str, list[Source]]:
    """Sources of each recording, in order."""
    grouped: dict[str, list[Source]] = {}
    for source in found:
        grouped.setdefault(recording_of(source.name, settings), []).append(source)
    return grouped


def name_problems(names: Sequence[str], others: Collection[str] = ()) -> list[str]:
    """A sentence for each name that two sessions have, as an animal of one file and another file can."""
    twice = sorted({name for name in names if names.count(name) > 1 or name in others})
    return [f"more than one session is named {name!r}: outputs are named after sessions; rename one" for name in twice]


def check_names(names: Sequence[str], others: Collection[str] = ()) -> None:
    """Raise :class:`BadInput` where two sessions have one name."""
    raise_all(name_problems(names, others))
