"""Sessions: which files they come from, their names, and which of them are parts of one recording.

A session is one file, or one individual of a file. Sessions may be parts of one recording (``[input] group``); the
parts share their likelihood thresholds and, in the embedding, their scale.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.files import DIGEST_BYTES, digest
from bsoid_gpu.io import formats
from bsoid_gpu.io.arrange import present_tracks, session_name
from bsoid_gpu.io.folders import expected, recordings_at
from bsoid_gpu.io.twins import once_each
from bsoid_gpu.pose import Pose

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Input

COMPARED_FPS = 30.0  # where no rate is given: positions do not depend on it
Sessions = str | os.PathLike[str] | Pose | Sequence[str | os.PathLike[str] | Pose]


def find_sessions(paths: Sequence[str | os.PathLike[str]], fps: float = COMPARED_FPS) -> list[Path]:
    """Recordings at the given paths: files, and those of folders without their subfolders, in natural order.

    A recording counts once, see :func:`bsoid_gpu.io.twins.once_each`. In a folder, what is no recording is left out.
    Warnings name what is left out. ``fps`` only matters for files that state their frame rate.

    Raises
    ------
    BadInput
        No paths, a path that does not exist, a folder without pose files, several different files of one recording,
        or two with one name; all problems are reported together.
    """
    if not paths:
        msg = f"no sessions: {expected()}"
        raise BadInput(msg)
    recordings, problems = recordings_at([Path(path) for path in paths])
    files, several = once_each(recordings, fps)
    problems += several
    by_name: dict[str, list[Path]] = {}
    for path in files:
        by_name.setdefault(session_name(path), []).append(path)
    problems += [
        f"{len(same)} files are named {name!r} ({', '.join(repr(str(path)) for path in same)}): outputs are named "
        "after sessions; rename or leave out one"
        for name, same in by_name.items()
        if len(same) > 1
    ]
    raise_all(problems)
    return files


@dataclass(frozen=True)
class Source:
    """A file with a pose, or a pose in memory."""

    name: str
    origin: Path | Pose

    def size(self) -> int:
        """Bytes of the file or of the files of a folder, or of the positions in memory."""
        if not isinstance(self.origin, Path):
            return self.origin.position.nbytes
        try:
            files = self.origin.iterdir() if self.origin.is_dir() else [self.origin]
            return sum(file.stat().st_size for file in files)
        except OSError:  # reported when the file is read
            return 0

    def read(self) -> Content:
        """Content now; a file is read once, so that the digest is that of the parsed bytes."""
        return Content(self.name, self.origin, formats.read_file(self.origin) if isinstance(self.origin, Path) else b"")


@dataclass(frozen=True)
class Content:
    """Content of a source; ``data`` is that of a file, empty for a pose in memory."""

    name: str
    origin: Path | Pose
    data: bytes

    def digest(self) -> str:
        """Digest of the content, without the name."""
        if isinstance(self.origin, Path):
            return digest(self.data)
        names = repr((self.origin.individuals, self.origin.keypoints)).encode()
        hasher = hashlib.blake2b(names, digest_size=DIGEST_BYTES)
        for array in (self.origin.position, self.origin.confidence, self.origin.frame_numbers):
            hasher.update(array.tobytes())
        hasher.update(repr((self.origin.start_s, self.origin.notes)).encode())
        return hasher.hexdigest()

    def tracks(
        self, fps: float, backend: Backend, keypoints: Sequence[str] = (), individuals: Sequence[str] = ()
    ) -> list[Pose]:
        """One pose for each individual that has positions.

        Raises
        ------
        BadInput
            The file cannot be used, or the pose has another frame rate.
        """
        if isinstance(self.origin, Path):
            pose = formats.parse_pose(self.data, self.origin, fps, backend, keypoints, individuals)
        else:
            pose = self.origin.select(keypoints, individuals)
            if pose.fps != fps:
                msg = f"{self.name}: the pose has {pose.fps:g} frames per second, fps is {fps:g}: pass fps={pose.fps:g}"
                raise BadInput(msg)
            pose = replace(pose, position=backend.asarray(pose.position), confidence=backend.asarray(pose.confidence))
        return present_tracks(pose.tracks(), backend)


def sources(sessions: Sessions, fps: float = COMPARED_FPS) -> list[Source]:
    """Sources of the given files, folders of files, or poses.

    Raises
    ------
    BadInput
        No sessions, or two with one name; all problems are reported together.
    """
    items = [sessions] if isinstance(sessions, str | os.PathLike | Pose) else list(sessions)
    poses = [item for item in items if isinstance(item, Pose)]
    paths = [item for item in items if not isinstance(item, Pose)]
    files = find_sessions(paths, fps) if paths or not poses else []
    listed = [Source(session_name(path), path) for path in files] + [Source(pose.name, pose) for pose in poses]
    check_names([source.name for source in listed])
    return listed


def by_recording(parts: Sequence[Source], settings: Input) -> dict[str, list[Source]]:
    """Sources of each recording, in order."""
    grouped: dict[str, list[Source]] = {}
    for source in parts:
        grouped.setdefault(settings.recording_of(source.name), []).append(source)
    return grouped


def name_problems(names: Sequence[str], others: Collection[str] = ()) -> list[str]:
    """A sentence for each name of two sessions; an individual of one file may be named as another file."""
    repeated = sorted({name for name in names if names.count(name) > 1 or name in others})
    return [f"several sessions are named {name!r}: outputs are named after sessions; rename one" for name in repeated]


def check_names(names: Sequence[str], others: Collection[str] = ()) -> None:
    """Raise :class:`BadInput` where several sessions have one name."""
    raise_all(name_problems(names, others))
