"""The video of a labelled session."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bsoid_gpu.errors import BadInput
from bsoid_gpu.log import logger
from bsoid_gpu.run_folder import records
from bsoid_gpu.views.video_files import video_of
from bsoid_gpu.views.video_reading import VideoReader, differences

if TYPE_CHECKING:
    from bsoid_gpu.pose import Pose
    from bsoid_gpu.views.video_files import GivenVideos
    from bsoid_gpu.views.video_index import VideoIndex
    from bsoid_gpu.workflows.labelled_sessions import Labelled

    Video = tuple[Path, VideoIndex]


def session_video(pose: Pose, given: GivenVideos, recordings: Sequence[str]) -> tuple[Video | None, str]:
    """The video of a session with its index, or None and the reason; a video that cannot be read is a warning."""
    if pose.position.shape[3] != 2:
        return None, f"{pose.name}: its positions have three dimensions, so they have no place in a video"
    choice = video_of(pose.name, given, recordings=recordings)
    if choice.path is None:
        return None, choice.reason
    try:
        with VideoReader(choice.path, threads=1) as reader:
            if note := differences(reader, pose):
                logger.warning("%s", note)
            return (choice.path, reader.index), ""
    except BadInput as error:
        logger.warning("%s", error)
        return None, str(error)


def pose_files(labelled: Labelled) -> dict[str, list[str]]:
    """Names of the pose file of each session, by its name: that of one animal has the animal's name at its end."""
    return {
        session: [name for name in record["asked"].get("digests", {}) if f"{session}_".startswith(f"{name}_")]
        for record in records.records_of(labelled.folder, labelled.behaviours.model).values()
        for session in record["sessions"]
    }
