"""The report: one page that shows what the animals do, from a model and the labels of sessions."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import files, log
from bsoid_gpu.behaviours.describe import described
from bsoid_gpu.errors import BadInput
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.io.sessions import sources
from bsoid_gpu.log import logger
from bsoid_gpu.run_folder.model_file import load_model
from bsoid_gpu.views.figures import write_figures
from bsoid_gpu.views.page_data import page_data
from bsoid_gpu.views.page_file import page
from bsoid_gpu.views.pyav import pyav
from bsoid_gpu.views.video_files import given_videos
from bsoid_gpu.workflows.films import with_films
from bsoid_gpu.workflows.labelled_sessions import LABELS, with_names
from bsoid_gpu.workflows.predict import predict_files
from bsoid_gpu.workflows.summarised import Summarised

if TYPE_CHECKING:
    from bsoid_gpu.io.sessions import Sessions

FILE = "report.html"
CLIPS, FEWEST, MOST = 400, 6, 16  # clips of the page in all, and of each label


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
    shown = Summarised.of(labelled, executor or Executor())
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


def report_data(shown: Summarised, title: str) -> dict[str, Any]:
    """Data of the page."""
    labelled, model = shown.labelled, shown.labelled.model
    warnings = prediction_warnings(labelled.folder)
    data = page_data(title, model, labelled.behaviours, shown.body, shown.sessions, labelled.run, warnings)
    unit = data["unit"]["name"]
    data["descriptions"] = [one.as_json() for one in described([one.measures for one in shown.sessions], unit)]
    data["proposals"] = [asdict(one) for one in shown.proposals()]
    data["clips"] = shown.clips(min(max(CLIPS // max(model.labels, 1), FEWEST), MOST))
    return data


def prediction_warnings(folder: Path) -> list[str]:
    """Warnings of the manifest of a prediction."""
    return list(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["warnings"])
