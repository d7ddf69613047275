"""Whether the GPU that is asked for can run the RAPIDS that is installed, judged before a job waits for it."""

from __future__ import annotations

import re

from bsoid_gpu.backends import cuda_diagnosis
from bsoid_gpu.backends.cuda_probe import LIBRARIES, Device, Package, Survey, survey
from bsoid_gpu.errors import BadInput
from bsoid_gpu.log import logger

CAPABILITY = {  # compute capability, by the names that clusters give to their cards
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
WAY_OUT = "or ask for a newer card, such as --gpu a100"
NEWEST_DRIVER = (99, 0)  # the nodes' own is met there


def check(gpu: str, rapids: str | None, cuda: int | None, *, here: bool) -> None:
    """Refuse a card that cannot run the packages.

    Parameters
    ----------
    gpu
        Slurm's name of the card.
    rapids, cuda
        Release of RAPIDS, such as ``"24.02"``, and major version of CUDA, where they are known.
    here
        The job uses this installation: its packages count where none are named.

    Raises
    ------
    BadInput
        With the reason, and what to type.
    """
    if rapids is not None and not re.fullmatch(r"\d\d\.\d\d?(\.\d+)?", rapids):
        msg = f"--rapids is {rapids!r}; expected a release such as 23.12 or 26.10"
        raise BadInput(msg)
    packages = _named(rapids, cuda) if rapids or cuda else survey().packages if here else ()
    if {package.library for package in packages} < set(LIBRARIES):
        return  # nothing to compare the card with
    capability = CAPABILITY.get(gpu.lower())
    if capability is None:
        logger.warning("whether RAPIDS runs on a %r is not known here; `bsoid-gpu doctor` tells it there", gpu)
        return
    found = Survey(driver=True, cuda=NEWEST_DRIVER, devices=(Device(gpu, capability, 0),), packages=packages)
    judged = cuda_diagnosis.diagnose(found)
    if not judged.usable:
        msg = f"--gpu {gpu}: {'; '.join(judged.findings)}: {'; '.join(judged.remedies)}; {WAY_OUT}"
        raise BadInput(msg)


def _named(rapids: str | None, cuda: int | None) -> tuple[Package, ...]:
    """The packages of a release and of a CUDA major, one of which may be unknown."""
    suffix = dict.fromkeys(LIBRARIES, "" if cuda is None else f"-cu{cuda}")
    if cuda is not None:
        suffix["cupy"] = f"-cuda{cuda}x"
    return tuple(Package(library + suffix[library], rapids or "") for library in LIBRARIES)
