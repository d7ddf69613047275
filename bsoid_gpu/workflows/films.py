"""Films of the page's clips, where the videos of the sessions are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.log import logger, progress
from bsoid_gpu.run_folder.labelled import load_session
from bsoid_gpu.views.page_clips import MOST_BYTES, page_clip
from bsoid_gpu.views.rates import exact_rate
from bsoid_gpu.views.video_reading import VideoReader
from bsoid_gpu.workflows.session_videos import pose_files, session_video

if TYPE_CHECKING:
    from bsoid_gpu.views.video_files import GivenVideos
    from bsoid_gpu.workflows.labelled_sessions import Labelled

MOST_FILMS = 3  # of a label: each takes about half a second to write
PAGE_BYTES = 2_500_000  # of all films of a page
LEAST_BYTES = 6_000  # a smaller film shows too little
BASE64 = 4 / 3


def with_films(
    labelled: Labelled, clips: Sequence[dict[str, Any]], given: GivenVideos, page_bytes: int = PAGE_BYTES
) -> list[dict[str, Any]]:
    """The clips of a page with films, for the first ones of each label as far as they fit.

    Parameters
    ----------
    labelled
        The labels of the sessions.
    clips
        Clips of poses, in the order of their importance within each label.
    given
        Videos; a session without one keeps the pose alone, and so does a clip whose frames are damaged.
    page_bytes
        Most bytes of all films together, as the page has them.

    Returns
    -------
    list[dict[str, Any]]
        The clips; those with a film have it as ``video``.

    Raises
    ------
    BadInput
        PyAV or Pillow is not installed.
    """
    names, files_of = list(labelled.sessions), pose_files(labelled)
    films: dict[int, str] = {}
    used = sorted({clip["session"] for clip in clips})
    readers: dict[int, Any] = {}
    for session in progress(used, "videos"):
        pose = load_session(labelled.folder, names[session]).pose
        video, reason = session_video(pose, given, files_of.get(pose.name, ()))
        if video is None:
            logger.info("%s", reason)
        else:
            readers[session] = (pose, video)
    chosen = _that_fit(clips, set(readers), page_bytes)
    each = min(MOST_BYTES, int(page_bytes / BASE64 / max(len(chosen), 1)))
    for session, (pose, video) in readers.items():
        of_session = [place for place in chosen if clips[place]["session"] == session]
        with VideoReader(*video) as reader:
            for place in progress(of_session, f"{pose.name}: films"):
                clip = clips[place]
                step = max(1, round(pose.fps / clip["fps"]))
                numbers = clip["start"] + step * np.arange(clip["position"]["shape"][0])
                try:
                    films[place] = page_clip(reader, pose, numbers, exact_rate(clip["fps"]), most_bytes=each)
                except BadInput as error:
                    logger.warning("%s", error)
    return [{**clip, "video": films.get(place)} for place, clip in enumerate(clips)]


def _that_fit(clips: Sequence[dict[str, Any]], sessions: set[int], page_bytes: int) -> list[int]:
    """Places of the clips that have a film: of each label in turn, while there is room."""
    turn: dict[int, int] = {}
    order = []
    for place, clip in enumerate(clips):
        if clip["session"] in sessions:
            turn[clip["label"]] = turn.get(clip["label"], 0) + 1
            order.append((turn[clip["label"]], place))
    room = int(page_bytes / BASE64 / LEAST_BYTES)
    return sorted(place for number, place in sorted(order)[:room] if number <= MOST_FILMS)
