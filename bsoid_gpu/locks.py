"""Locks between processes, also of several machines that share a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bsoid_gpu import files
from bsoid_gpu.errors import BadInput
from bsoid_gpu.log import logger


@contextlib.contextmanager
def lock(folder: Path, name: str, *, wait: bool = False) -> Iterator[None]:
    """Lock the file ``name`` of a folder; the system unlocks it when the process ends, however it ends.

    With ``wait``, wait until another process unlocks it.

    Raises
    ------
    BadInput
        Another process has locked it.
    """
    from filelock import lock_descriptor, unlock_descriptor

    with files.explained(folder):
        file = (folder / name).open("a")
    with file:
        locked = None
        try:
            locked = lock_descriptor(file.fileno(), blocking=wait)
        except OSError:  # a file system without locks: the files themselves are still written atomically
            logger.warning("%r is on a file system without locks: do not run two jobs on it", str(folder))
        if locked is False:
            msg = f"another job is writing to {str(folder)!r}: wait until it ends, or give --out another folder"
            raise BadInput(msg)
        yield
        if locked:  # Windows may release a closed file late
            with contextlib.suppress(OSError):
                unlock_descriptor(file.fileno())
