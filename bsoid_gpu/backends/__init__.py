"""Backends: where arrays live and who computes what has a library's name."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from bsoid_gpu.backends import cuda_diagnosis, cuda_probe
from bsoid_gpu.errors import BackendUnavailable
from bsoid_gpu.log import logger

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend

NAMES = ("auto", "cpu", "cuda")


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
    if name != "cpu":
        found = cuda_probe.survey()
        backend, judged = try_cuda(found)
        if backend is not None:
            if name == "auto":
                logger.info("backend: cuda (%s)", found.devices[0].name)
            return backend
        if name == "cuda":
            remedy = f"try: {judged.remedies[0]}; " if judged.remedies else ""
            msg = f"{judged.findings[0]}; {remedy}or type --backend cpu"
            raise BackendUnavailable(msg)
        hint = "; bsoid-gpu doctor tells what to type" if found.devices else ""
        logger.info("backend: cpu (%s%s)", judged.reason, hint)
    from bsoid_gpu.backends.cpu import CpuBackend

    return CpuBackend()


def try_cuda(found: cuda_probe.Survey) -> tuple[Backend | None, cuda_diagnosis.Diagnosis]:
    """The CUDA backend, where it works, and the diagnosis; RAPIDS is imported only where the survey allows it."""
    judged = cuda_diagnosis.diagnose(found)
    if not judged.usable:
        return None, judged
    try:
        from bsoid_gpu.backends.cuda import CudaBackend

        return CudaBackend(), judged
    except BackendUnavailable as error:
        why = str(error)
        culprit = _culprit(error.__cause__ or error)
    except (ImportError, OSError) as error:
        remedy = f"install it again, {cuda_diagnosis.install(found)}"
        why = f"RAPIDS does not import ({type(error).__name__}: {error}): {remedy}"
        culprit = _culprit(error)
    why = " ".join(f"{culprit} fails: {why}".split()) if culprit else why
    return None, cuda_diagnosis.Diagnosis("cuda", False, (why, *judged.findings))


def _culprit(error: BaseException) -> str:
    """The library of RAPIDS that failed: the innermost one on the way to the error."""
    if isinstance(error, ImportError) and error.name in cuda_probe.LIBRARIES:
        return str(error.name)
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    libraries = [name.partition(".")[0] for name in reversed(modules)]
    return next((name for name in libraries if name in cuda_probe.LIBRARIES), "")
