"""Backends: where arrays are stored and computed."""

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
    """The backend of that name, checked to work on this machine.

    ``auto`` chooses the fastest that works and logs its choice; ``cuda`` never falls back.

    Raises
    ------
    BackendUnavailable
        The backend cannot run here, or the name is unknown.
    """
    if name not in NAMES:
        msg = f"there is no backend {name!r}; expected one of {', '.join(NAMES)}"
        raise BackendUnavailable(msg)
    if name != "cpu":
        survey = cuda_probe.survey()
        backend, diagnosis = try_cuda(survey)
        if backend is not None:
            if name == "auto":
                logger.info("backend: cuda (%s)", survey.devices[0].name)
            return backend
        if name == "cuda":
            remedy = f"try: {diagnosis.remedies[0]}; " if diagnosis.remedies else ""
            msg = f"{diagnosis.findings[0]}; {remedy}or type --backend cpu"
            raise BackendUnavailable(msg)
        hint = "; bsoid-gpu doctor tells what to type" if survey.devices else ""
        logger.info("backend: cpu (%s%s)", diagnosis.reason, hint)
    from bsoid_gpu.backends.cpu import CpuBackend

    return CpuBackend()


def try_cuda(survey: cuda_probe.Survey) -> tuple[Backend | None, cuda_diagnosis.Diagnosis]:
    """The CUDA backend or None, and the diagnosis; RAPIDS is imported only if the survey shows no problem."""
    diagnosis = cuda_diagnosis.diagnose(survey)
    if not diagnosis.usable:
        return None, diagnosis
    try:
        from bsoid_gpu.backends.cuda import CudaBackend

        return CudaBackend(), diagnosis
    except BackendUnavailable as error:
        reason = str(error)
        culprit = _culprit(error.__cause__ or error)
    except (ImportError, OSError) as error:
        remedy = f"install it again, {cuda_diagnosis.install(survey)}"
        reason = f"RAPIDS does not import ({type(error).__name__}: {error}): {remedy}"
        culprit = _culprit(error)
    reason = " ".join(f"{culprit} fails: {reason}".split()) if culprit else reason
    return None, cuda_diagnosis.Diagnosis("cuda", False, (reason, *diagnosis.findings))


def _culprit(error: BaseException) -> str:
    """The RAPIDS library that failed: the innermost one in the traceback."""
    if isinstance(error, ImportError) and error.name in cuda_probe.LIBRARIES:
        return str(error.name)
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    libraries = [name.partition(".")[0] for name in reversed(modules)]
    return next((name for name in libraries if name in cuda_probe.LIBRARIES), "")
