"""The report: one page that shows what the animals do, from a model and the labels of sessions."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu import files, log
from bsoid_gpu.backends import get_backend
from bsoid_gpu.behaviours.body import body_of
from bsoid_gpu.behaviours.describe import described
from bsoid_gpu.behaviours.names_file import copy_names, names_beside
from bsoid_gpu.behaviours.proposals import Proposal, comparison, proposals
from bsoid_gpu.errors import BadInput
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.io.sessions import sources
from bsoid_gpu.log import logger
from bsoid_gpu.run_folder import records
from bsoid_gpu.run_folder.labelled import load_session, track_name
from bsoid_gpu.run_folder.model_file import Model, folder_of, load_model
from bsoid_gpu.run_folder.stored_run import StoredRun, load_run
from bsoid_gpu.views.figures import write_figures
from bsoid_gpu.views.map_data import centres, map_points, nearest_points, typical_bins
from bsoid_gpu.views.montage import TYPICAL, ChosenBout, chosen_bouts, sum_of_transitions
from bsoid_gpu.views.page_data import page_data
from bsoid_gpu.views.page_file import page
from bsoid_gpu.views.pose_clips import FASTEST_FPS, pose_clip
from bsoid_gpu.views.pyav import pyav
from bsoid_gpu.views.summary import SessionSummary, SessionToSummarise, summarise
from bsoid_gpu.views.video_files import given_videos
from bsoid_gpu.workflows.films import with_films
from bsoid_gpu.workflows.predict import predict_files

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.behaviours.body import Body
    from bsoid_gpu.behaviours.names import Behaviours
    from bsoid_gpu.io.sessions import Sessions

LABELS = "labels"  # folder of the training sessions' labels in a run folder
FILE = "report.html"
CLIPS, FEWEST, MOST = 400, 6, 16  # clips of the page in all, and of each label
CLIPS_BYTES = 3_000_000
BODY_SESSIONS = 4  # that show which keypoints move how
TRACK_BYTES = 200  # of memory for each byte of a track


@dataclass(frozen=True)
class Labelled:
    """A model, the folder with its labels of sessions, their names, and records of them."""

    model: Model
    run: StoredRun | None
    folder: Path
    behaviours: Behaviours
    sessions: dict[str, dict[str, Any]]

    @property
    def groups(self) -> list[tuple[int, ...]]:
        """Labels of what is described: each label, and each behaviour of several."""
        merged = [one.labels for one in self.behaviours.behaviours if len(one.labels) > 1]
        return [*((label,) for label in range(self.behaviours.count)), *merged]


def report_of_training(
    run: str | os.PathLike[str],
    sessions: Sessions,
    fps: float | str | None = None,
    *,
    backend: str = "auto",
    individuals: Sequence[str] = (),
    videos: Sequence[str | os.PathLike[str]] = (),
    executor: Executor | None = None,
) -> Path:
    """Label every frame of the sessions that a run was built from, in its folder ``labels``, and write its page.

    Raises
    ------
    BadInput
        Sessions that cannot be used.
    """
    model = load_model(run)
    used = [source.origin for source in sources(sessions) if source.name in model.sessions]
    fps = model.fps if fps is None else fps
    predict_files(model, used, fps, Path(run) / LABELS, backend=backend, individuals=individuals, executor=executor)
    return report(run, videos=videos, executor=executor)


def report(
    run: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    videos: Sequence[str | os.PathLike[str]] = (),
    figures: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
) -> Path:
    """Write the page of a model and its labels of sessions.

    Parameters
    ----------
    run
        A run folder, or a model file, for which the page has no map.
    labels
        Folder of a prediction; by default that of the training sessions, ``RUN/labels``.
    out
        Path of the page; by default ``report.html`` in the folder of the labels or, for training sessions, of the run.
    videos
        Videos, folders with videos, or ``SESSION=FILE``: the most typical bouts of these sessions have films.
    figures
        Folder for figures as PNG and SVG; None writes none.
    executor
        Summarises the sessions; by default, in processes of this machine.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    BadInput
        No labels of this model, or files that are missing or damaged.
    """
    started = time.perf_counter()
    given = given_videos(videos)
    if videos:
        pyav()
    labelled = with_names(run, labels)
    of_training = labels is None or Path(labels).resolve() == (Path(run) / LABELS).resolve()
    path = Path(out) if out is not None else (Path(run) if of_training else labelled.folder) / FILE
    shown = Shown.of(labelled, executor or Executor())
    if figures is not None:
        if labelled.run is None:
            msg = f"figures need the run folder: {str(run)!r} is a model alone"
            raise BadInput(msg)
        write_figures(Path(figures), labelled.run, labelled.behaviours, shown.transitions())
    data = report_data(shown, path.resolve().parent.name)
    if videos:
        data["clips"] = with_films(labelled, data["clips"], given)
    content = page(data)
    files.write_atomic(path, content)
    logger.info("report: %.1f MB, %s", len(content) / 1e6, log.seconds_text(time.perf_counter() - started))
    return path


def with_names(run: str | os.PathLike[str], labels: str | os.PathLike[str] | None = None) -> Labelled:
    """The labels of sessions by a model; tables in which behaviours have other names are written again.

    Raises
    ------
    BadInput
        No labels of this model in the folder.
    """
    model, beside = load_model(run), folder_of(run)
    folder = beside / LABELS if labels is None else Path(labels)
    stored = load_run(beside) if (beside / "manifest.json").is_file() else None
    behaviours = names_beside([beside, folder], model.digest(), model.labels)
    of_model = records.records_of(folder, behaviours.model)
    if not of_model:
        msg = (
            f"there are no labels of this model in {str(folder)!r}: run `bsoid-gpu predict {run} SESSIONS --out "
            f"{folder}` first"
        )
        raise BadInput(msg)
    sessions: dict[str, dict[str, Any]] = {}
    for place, record in of_model.items():
        sessions |= records.renamed(folder, place, record, behaviours)["sessions"]
    copy_names(folder, behaviours)
    return Labelled(model, stored, folder, behaviours, sessions)


@dataclass(frozen=True)
class Shown:
    """Labels of sessions with what a page shows of them."""

    labelled: Labelled
    body: Body
    sessions: list[SessionSummary]

    @classmethod
    def of(cls, labelled: Labelled, executor: Executor) -> Shown:
        """Summarise all sessions; the executor distributes them."""
        body = body_of_sessions(labelled)
        return cls(labelled, body, summaries(labelled, body, executor))

    def transitions(self) -> NDArray[np.int64]:
        """How many bouts of each behaviour (column) follow one of each behaviour (row): (behaviours, behaviours)."""
        behaviours = self.labelled.behaviours
        order = {one.number: i for i, one in enumerate(behaviours.behaviours)}
        place = np.array([*(order[number] for number in behaviours.numbers()), -1])
        return sum_of_transitions([(place[one.bouts.label], one.bouts) for one in self.sessions], len(order))

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


def report_data(shown: Shown, title: str) -> dict[str, Any]:
    """Data of the page."""
    labelled, model = shown.labelled, shown.labelled.model
    warnings = prediction_warnings(labelled.folder)
    data = page_data(title, model, labelled.behaviours, shown.body, shown.sessions, labelled.run, warnings)
    unit = data["unit"]["name"]
    data["descriptions"] = [one.as_json() for one in described([one.measures for one in shown.sessions], unit)]
    data["proposals"] = [asdict(one) for one in shown.proposals()]
    data["clips"] = shown.clips(min(max(CLIPS // max(model.labels, 1), FEWEST), MOST))
    return data


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


def prediction_warnings(folder: Path) -> list[str]:
    """Warnings of the manifest of a prediction."""
    return list(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["warnings"])


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
