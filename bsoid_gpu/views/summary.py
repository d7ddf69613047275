"""What a report shows of one session: its bouts, and how its behaviours differ in plain descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.behaviours.body import body_length_px
from bsoid_gpu.behaviours.descriptors import descriptors
from bsoid_gpu.behaviours.measures import Group, SessionMeasures, measure
from bsoid_gpu.run_folder.labelled import LabelledSession, bouts_of, load_session
from bsoid_gpu.views.montage import SessionBouts, bout_means

if TYPE_CHECKING:
    from bsoid_gpu.behaviours.body import Body


@dataclass(frozen=True)
class SessionToSummarise:
    """A session to summarise, which pickle can serialise.

    ``groups`` are the labels of each behaviour to describe; ``px_per_mm`` that of the positions of training, None if
    it is not known; ``notes`` are those of the labelling.
    """

    folder: Path
    name: str
    recording: str
    notes: tuple[str, ...]
    groups: Sequence[Group]
    body: Body
    px_per_mm: float | None


@dataclass(frozen=True)
class SessionSummary:
    """What a report shows of a session; ``body_px`` is the length of its animal."""

    name: str
    recording: str
    fps: float
    start_s: float
    frames: int
    observed_frames: int
    first_frame: int
    body_px: float
    notes: tuple[str, ...]
    bouts: SessionBouts
    measures: SessionMeasures


def summarise(item: SessionToSummarise) -> SessionSummary:
    """Summarise a session of a prediction.

    Raises
    ------
    BadInput
        Its files are missing or damaged.
    """
    session = load_session(item.folder, item.name)
    pose = session.pose
    body_px = body_length_px([pose], item.body)
    unit_px = item.px_per_mm / session.scale if item.px_per_mm else body_px
    table = descriptors(pose, item.body, unit_px)
    return SessionSummary(
        name=item.name,
        recording=item.recording,
        fps=pose.fps,
        start_s=pose.start_s,
        frames=pose.frames,
        observed_frames=int(np.sum(session.confidence > 0)),
        first_frame=int(pose.frame_numbers[0]) if pose.frames else 0,
        body_px=body_px,
        notes=item.notes,
        bouts=session_bouts(session, table.values, pose.frame_numbers[table.frame]),
        measures=measure(pose, session.labels, item.groups, item.body, unit_px, table),
    )


def session_bouts(
    session: LabelledSession,
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    frame: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> SessionBouts:
    """Bouts of the labels of a session, with the means of descriptors ``values`` at the frame numbers ``frame``."""
    table = bouts_of(session)
    start, stop = table["start_frame"].to_numpy(), table["stop_frame"].to_numpy()
    confidence = bout_means(session.confidence[:, None], session.pose.frame_numbers, start, stop)[:, 0]
    means = bout_means(values, frame, start, stop)
    return SessionBouts(table["label"].to_numpy(), start, stop, confidence, means, session.pose.fps)
