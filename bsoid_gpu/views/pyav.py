"""The video library PyAV, which is optional: it is imported where a video is opened, and nowhere else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.messages import reason

INSTALL = "pip install 'bsoid-gpu[video]'"


def pyav() -> Any:
    """Give the module ``av``.

    Raises
    ------
    BadInput
        It is not installed; the message says what to type.
    """
    try:
        import av
    except ImportError as error:
        msg = f"videos need PyAV, which is not installed here ({reason(error)}): {INSTALL}"
        raise BadInput(msg) from error
    return av


@contextlib.contextmanager
def explained_video(path: Path, what: str) -> Iterator[None]:
    """Turn an error of PyAV into a :class:`BadInput` that names the file."""
    try:
        yield
    except pyav().FFmpegError as error:
        msg = f"{str(path)!r}: {what}: {reason(error)}"
        raise BadInput(msg) from error
