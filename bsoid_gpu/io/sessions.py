"""Sessions: which files they come from, their names, and which of them are parts of one recording.

A session is one file, or one individual of a file. Sessions may be parts of one recording (``[input] group``); the
parts share their likelihood thresholds and, in the embedding, their scale.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.files import DIGEST_BYTES, digest
from bsoid_gpu.io import formats
from bsoid_gpu.io.arrange import present_tracks, session_name
from bsoid_gpu.io.reader import Outline
from bsoid_gpu.log import logger
from bsoid_gpu.pose import Pose

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Input

Sessions = str | os.PathLike[str] | Pose | Sequence[str | os.PathLike[str] | Pose]
EXPECTED = "give DeepLabCut files (.csv or .h5), or folders that contain them"


def find_sessions(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Pose files at the given paths: files, and folders without their subfolders, in natural order.

    In a folder, files of no known format are left out, and so is an HDF5 file beside a CSV file with the same name,
    since DeepLabCut writes both. The log names what is left out.

    Raises
    ------
    BadInput
        No paths, a path that does not exist, a folder without pose files, or two files with one name; all problems
        are reported together.
    """
    problems: list[str] = []
    files: list[Path] = []
    if not paths:
        problems.append(f"no sessions: {EXPECTED}")
    for path in map(Path, paths):
        try:
            inside = _recordings(path)
        except OSError as error:
            problems.append(f"cannot read {str(path)!r}: {error.strerror}")
            continue
        if not inside:
            what = "contains no pose files" if path.is_dir() else "does not exist"
            problems.append(f"{str(path)!r} {what}: {EXPECTED}")
        files += inside
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


def _recordings(path: Path) -> list[Path]:
    """The path itself where it is a file or a folder that is one recording, else the recordings in the folder."""
    if path.is_dir() and not formats.recognise(path):
        return _pose_files(path)
    return [path] if path.exists() else []


def _pose_files(folder: Path) -> list[Path]:
    """Recordings of known formats in a folder; of files with one name, those of the preferred format."""
    candidates = sorted(
        (
            path
            for path in folder.iterdir()
            if not path.name.startswith(".")
            and (formats.recognise(path) if path.is_dir() else formats.readers_for(path))
        ),
        key=lambda path: natural_key(path.name),
    )
    rank = {path: formats.READERS.index(reader) for path in candidates if (reader := formats.recognise(path))}
    best: dict[str, Path] = {}
    for path in sorted(rank, key=rank.__getitem__):
        best.setdefault(session_name(path), path)
    for path in candidates:
        if path not in rank:
            level = logging.WARNING if any(reader.own_suffix for reader in formats.readers_for(path)) else logging.DEBUG
            names = ", ".join(reader.name for reader in formats.READERS)
            logger.log(level, "%r is left out: it has no known format (%s)", path.name, names)
        elif rank[path] > rank[best[session_name(path)]]:
            logger.info("%r is left out: %r holds the same session", path.name, best[session_name(path)].name)
    return [path for path in rank if rank[path] == rank[best[session_name(path)]]]


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key that puts ``session2`` before ``session10``."""
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", name)]


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

    def outline(self) -> Outline:
        """Frames, keypoints and individuals, without reading all of a file."""
        if isinstance(self.origin, Path):
            return formats.outline(self.origin)
        pose = self.origin
        return Outline(pose.frames, pose.keypoints, len(pose.individuals), pose.position.nbytes)

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
        for array in (self.origin.position, self.origin.confidence):
            hasher.update(array.tobytes())
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


def sources(sessions: Sessions) -> list[Source]:
    """Sources of the given files, folders of files, or poses.

    Raises
    ------
    BadInput
        No sessions, or two with one name; all problems are reported together.
    """
    items = [sessions] if isinstance(sessions, str | os.PathLike | Pose) else list(sessions)
    poses = [item for item in items if isinstance(item, Pose)]
    paths = [item for item in items if not isinstance(item, Pose)]
    files = find_sessions(paths) if paths or not poses else []
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
