"""Movies: grids of bouts for each behaviour, and the video of a session with its labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bsoid_gpu import files
from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.log import logger, progress
from bsoid_gpu.pose import Pose, unknown_name
from bsoid_gpu.run_folder.labelled import load_session
from bsoid_gpu.views import cameras
from bsoid_gpu.views.drawing import numbered, pillow
from bsoid_gpu.views.grid_cells import GridBout, GridStyle
from bsoid_gpu.views.grid_movies import GridTitle, write_grid_movie
from bsoid_gpu.views.labelled_video import LabelledVideo, Shown, write_labelled_video
from bsoid_gpu.views.montage import ChosenBout
from bsoid_gpu.views.pyav import pyav
from bsoid_gpu.views.selection import Selection, selection
from bsoid_gpu.views.video_files import GivenVideos, given_videos
from bsoid_gpu.workflows.labelled_sessions import with_names
from bsoid_gpu.workflows.session_videos import pose_files, session_video
from bsoid_gpu.workflows.summarised import Summarised, body_of_sessions

if TYPE_CHECKING:
    from bsoid_gpu.behaviours.names import Behaviour, Behaviours
    from bsoid_gpu.workflows.labelled_sessions import Labelled
    from bsoid_gpu.workflows.session_videos import Video

MOST_CELLS = 64
TABLE = "clips.csv"


def clips(
    run: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    *,
    videos: Sequence[str | os.PathLike[str]] = (),
    behaviours: Sequence[int] = (),
    style: GridStyle | None = None,
    executor: Executor | None = None,
) -> Path:
    """Write a grid movie of each behaviour, and ``clips.csv``, which lists their cells.

    Parameters
    ----------
    run
        A run folder or a model file.
    labels
        Folder of a prediction; by default that of the training sessions.
    out
        Folder for the movies.
    videos
        Videos, folders with videos, or ``SESSION=FILE``; sessions without a video show the pose alone.
    behaviours
        Labels of the behaviours to show; by default all that are not hidden.
    style
        How the movies look; its skeleton, front and rear are those of the keypoints of the model.
    executor
        Summarises the sessions; by default, in processes of this machine.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BadInput
        No labels of this model, unknown behaviours, videos that do not exist; PyAV or Pillow is not installed.
    """
    pyav()
    pillow()
    style, folder, given = style or GridStyle(), Path(out), given_videos(videos)
    raise_all(_style_problems(style))
    labelled = with_names(run, labels)
    raise_all(_unknown_behaviours(behaviours, labelled.behaviours))
    shown = Summarised.of(labelled, executor or Executor())
    style = replace(style, skeleton=shown.body.skeleton, front=shown.body.front, rear=shown.body.rear)
    if style.view == cameras.EGOCENTRIC and not shown.body.front:
        msg = f"the keypoints have no known front and rear, with which the view could turn: use --view {cameras.ARENA}"
        raise BadInput(msg)
    chosen = selection(labelled.behaviours, [session.bouts for session in shown.sessions], behaviours, style.cells)
    with files.explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    files.remove_leftovers(folder)
    bouts, videos_of = _with_positions(labelled, chosen, style, given)
    rows: list[dict[str, Any]] = []
    for one in progress(chosen.behaviours, "movies"):
        if not chosen.bouts[one.number]:
            logger.info("%s: no bouts in these sessions, so no movie", numbered(one.number, one.shown_name))
            continue
        title = GridTitle(one.number, one.shown_name, one.shown_colour, chosen.all_bouts[one.number])
        path = folder / movie_name(one)
        movie = write_grid_movie(path, title, bouts[one.number], videos_of, style)
        rows += _rows(one, path, chosen.bouts[one.number][: movie.cells], labelled, videos_of)
        logger.info("%s: %d of %d bouts", path.name, movie.cells, title.bouts)
    files.write_csv(folder / TABLE, pd.DataFrame(rows, columns=COLUMNS))
    return folder


COLUMNS = ("movie", "behaviour", "name", "cell", "session", "start_frame", "stop_frame", "confidence", "kind", "video")


def _rows(
    one: Behaviour, path: Path, chosen: Sequence[ChosenBout], labelled: Labelled, videos: dict[str, Video]
) -> list[dict[str, Any]]:
    """A row of the table for each cell of a movie."""
    names = list(labelled.sessions)
    rows = []
    for cell, bout in enumerate(chosen):
        session = names[bout.session]
        video = str(videos[session][0]) if session in videos else ""
        numbers = (bout.start, bout.stop, round(bout.confidence, 4), bout.kind, video)
        rows.append(
            dict(zip(COLUMNS, (path.name, one.number, one.shown_name, cell + 1, session, *numbers), strict=True))
        )
    return rows


def movie_name(behaviour: Behaviour) -> str:
    """File name of the movie of a behaviour: ``07-walk.mp4``."""
    name = f"-{behaviour.name}" if behaviour.name else ""
    return f"{files.safe_name(f'{behaviour.number:02}{name}')}.mp4"


def _with_positions(
    labelled: Labelled, chosen: Selection, style: GridStyle, given: GivenVideos
) -> tuple[dict[int, list[GridBout]], dict[str, Video]]:
    """The chosen bouts with the positions around them, in their order, and the videos of their sessions."""
    names = list(labelled.sessions)
    places: dict[int, dict[int, GridBout]] = {number: {} for number in chosen.bouts}
    videos: dict[str, Video] = {}
    missing: list[str] = []
    files_of = pose_files(labelled)
    used = sorted({bout.session for bouts in chosen.bouts.values() for bout in bouts})
    for session in progress(used, "sessions of the movies"):
        pose = load_session(labelled.folder, names[session]).pose
        video, reason = session_video(pose, given, files_of.get(pose.name, ()))
        if video is not None:
            videos[pose.name] = video
        else:
            missing.append(reason)
        body_px = cameras.body_px(pose)
        for number, bouts in chosen.bouts.items():
            for place, bout in enumerate(bouts):
                if bout.session == session:
                    part = around(pose, bout.start, bout.stop, style)
                    places[number][place] = GridBout(part, bout.start, bout.stop, bout.confidence, body_px)
    if missing:
        message = "%d of %d sessions show the pose alone, without a video; the first: %s"
        logger.info(message, len(missing), len(used), missing[0])
    return {number: [of[place] for place in sorted(of)] for number, of in places.items()}, videos


def around(pose: Pose, start: int, stop: int, style: GridStyle) -> Pose:
    """The part of a session that the clip of a bout shows."""
    first = start - round((style.before_s + 1) * pose.fps)
    last = min(stop, start + round(style.after_s * pose.fps)) + round((style.tail_s + 1) * pose.fps)
    rows = slice(*np.searchsorted(pose.frame_numbers, [first, last]))
    return replace(
        pose,
        position=pose.position[rows].copy(),
        confidence=pose.confidence[rows].copy(),
        frame_numbers=pose.frame_numbers[rows].copy(),
    )


def _style_problems(style: GridStyle) -> list[str]:
    problems = []
    if not 1 <= style.cells <= MOST_CELLS:
        problems.append(f"{style.cells} cells; expected 1 to {MOST_CELLS}, for example --cells 16")
    if style.view not in (cameras.ARENA, cameras.EGOCENTRIC):
        problems.append(f"the view is {style.view!r}; expected {cameras.ARENA} or {cameras.EGOCENTRIC}")
    return problems


def _unknown_behaviours(wanted: Sequence[int], behaviours: Behaviours) -> list[str]:
    return [
        f"there is no label {label}; the model has 0 to {behaviours.count - 1}"
        for label in wanted
        if not 0 <= label < behaviours.count
    ]


def video(
    run: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None,
    session: str,
    video_file: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    skeleton: bool = False,
) -> LabelledVideo:
    """Write the video of a session with the behaviour in every frame.

    Parameters
    ----------
    run, labels
        A run folder or model file, and the folder of a prediction; by default that of the training sessions.
    session
        Name of the session.
    video_file
        Its video.
    out
        The file, .mp4 or .mov.
    skeleton
        Whether to show the pose.

    Raises
    ------
    BadInput
        Unknown session, a video that cannot be read, a file that cannot be written; PyAV or Pillow is not installed.
    """
    pyav()
    pillow()
    labelled = with_names(run, labels)
    raise_all([] if session in labelled.sessions else [unknown_name("session", session, list(labelled.sessions))])
    loaded = load_session(labelled.folder, session)
    path = Path(out)
    with files.explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    edges = body_of_sessions(labelled).skeleton if skeleton and loaded.pose.position.shape[3] == 2 else None

    def shown(label: int) -> Shown:
        one = labelled.behaviours.of(label)
        return Shown(numbered(one.number, one.shown_name), one.shown_colour)

    result = write_labelled_video(path, Path(video_file), loaded.pose, loaded.labels, loaded.confidence, shown, edges)
    message = "%s: %d frames, %.0f frames/s, written with %s"
    logger.info(message, path.name, result.frames, result.frames_per_s, result.encoder)
    return result
