"""The page of a run with what needs Python: other cuts of the tree, more clips, and saving names."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from bsoid_gpu.backends import get_backend
from bsoid_gpu.behaviours.names import from_tables
from bsoid_gpu.errors import BadInput, BsoidError, raise_all
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.log import logger
from bsoid_gpu.run_folder.stored_run import StoredRun
from bsoid_gpu.views.map_data import map_points, matched
from bsoid_gpu.views.page_data import NO_LABEL
from bsoid_gpu.views.page_file import packed, page
from bsoid_gpu.views.server import ViewServer
from bsoid_gpu.workflows import naming, recut, report
from bsoid_gpu.workflows.labelled_sessions import LABELS, with_names
from bsoid_gpu.workflows.summarised import Summarised

MOST_CLIPS = 64  # of a label


class RunActions:
    """What the page of a run asks for; see :class:`bsoid_gpu.views.server.Actions`.

    Parameters
    ----------
    run
        Run folder.
    labels
        Folder of a prediction; by default that of the training sessions.
    """

    def __init__(self, run: str | os.PathLike[str], labels: str | os.PathLike[str] | None = None) -> None:
        self._run, self._labels = Path(run), labels
        self._lock = threading.Lock()  # of everything below
        self._progress: dict[str, Any] = {"running": False, "message": "", "share": None, "error": None, "done": False}
        self._load()

    def _load(self) -> None:
        labelled = with_names(self._run, self._labels)
        self._shown = Summarised.of(labelled, Executor())
        self._data = report.report_data(self._shown, self._run.resolve().name)

    def page(self, token: str) -> bytes:
        """The page with the names as they are now."""
        with self._lock:
            return page({**self._data, "server": {"token": token}})

    def names(self, request: dict[str, Any]) -> dict[str, Any]:
        """Save names that are based on a version."""
        with self._lock:
            before = self._shown.labelled.behaviours
            if request.get("model", before.model) != before.model:
                msg = "the labels of the run are others by now: load the page again"
                raise BadInput(msg)
            tables: dict[str, Any] = {key: request[key] for key in ("version", "behaviours") if key in request}
            saved = naming.save(self._run, from_tables(tables, before.model, before.count))
            self._load()
            return {"version": saved.version}

    def recut(self, request: dict[str, Any]) -> dict[str, Any]:
        """Hard labels of the points of the map at a minimum cluster size and selection."""
        from bsoid_gpu.estimators.hdbscan_tree import cut

        run, size, selection = self._cut(request)
        assert run.clustering is not None
        labels = cut(np.asarray(run.clustering.tree), size, selection).labels
        points = matched(labels.astype(np.int32), run.training.label)[map_points(len(labels))]
        return {
            "clusters": int(labels.max()) + 1,
            "noise": float(np.mean(labels < 0)),
            "labels": packed(np.where(points < 0, NO_LABEL, points).astype(np.uint16)),
        }

    def warm_up(self) -> None:
        """Cut the tree once: the first cut on a machine compiles for about a minute."""
        run = self._shown.labelled.run
        with contextlib.suppress(BadInput):
            if run is not None and run.clustering is not None:
                self.recut({"size": len(run.clustering.hard) // 2})

    def apply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Begin to fit the classifier to another cut; :meth:`progress` says when it is done."""
        run, size, selection = self._cut(request)
        with self._lock:
            if self._progress["running"]:
                msg = "the classifier is being fitted: wait until it is done"
                raise BadInput(msg)
            self._progress = {"running": True, "message": "", "share": None, "error": None, "done": False}
        threading.Thread(target=self._fit, args=(run, size, selection), daemon=True).start()
        return self.progress()

    def clips(self, request: dict[str, Any]) -> dict[str, Any]:
        """More clips of a label than the page has."""
        with self._lock:
            label, more = request.get("label"), request.get("more", report.MOST)
            labels = self._shown.labelled.model.labels
            if type(label) is not int or not 0 <= label < labels or type(more) is not int or more < 1:
                msg = f"the request is {request!r}; expected a label from 0 to {labels - 1}, and how many clips"
                raise BadInput(msg)
            here = sum(clip["label"] == label for clip in self._data["clips"])
            return {"clips": self._shown.clips(min(here + more, MOST_CLIPS), label)}

    def progress(self) -> dict[str, Any]:
        """How far the fit is."""
        return dict(self._progress)

    def _cut(self, request: dict[str, Any]) -> tuple[StoredRun, int, str]:
        run = self._shown.labelled.run
        if run is None:
            msg = "there is no run folder: the page belongs to a model file"
            raise BadInput(msg)
        size, selection = request.get("size"), request.get("selection", "leaf")
        raise_all(recut.cut_problems(run, size, selection))
        return run, int(size or 0), str(selection)

    def _fit(self, run: StoredRun, size: int, selection: str) -> None:
        handler = _LastMessage(self._progress)
        logger.addHandler(handler)
        try:
            recut.recut(run, size, selection, get_backend("auto"), self._run / LABELS)
            with self._lock:
                self._load()
            self._progress |= {"running": False, "done": True, "message": "done"}
        except BsoidError as error:
            self._progress |= {"running": False, "error": str(error)}
        except Exception as error:
            self._progress |= {"running": False, "error": f"a bug: {type(error).__name__}: {error}"}
            raise
        finally:
            logger.removeHandler(handler)


class _LastMessage(logging.Handler):
    """Keeps the last message as the progress."""

    def __init__(self, progress: dict[str, Any]) -> None:
        super().__init__(logging.INFO)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress["message"] = record.getMessage()


def run_until_interrupted(server: ViewServer, actions: RunActions) -> None:
    """Answer requests until Ctrl-C, which is how a server ends; what cuts the tree is compiled meanwhile."""
    threading.Thread(target=actions.warm_up, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    server.close()
