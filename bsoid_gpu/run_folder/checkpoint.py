"""Checkpoints of long stages in the run folder: an interrupted job resumes within the stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import files, log
from bsoid_gpu.estimators.base import Monitor
from bsoid_gpu.log import logger
from bsoid_gpu.run_folder import arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVERY_S = 10.0  # between checkpoints


class Checkpoint:
    """Arrays in a file, written every ten seconds and removed when the stage is complete.

    Parameters
    ----------
    file
        File of the checkpoint; None stores nothing.
    key
        Key of the stage; checkpoints with another key are ignored.
    """

    def __init__(self, file: Path | None = None, key: str = "") -> None:
        self._file, self._key = file, key
        self._saved = time.monotonic()

    def read(self) -> dict[str, NDArray[Any]]:
        """The last arrays that an interrupted job saved; empty if there are none or the file is damaged."""
        if self._file is None:
            return {}
        try:
            named, metadata = arrays.loaded(self._file)
        except (OSError, ValueError):
            return {}
        if metadata != self._metadata(named):
            return {}
        logger.info("resumed from the checkpoint of an interrupted job")
        return named

    def save(self, gather: Callable[[], dict[str, NDArray[Any]]]) -> None:
        """Replace the checkpoint if ten seconds have passed; call it as often as you like."""
        if self._file is None or time.monotonic() - self._saved < EVERY_S:
            return
        named = gather()
        with files.explained(self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomic(self._file, arrays.saved(named, self._metadata(named)))
        self._saved = time.monotonic()

    def remove(self) -> None:
        """Remove the file."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def _metadata(self, named: dict[str, NDArray[Any]]) -> dict[str, str]:
        return {"key": self._key, "digest": arrays.digest_of(named)}


class LoggedMonitor(Monitor):
    """Logs the messages and progress of a stage, and stores its checkpoint."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._bars: dict[str, Callable[[int, int], None]] = {}

    def progress(self, what: str, done: int, total: int) -> None:
        """Show the progress."""
        if what not in self._bars:
            self._bars[what] = log.progress_callback(what)
        self._bars[what](done, total)

    def message(self, text: str) -> None:
        """Log it."""
        logger.info(text)

    def warning(self, text: str) -> None:
        """Log it."""
        logger.warning(text)

    def read(self) -> dict[str, NDArray[Any]]:
        """See :meth:`Checkpoint.read`."""
        return self._checkpoint.read()

    def save(self, gather: Callable[[], dict[str, NDArray[Any]]]) -> None:
        """See :meth:`Checkpoint.save`."""
        self._checkpoint.save(gather)
