"""A recording counts once: of several files with the tracks of one video, one is used.

Files are compared before the build reads them: by content, by name, and by their tracks where the names alone do not
decide. Sessions are compared by their tracks after they are read, see :mod:`bsoid_gpu.io.session_twins`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bsoid_gpu.files import digest
from bsoid_gpu.io import formats
from bsoid_gpu.io.messages import listed
from bsoid_gpu.io.pose_files import PoseFiles
from bsoid_gpu.io.track_names import TrackName, track_name
from bsoid_gpu.log import logger

if TYPE_CHECKING:
    from collections.abc import Hashable

CHUNK_BYTES = 1 << 16  # read at three places, before all of two files of equal size is compared
MAX_PROBLEMS = 5  # described with frames and dates; further ones are counted


class Conflict(NamedTuple):
    """Files of one recording that leave a choice: what they are, the files, and the remedy."""

    what: str
    files: tuple[Path, ...]
    remedy: str


def once_each(paths: Sequence[Path], fps: float) -> tuple[list[Path], list[str]]:
    """The files to use, each recording once, and a sentence for each recording that leaves a choice.

    - Equal content: the first is used.
    - Raw and filtered tracks of one model: the filtered ones are used.
    - The same tracks in several formats: those of the preferred format are used; if they differ, or if a copy
      differs from its original, that is a problem.
    - Tracks by several models, snapshots or seeds: a problem.

    What is left out is a warning in the log.

    Parameters
    ----------
    paths
        Files, and folders that are recordings.
    fps
        Frames per second; a file that states another rate cannot be compared.
    """
    poses = PoseFiles(fps)
    files = _different_contents(paths)
    names = {path: track_name(path) for path in files}
    by_video: dict[str, list[Path]] = {}
    for path in files:
        by_video.setdefault(names[path].video, []).append(path)
    left_out: set[Path] = set()
    same_stem: list[Path] = []
    conflicts: list[Conflict] = []
    for same_name in by_video.values():
        for group in _recordings(same_name, names, poses):
            unused, conflict = _choice(group, names, poses, same_stem)
            left_out |= set(unused)
            conflicts += [conflict] if conflict else []
    if same_stem:  # DeepLabCut writes each recording in two formats
        message = "%s %s left out: files of the same name in another format hold the same tracks"
        are = "are" if len(same_stem) > 1 else "is"
        logger.warning(message, listed([repr(str(path)) for path in same_stem], MAX_PROBLEMS), are)
    problems = [f"{what}: {poses.described(group)}; {remedy}" for what, group, remedy in conflicts[:MAX_PROBLEMS]]
    if len(conflicts) > MAX_PROBLEMS:
        problems.append(f"{len(conflicts) - MAX_PROBLEMS} more recordings have several files")
    return [path for path in files if path not in left_out], problems


def _different_contents(paths: Sequence[Path]) -> list[Path]:
    """Paths without those whose content is that of another one; of a copy and its original, the original stays."""
    files = [
        path for path in sorted(dict.fromkeys(paths), key=lambda path: bool(track_name(path).copy)) if path.is_file()
    ]  # folders, and files whose error is reported when they are read, are not compared
    sizes = Counter(path.stat().st_size for path in files)
    alike: dict[Hashable, list[Path]] = {}
    left_out: set[Path] = set()
    for path in files:
        size = path.stat().st_size
        if sizes[size] == 1 or (places := _bytes_at_places(path, size)) is None:
            continue
        others = alike.setdefault((size, digest(places)), [])
        twin = next((other for other in others if _equal_content(other, path)), None)
        if twin is None:
            others.append(path)
            continue
        left_out.add(path)
        logger.warning("%r is left out: it is equal to %r; a recording counts once", str(path), str(twin))
    for path in dict.fromkeys(path for path in paths if paths.count(path) > 1):
        logger.warning("%r is given %d times and used once", str(path), paths.count(path))
    return [path for path in dict.fromkeys(paths) if path not in left_out]


def _bytes_at_places(path: Path, size: int) -> bytes | None:
    """Content at three places, where most different files differ; None if the file is empty or cannot be read."""
    try:
        with path.open("rb") as file:
            chunks = []
            for place in (0, size // 2, max(size - CHUNK_BYTES, 0)):
                file.seek(place)
                chunks.append(file.read(CHUNK_BYTES))
    except OSError:  # reported when the file is read
        return None
    return b"".join(chunks) or None


def _equal_content(one: Path, other: Path) -> bool:
    """Whether two files of equal size are equal."""
    try:
        with one.open("rb") as first, other.open("rb") as second:
            while chunk := first.read(CHUNK_BYTES):
                if chunk != second.read(CHUNK_BYTES):
                    return False
    except OSError:  # reported when the file is read
        return False
    return True


def _recordings(paths: Sequence[Path], names: dict[Path, TrackName], poses: PoseFiles) -> Iterator[list[Path]]:
    """Groups of files that are one recording, from those whose names have the same video.

    Names decide in one folder, if trackers have added to them. Else the tracks decide, for different animals may have
    a video of one name in their folders.
    """
    groups: dict[Hashable, list[Path]] = {}
    originals = {(path.parent, names[path].model, names[path].filtered) for path in paths if not names[path].copy}
    for path in paths:
        name = names[path]
        kind = (path.parent, name.model, name.filtered)
        own = name.copy if kind not in originals else ""
        groups.setdefault((path.parent, True) if name.model and not own else (*kind, own), []).append(path)
    separate = list(groups.values())
    if len({path.stem for path in paths}) == 1 and len(paths) > 1 and len(separate) == len(paths):
        yield from separate  # files of one name: they need other names in any case
        return
    yield from poses.joined(separate) if len(separate) > 1 else separate


def _choice(
    group: Sequence[Path], names: dict[Path, TrackName], poses: PoseFiles, same_stem: list[Path]
) -> tuple[list[Path], Conflict | None]:
    """Of the files of one recording: those to leave out, and what cannot be decided.

    Files with the same tracks and the same name but for the format are added to ``same_stem``.
    """
    if len(group) == 1:
        return [], None
    if len({names[path].model for path in group}) > 1:
        return [], _several_models(group, names)
    raw = [path for path in group if not names[path].filtered]
    filtered = [path for path in group if names[path].filtered]
    if raw and filtered:
        message = "%r has raw and filtered tracks: the filtered ones (%s) are used, the raw ones (%s) are left out"
        logger.warning(message, names[raw[0]].video, _listed(filtered), _listed(raw))
    best, *others = sorted(filtered or raw, key=lambda path: (bool(names[path].copy), _rank(path)))
    for other in others:
        differ, reason = poses.differ(best, other)
        if differ:
            remedy = f"give one of them, for example {str(best)!r}, or rename one if they are different recordings"
            return [], Conflict("two files of one recording differ", (best, other), remedy)
        if reason:
            message = "%r is left out: %r has the same name, and they cannot be compared: %s"
            logger.warning(message, str(other), str(best), reason)
        elif best.with_suffix("") == other.with_suffix(""):
            same_stem.append(other)
        else:
            logger.warning("%r is left out: %r holds the same tracks", str(other), str(best))
    return ([*raw, *others] if filtered else others), None


def _several_models(group: Sequence[Path], names: dict[Path, TrackName]) -> Conflict:
    last = group[-1]
    wildcard = str(last.parent / f"*{names[last].added}")
    return Conflict(
        f"{names[last].video!r} has tracks by several models, shuffles, snapshots or seeds",
        tuple(group),
        f"a recording counts once: give the files of one of them, for example {wildcard!r}",
    )


def _rank(path: Path) -> int:
    return formats.READERS.index(formats.reader_of(path))


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(repr(path.name) for path in paths)
