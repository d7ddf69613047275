"""A recording counts once: of several files with the tracks of one video, one is used.

Files are compared before the build reads them: by content, by name, and by their tracks where the names alone do not
decide. Sessions are compared by their tracks after they are read, see :mod:`bsoid_gpu.io.session_twins`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bsoid_gpu.backends import get_backend
from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import formats
from bsoid_gpu.io.track_names import TrackName, track_name
from bsoid_gpu.log import logger
from bsoid_gpu.method import likelihood
from bsoid_gpu.method.same_track import Track, same_tracks, sample

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bsoid_gpu.pose import Pose

CHUNK_BYTES = 1 << 16  # read at three places, before all of two files of equal size is compared
COMPARED_FPS = 30.0  # positions do not depend on the frame rate
MAX_PROBLEMS = 5  # described with frames and dates; further ones are counted
TOLERANCE = 1e-6  # relative difference of positions that are written with other digits


class Conflict(NamedTuple):
    """Files of one recording that leave a choice: what they are, the files, and the remedy."""

    what: str
    files: tuple[Path, ...]
    remedy: str

    def sentence(self) -> str:
        """The problem, with frames and dates of the files."""
        described = ", ".join(f"{str(path)!r} ({_frames(path)}, {_date(path)})" for path in self.files)
        return f"{self.what}: {described}; {self.remedy}"


def once_each(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The files to use, each recording once, and a sentence for each recording that leaves a choice.

    - Equal content: the first is used.
    - Raw and filtered tracks of one model: the filtered ones are used.
    - The same tracks in several formats: those of the preferred format are used; if they differ, or if a copy
      differs from its original, that is a problem.
    - Tracks by several models, snapshots or seeds: a problem.

    What is left out is a warning in the log.
    """
    files = _different_contents(paths)
    names = {path: track_name(path) for path in files}
    by_video: dict[str, list[Path]] = {}
    for path in files:
        by_video.setdefault(names[path].video, []).append(path)
    left_out: set[Path] = set()
    conflicts: list[Conflict] = []
    for same_name in by_video.values():
        for group in _recordings(same_name, names):
            unused, conflict = _choice(group, names)
            left_out |= set(unused)
            conflicts += [conflict] if conflict else []
    problems = [conflict.sentence() for conflict in conflicts[:MAX_PROBLEMS]]
    if len(conflicts) > MAX_PROBLEMS:
        problems.append(f"{len(conflicts) - MAX_PROBLEMS} more recordings have several files")
    return [path for path in files if path not in left_out], problems


def _different_contents(paths: Sequence[Path]) -> list[Path]:
    """Paths without those whose content is that of another one; of a copy and its original, the original stays."""
    by_size: dict[int, list[Path]] = {}
    left_out: set[Path] = set()
    for path in sorted(dict.fromkeys(paths), key=lambda path: bool(track_name(path).copy)):
        if not path.is_file():  # a folder, or a file whose error is reported when it is read
            continue
        others = by_size.setdefault(path.stat().st_size, [])
        twin = next((other for other in others if _equal_content(other, path)), None)
        if twin is None:
            others.append(path)
            continue
        left_out.add(path)
        logger.warning("%r is left out: it is equal to %r; a recording counts once", str(path), str(twin))
    for path in dict.fromkeys(path for path in paths if paths.count(path) > 1):
        logger.warning("%r is given %d times and used once", str(path), paths.count(path))
    return [path for path in dict.fromkeys(paths) if path not in left_out]


def _equal_content(one: Path, other: Path) -> bool:
    """Whether two files of equal size are equal; most different ones differ at one of three places."""
    size = one.stat().st_size
    try:
        with one.open("rb") as first, other.open("rb") as second:
            for place in (0, size // 2, max(size - CHUNK_BYTES, 0), 0):
                first.seek(place), second.seek(place)
                if first.read(CHUNK_BYTES) != second.read(CHUNK_BYTES):
                    return False
            while chunk := first.read(CHUNK_BYTES):
                if chunk != second.read(CHUNK_BYTES):
                    return False
    except OSError:  # reported when the file is read
        return False
    return size > 0


def _recordings(paths: Sequence[Path], names: dict[Path, TrackName]) -> Iterator[list[Path]]:
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
    listed = list(groups.values())
    if len({path.stem for path in paths}) == 1 and len(paths) > 1 and len(listed) == len(paths):
        yield from listed  # files of one name: they need other names in any case
        return
    yield from _joined(listed) if len(listed) > 1 else listed


def _joined(groups: Sequence[list[Path]]) -> list[list[Path]]:
    """Groups whose tracks are the same, joined."""
    tracks = {i: track for i, group in enumerate(groups) if (track := _track(group[0])) is not None}
    place = list(tracks)
    joined = {i: list(group) for i, group in enumerate(groups)}
    for match in same_tracks(list(tracks.values()), place):
        first, second = place[match.first], place[match.second]
        if first in joined and second in joined:
            joined[first] += joined.pop(second)
    return list(joined.values())


def _read(path: Path) -> Pose:
    return formats.read_pose(path, COMPARED_FPS, get_backend("cpu"))


def _track(path: Path) -> Track | None:
    """Samples of all the animals of a file, or None if it cannot be read."""
    try:
        pose = _read(path)
    except BadInput:  # reported when the build reads it
        return None
    position = pose.position.reshape(pose.frames, -1, pose.position.shape[-1])
    confidence = pose.confidence.reshape(pose.frames, -1)
    threshold = likelihood.thresholds(confidence, likelihood.present(position))
    return sample(position, confidence, threshold, pose.frame_numbers)


def _choice(group: Sequence[Path], names: dict[Path, TrackName]) -> tuple[list[Path], Conflict | None]:
    """Of the files of one recording: those to leave out, and what cannot be decided."""
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
        differ, reason = _differ(best, other)
        if differ:
            remedy = f"give one of them, for example {str(best)!r}, or rename one if they are different recordings"
            return [], Conflict("two files of one recording differ", (best, other), remedy)
        if reason:
            message = "%r is left out: %r has the same name, and they cannot be compared: %s"
            logger.warning(message, str(other), str(best), reason)
        else:
            usual = best.with_suffix("") == other.with_suffix("")  # DeepLabCut writes both
            log = logger.info if usual else logger.warning
            log("%r is left out: %r holds the same tracks", str(other), str(best))
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


def _differ(best: Path, other: Path) -> tuple[bool, str]:
    """Whether the tracks of two files differ, and the reason if they cannot be compared."""
    try:
        expected = _read(best)
    except BadInput:  # reported when the build reads it
        return False, f"{best.name!r} cannot be read"
    try:
        pose = _read(other)
    except BadInput as error:
        return False, str(error)
    if set(pose.keypoints) != set(expected.keypoints) or len(pose.individuals) != len(expected.individuals):
        return True, ""
    same_animals = set(pose.individuals) == set(expected.individuals)  # a format may have other names for them
    position = pose.select(expected.keypoints, expected.individuals if same_animals else ()).position
    if position.shape != expected.position.shape:
        return True, ""
    return not np.allclose(position, expected.position, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True), ""


def _frames(path: Path) -> str:
    try:
        return f"{_read(path).frames:,} frames"
    except BadInput:
        return "cannot be read"


def _date(path: Path) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(repr(path.name) for path in paths)
