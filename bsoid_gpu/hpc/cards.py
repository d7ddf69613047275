"""Whether the requested GPU can run the installed RAPIDS, checked before a job waits for the GPU."""

from __future__ import annotations

import re

from bsoid_gpu.backends import cuda_diagnosis
from bsoid_gpu.backends.cuda_probe import LIBRARIES, Device, Package, Survey, survey
from bsoid_gpu.errors import BadInput
from bsoid_gpu.log import logger

CAPABILITY = {  # compute capability by name of the GPU in Slurm
    "k80": (3, 7),
    "m40": (5, 2),
    "p4": (6, 1),
    "p40": (6, 1),
    "p100": (6, 0),
    "v100": (7, 0),
    "v100x": (7, 0),
    "rtx6000": (7, 5),
    "t4": (7, 5),
    "a100": (8, 0),
    "a30": (8, 0),
    "a10": (8, 6),
    "a40": (8, 6),
    "l4": (8, 9),
    "l40": (8, 9),
    "l40s": (8, 9),
    "h100": (9, 0),
    "h200": (9, 0),
}
ALTERNATIVE = "or request a newer GPU, such as --gpu a100"
NEWEST_DRIVER = (99, 0)  # the driver of the node is checked there


def check(gpu: str, rapids: str | None, cuda: int | None, *, here: bool) -> None:
    """Refuse a GPU that cannot run the packages.

    Parameters
    ----------
    gpu
        Name of the GPU in Slurm.
    rapids, cuda
        Release of RAPIDS, such as ``"24.02"``, and major version of CUDA; None if unknown.
    here
        The job uses this installation, whose packages are checked if no release is given.

    Raises
    ------
    BadInput
        The reason, and what to type.
    """
    if rapids is not None and not re.fullmatch(r"\d\d\.\d\d?(\.\d+)?", rapids):
        msg = f"--rapids is {rapids!r}; expected a release such as 23.12 or 26.10"
        raise BadInput(msg)
    packages = _packages(rapids, cuda) if rapids or cuda else survey().packages if here else ()
    if {package.library for package in packages} < set(LIBRARIES):
        return  # no RAPIDS to check against
    capability = CAPABILITY.get(gpu.lower())
    if capability is None:
        logger.warning("--gpu %s is not a known GPU and was not checked: run `bsoid-gpu doctor` on its node", gpu)
        return
    node = Survey(driver=True, cuda=NEWEST_DRIVER, devices=(Device(gpu, capability, 0),), packages=packages)
    diagnosis = cuda_diagnosis.diagnose(node)
    if not diagnosis.usable:
        msg = f"--gpu {gpu}: {'; '.join(diagnosis.findings)}: {'; '.join(diagnosis.remedies)}; {ALTERNATIVE}"
        raise BadInput(msg)


def _packages(rapids: str | None, cuda: int | None) -> tuple[Package, ...]:
    """Packages of a release and of a major version of CUDA; one of both may be unknown."""
    suffix = dict.fromkeys(LIBRARIES, "" if cuda is None else f"-cu{cuda}")
    if cuda is not None:
        suffix["cupy"] = f"-cuda{cuda}x"
    return tuple(Package(library + suffix[library], rapids or "") for library in LIBRARIES)
