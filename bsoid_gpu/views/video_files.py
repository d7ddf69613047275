"""Which video belongs to a session: by the names that trackers give to their files, never by a guess.

A pose file is named after its video: DeepLabCut adds ``DLC_...`` or ``DeepCut_...``, SLEAP appends to the whole file
name (``x.mp4.predictions.slp``) or puts the project first (``labels.v001.000_x.analysis.h5``). Videos that trackers
write beside it, with the positions in the picture (``..._labeled.mp4``), are not the video.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bsoid_gpu.errors import raise_all
from bsoid_gpu.io.messages import listed
from bsoid_gpu.io.track_names import track_name

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv", ".mts", ".ts", ".h264", ".hevc")
MADE_BY_TRACKERS = re.compile(r".+_label{1,2}ed(?:[-_.].*)?", re.IGNORECASE)
SLEAP_EXPORT = re.compile(r".+\.\d{3}_(.+)")  # of its project and the number of the video in it
GIVE = "give the video itself as SESSION=FILE, for example --videos {example}"


class VideoChoice(NamedTuple):
    """The video of a session, or None and the reason, in a sentence."""

    path: Path | None
    reason: str


@dataclass(frozen=True)
class GivenVideos:
    """Videos to choose from.

    Parameters
    ----------
    of_session
        Videos that are given for a session by its name.
    files
        Other videos, whose names decide.
    """

    of_session: dict[str, Path] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


def given_videos(values: Sequence[str | os.PathLike[str]]) -> GivenVideos:
    """Videos from files, folders, and ``SESSION=FILE``.

    Raises
    ------
    BadInput
        A path that does not exist, a file that is no video, a folder without videos; all are reported together.
    """
    of_session: dict[str, Path] = {}
    files: list[Path] = []
    problems: list[str] = []
    for value in values:
        session, equals, file = str(value).partition("=")
        path = Path(value)
        if equals and not path.exists():
            of_session[session], path = Path(file), Path(file)
            problems += [] if path.is_file() else [f"{file!r}, the video of {session!r}, does not exist"]
        elif path.is_dir():
            inside = videos_in(path)
            files += inside
            problems += [] if inside else [_without_videos(path)]
        elif not path.exists():
            problems.append(f"{str(path)!r} does not exist; expected a video, a folder with videos, or SESSION=FILE")
        elif not is_video(path):
            problems.append(f"{str(path)!r} is no video by its name; expected {', '.join(SUFFIXES)}")
        else:
            files.append(path)
    raise_all(problems)
    return GivenVideos(of_session, tuple(dict.fromkeys(files)))


def is_video(path: Path) -> bool:
    """Whether a file is a video by its name."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def videos_in(folder: Path) -> list[Path]:
    """Videos of a folder, without its subfolders, sorted."""
    try:
        return sorted(path for path in folder.iterdir() if is_video(path) and path.is_file())
    except OSError:  # a folder beside the pose file, which may be gone
        return []


def _without_videos(folder: Path) -> str:
    inside = sorted(str(path) for path in folder.iterdir() if path.is_dir() and videos_in(path))
    hint = (
        f"its subfolders have some: give {listed(inside, separator=' ')}"
        if inside
        else f"expected {', '.join(SUFFIXES)}"
    )
    return f"{str(folder)!r} has no videos; {hint}"


def video_of(
    session: str, given: GivenVideos, *, recordings: Sequence[str] = (), beside: Path | None = None
) -> VideoChoice:
    """The video of a session: the one given for it, else one that is given with its name, else one beside the file.

    Parameters
    ----------
    session
        Its name.
    given
        Videos to choose from.
    recordings
        Names of its pose file, where the session's differs: that of an animal has the animal's name at its end.
    beside
        Folder of its pose file.
    """
    if session in given.of_session:
        return VideoChoice(given.of_session[session], "")
    names = video_names([session, *recordings])
    nearby = videos_in(beside) if beside is not None else []
    for videos in (given.files, nearby):
        matching = _matching(names, videos)
        if len(matching) == 1:
            return VideoChoice(matching[0], "")
        if matching:
            files = listed([repr(str(path)) for path in matching])
            example = GIVE.format(example=f"'{session}={matching[0]}'")
            return VideoChoice(None, f"{session}: {len(matching)} videos have its name, {files}: {example}")
    others = [*given.files, *nearby]
    if not others:
        where = f" beside its pose file in {str(beside)!r}" if beside is not None else ""
        return VideoChoice(None, f"{session}: no video is given{', and there is none' if where else ''}{where}")
    example = GIVE.format(example=f"'{session}={others[0]}'")
    present = listed([repr(path.name) for path in others], 3)
    return VideoChoice(None, f"{session}: no video is named {names[0]!r} (there are {present}): {example}")


def video_names(sessions: Sequence[str]) -> list[str]:
    """Names, without ending, that a video of one of these pose files may have."""
    names = []
    for session in sessions:
        # "x" keeps a dot in the name from being taken for the ending of a file
        video = track_name(Path(f"{session}.x")).video
        names += [video, session]
        if match := SLEAP_EXPORT.fullmatch(video):
            names.append(match[1])
    return list(dict.fromkeys(names))


def _matching(names: Sequence[str], videos: Sequence[Path]) -> list[Path]:
    """Videos with one of the names: exactly, else without regard to case; each file once."""
    videos = [path for path in videos if not _made_by_a_tracker(path)]
    exact = [path for path in videos if path.stem in names]
    lower = {name.lower() for name in names}
    chosen = exact or [path for path in videos if path.stem.lower() in lower]
    return list({path.resolve(): path for path in chosen}.values())


def _made_by_a_tracker(path: Path) -> bool:
    """Whether a tracker has written this video, with its positions in the picture."""
    return bool(MADE_BY_TRACKERS.fullmatch(path.stem)) or bool(track_name(Path(f"{path.stem}.x")).model)
