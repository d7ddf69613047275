"""Backends: where arrays live and who computes what has a library's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bsoid_gpu.errors import BackendUnavailable
from bsoid_gpu.log import logger

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend

NAMES = ("auto", "cpu", "cuda")
NO_CUDA = "the CUDA backend is not part of this version of bsoid_gpu; type --backend cpu"


def get_backend(name: str = "auto") -> Backend:
    """Give the backend of that name, proven to work on this machine.

    ``auto`` takes the fastest one that works and says which; ``cuda`` never falls back.

    Raises
    ------
    BackendUnavailable
        The backend cannot run here, or there is none of that name.
    """
    if name not in NAMES:
        msg = f"there is no backend {name!r}; expected one of {', '.join(NAMES)}"
        raise BackendUnavailable(msg)
    if name == "cuda":
        raise BackendUnavailable(NO_CUDA)
    if name == "auto":
        logger.info("backend: cpu (this version has no CUDA backend)")
    from bsoid_gpu.backends.cpu import CpuBackend

    return CpuBackend()
