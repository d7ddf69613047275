"""Labelled sessions with what a page shows of them: bouts, descriptions, proposals, and clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu import log
from bsoid_gpu.backends import get_backend
from bsoid_gpu.behaviours.body import body_of
from bsoid_gpu.behaviours.proposals import Proposal, comparison, proposals
from bsoid_gpu.run_folder.labelled import load_session, track_name
from bsoid_gpu.views.map_data import centres, map_points, nearest_points, typical_bins
from bsoid_gpu.views.montage import TYPICAL, ChosenBout, chosen_bouts, sum_of_transitions
from bsoid_gpu.views.pose_clips import FASTEST_FPS, pose_clip
from bsoid_gpu.views.summary import SessionSummary, SessionToSummarise, summarise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.behaviours.body import Body
    from bsoid_gpu.execution.executors import Executor
    from bsoid_gpu.workflows.labelled_sessions import Labelled

BODY_SESSIONS = 4  # that show which keypoints move how
TRACK_BYTES = 200  # of memory for each byte of a track
CLIPS_BYTES = 3_000_000  # of all clips of a page


@dataclass(frozen=True)
class Summarised:
    """Labels of sessions with what a page shows of them."""

    labelled: Labelled
    body: Body
    sessions: list[SessionSummary]

    @classmethod
    def of(cls, labelled: Labelled, executor: Executor) -> Summarised:
        """Summarise all sessions; the executor distributes them."""
        body = body_of_sessions(labelled)
        return cls(labelled, body, summaries(labelled, body, executor))

    def transitions(self) -> NDArray[np.int64]:
        """How many bouts of each behaviour (column) follow one of each behaviour (row): (behaviours, behaviours)."""
        behaviours = self.labelled.behaviours
        place = np.array([*behaviours.places(), -1])  # the last one is that of the label -1
        numbered = [(place[one.bouts.label], one.bouts) for one in self.sessions]
        return sum_of_transitions(numbered, len(behaviours.behaviours))

    def proposals(self) -> list[Proposal]:
        """Labels that may be one behaviour and are not merged yet, each with its reason."""
        run, labels = self.labelled.run, self.labelled.model.labels
        transitions = sum_of_transitions([(one.bouts.label, one.bouts) for one in self.sessions], labels)
        compared = comparison([one.measures for one in self.sessions], labels)
        if run is None:
            proposed = proposals(compared, transitions=transitions)
        else:
            proposed = proposals(compared, run.confusion, transitions, centres(run.training, labels))
        numbers = self.labelled.behaviours.numbers()
        return [one for one in proposed if len({numbers[label] for label in one.labels}) > 1]

    def _training_bins(self, labels: set[int], cells: int) -> list[ChosenBout]:
        """Training bins of labels that have no bout in the sessions, so that each of them can be seen."""
        run = self.labelled.run
        if run is None or not labels:
            return []
        frames = max(1, round(run.model.settings.features.bin_s * run.model.fps))
        return [
            ChosenBout(session, label, start, start + frames, membership, TYPICAL)
            for label in sorted(labels)
            for session, start, membership in typical_bins(run.training, self.sessions, label, cells)
        ]

    def clips(self, cells: int, label: int | None = None) -> list[dict[str, Any]]:
        """Clips of up to ``cells`` bouts of each label, or of one."""
        chosen = chosen_bouts([session.bouts for session in self.sessions], self.labelled.model.labels, cells)
        chosen += self._training_bins(set(range(self.labelled.model.labels)) - {bout.label for bout in chosen}, cells)
        if label is not None:
            chosen = [bout for bout in chosen if bout.label == label]
        return pose_clips(self.labelled, self.sessions, chosen)


def body_of_sessions(labelled: Labelled) -> Body:
    """Roles of the keypoints, from some of the sessions."""
    names = list(labelled.sessions)
    some = [names[i] for i in np.unique(np.linspace(0, len(names) - 1, BODY_SESSIONS).round().astype(int))]
    return body_of([load_session(labelled.folder, name).pose for name in some])


def summaries(labelled: Labelled, body: Body, executor: Executor) -> list[SessionSummary]:
    """Summaries of all sessions, in order; the executor distributes them."""
    px_per_mm = labelled.model.settings.input.px_per_mm or None
    items = [
        SessionToSummarise(
            folder=labelled.folder,
            name=name,
            recording=labelled.model.settings.input.recording_of(name),
            notes=tuple(session["notes"]),
            groups=labelled.groups,
            body=body,
            px_per_mm=px_per_mm,
        )
        for name, session in labelled.sessions.items()
    ]
    largest = max((labelled.folder / track_name(item.name)).stat().st_size for item in items)
    results = executor.run_each(summarise, items, get_backend("cpu"), TRACK_BYTES * largest)
    return list(log.progress(results, "sessions", len(items)))


def pose_clips(
    labelled: Labelled, sessions: Sequence[SessionSummary], chosen: Sequence[ChosenBout]
) -> list[dict[str, Any]]:
    """Clips of the chosen bouts, in their order, at a rate at which all of them fit into the page."""
    keypoints = len(labelled.model.keypoints)
    bytes_per_frame = max(len(chosen), 1) * keypoints * 2 * 2 * 4 / 3
    fastest_fps = min(FASTEST_FPS, max(10.0, CLIPS_BYTES / (bytes_per_frame * 2.0)))  # most clips take about 2 s
    clips: dict[int, dict[str, Any]] = {}
    for number, session in enumerate(sessions):
        of_session = [i for i, bout in enumerate(chosen) if bout.session == number]
        if not of_session:
            continue
        pose = load_session(labelled.folder, session.name).pose
        onset_s = pose.start_s + np.array([chosen[i].start for i in of_session]) / pose.fps
        points: list[int | None] = [None] * len(of_session)
        if labelled.run is not None:
            table = labelled.run.training
            points = nearest_points(table, map_points(len(table.label)), session.name, onset_s)
        for i, point in zip(of_session, points, strict=True):
            clips[i] = pose_clip(pose, chosen[i], session.body_px, fastest_fps) | {"point": point}
    return [clips[i] for i in range(len(chosen))]
