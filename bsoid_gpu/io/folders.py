"""Files and folders as users give them, to the recordings in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from bsoid_gpu.io import formats
from bsoid_gpu.io.csv_diagnosis import HEADER_BYTES, why_not
from bsoid_gpu.io.messages import listed
from bsoid_gpu.io.reader import beginning
from bsoid_gpu.log import logger

COMPRESSED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz")
NAMED_OTHERWISE = {  # files beside those of DeepLabCut's tracks, by their names
    r".+DLC_.*_skeleton": "has the lengths and angles of a skeleton, no positions",
    r"(CollectedData_|machinelabels).*": "has the keypoints of single images that were chosen for labelling",
}


def expected() -> str:
    """What to give, for messages."""
    return f"give files of {', '.join(formats.programs())}, or folders that contain them; see docs/your_files.md"


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key that puts ``session2`` before ``session10``."""
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", name)]


def recordings_at(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Recordings at the given paths, and a sentence for each path that cannot be used.

    All entries of a folder given one by one, or all with one suffix, as a shell expands ``folder/*``, count as the
    folder: in both, files of no known format and subfolders are left out with a warning.
    """
    recordings: list[Path] = []
    problems: list[str] = []
    pending = list(paths)
    groups = _by_wildcard(list(dict.fromkeys(paths)))
    while pending:
        path = pending[0]
        try:
            if together := next((entries for entries in groups if path in entries), None):
                pending = [other for other in pending if other not in together]
                inside = _among(together, given=True)
                problem = f"{str(path.parent / '*')!r} has no pose files: {expected()}"
            else:
                del pending[0]
                inside, problem = _at(path)
        except OSError as error:
            problems.append(f"cannot read {str(path)!r}: {error.strerror}")
            continue
        recordings += inside
        problems += [] if inside else [problem]
    return recordings, problems


def _at(path: Path) -> tuple[list[Path], str]:
    """Recordings at one path, and what to report if there are none."""
    if not path.is_dir():
        return [path] if path.exists() else [], f"{str(path)!r} does not exist: {expected()}"
    if formats.recognise(path):
        return [path], ""
    inside = _among(sorted(_visible(path), key=lambda entry: natural_key(entry.name)), given=False)
    return inside, "" if inside else _nothing_in(path)


def _by_wildcard(paths: Sequence[Path]) -> list[list[Path]]:
    """Groups of two or more paths that are all entries of a folder, or all its files with one suffix."""
    groups: list[list[Path]] = []
    for folder in dict.fromkeys(path.parent for path in paths):
        given = [path for path in paths if path.parent == folder]
        try:
            entries = _visible(folder)
        except OSError:  # reported for each path
            continue
        suffixes = dict.fromkeys(path.suffix for path in given if not path.is_dir())
        if {path.name for path in given} == {path.name for path in entries} and suffixes:
            groups += [given] if len(given) > 1 else []
            continue
        for suffix in suffixes:
            own = [path for path in given if path.suffix == suffix]
            if len(own) > 1 and len(own) == sum(entry.suffix == suffix for entry in entries):
                groups.append(own)
    return groups


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _among(entries: Iterable[Path], *, given: bool) -> list[Path]:
    """Recordings among the entries of a folder; where these are ``given`` one by one, all others are named."""
    recordings: list[Path] = []
    folders: list[Path] = []
    others: list[str] = []
    for path in entries:
        if path.is_dir():
            (recordings if formats.recognise(path) else folders).append(path)
        elif reason := _named_otherwise(path):
            logger.warning("%r is left out: it %s", path.name, reason)
        elif formats.recognise(path):
            recordings.append(path)
        elif any(reader.own_suffix for reader in formats.readers_for(path)):
            logger.warning("%r is left out: it %s", path.name, _unknown(path))
        else:
            others.append(path.name)
    if others and given:
        logger.warning("%s left out, of no known format: %s", _count(others, "file is", "files are"), _listed(others))
    skipped = [path.name for path in folders if given or (recordings and _has_recordings(path))]
    if skipped:
        number = _count(skipped, "subfolder is", "subfolders are")
        logger.warning("%s left out: %s; give a folder itself to use its files", number, _listed(skipped))
    return recordings


def _named_otherwise(path: Path) -> str:
    """What a file is by its name, in a clause, if that is no recording."""
    if path.suffix.lower() in COMPRESSED:
        return "is compressed: unpack it if it is a recording"
    if not formats.readers_for(path):
        return ""
    return next((reason for pattern, reason in NAMED_OTHERWISE.items() if re.fullmatch(pattern, path.stem)), "")


def _unknown(path: Path) -> str:
    """What is wrong with a file of no known format, in a clause."""
    if path.suffix.lower() == ".csv" and (reason := why_not(beginning(path, HEADER_BYTES))):
        return reason
    return f"has no known format: {expected()}"


def _has_recordings(folder: Path) -> bool:
    """Whether a file of a folder is a recording."""
    try:
        return any(
            not path.is_dir() and not _named_otherwise(path) and formats.recognise(path) for path in _visible(folder)
        )
    except OSError:
        return False


def _nothing_in(folder: Path) -> str:
    """What to report of a folder without recordings: where they are."""
    inside = [path for path in sorted(_visible(folder), key=lambda path: natural_key(path.name)) if path.is_dir()]
    with_recordings = [path for path in inside if formats.recognise(path) or _has_recordings(path)]
    videos = folder / "videos"
    if (folder / "config.yaml").exists() and videos.is_dir():
        if videos in with_recordings:
            return f"{str(folder)!r} is a DeepLabCut project, whose recordings are in videos/: give {str(videos)!r}"
        return (
            f"{str(folder)!r} is a DeepLabCut project, whose recordings are in videos/, and there are no pose files in "
            "it: analyse the videos with DeepLabCut first, or give the folder with the results"
        )
    if with_recordings:
        names = listed([repr(str(path)) for path in with_recordings], separator=" ")
        return f"{str(folder)!r} contains no pose files itself, but its subfolders do: give {names}"
    return f"{str(folder)!r} contains no pose files: {expected()}"


def _count(items: Sequence[object], one: str, several: str) -> str:
    return f"{len(items)} {one if len(items) == 1 else several}"


def _listed(names: Sequence[str]) -> str:
    return listed([repr(name) for name in names])
