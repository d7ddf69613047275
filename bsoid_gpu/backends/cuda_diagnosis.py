"""Whether the CUDA backend can work, judged from a survey by pure functions.

A problem is a finding, whose beginning up to the colon is its short form, and the command that solves it.
"""

from __future__ import annotations

from dataclasses import dataclass

from bsoid_gpu.backends.cuda_probe import LIBRARIES, Device, Survey

Problem = tuple[str, str]

NO_DEVICE = (0, 100, 101)  # what cuInit gives where there is no device that may be seen
ERRORS = {  # of cuInit: what it means, and the remedy
    34: ("the libcuda.so.1 that is found is a stub to link with", "take .../stubs out of LD_LIBRARY_PATH"),
    802: ("the service that joins the devices does not run", "sudo systemctl start nvidia-fabricmanager"),
    803: ("libcuda.so.1 and the kernel's module are of two versions, as after an update", "sudo reboot"),
    804: ("the libcuda.so.1 that is found is a compatibility one", "take .../compat out of LD_LIBRARY_PATH"),
    999: ("it gives no reason, often after a suspend", "sudo rmmod nvidia_uvm; sudo modprobe nvidia_uvm"),
}
CONTAINERS = {  # kind: the option that gives it the GPU, and how to type it
    "apptainer": ("--nv", "apptainer exec --nv IMAGE bsoid-gpu ..."),
    "docker": ("--gpus all", "docker run --gpus all IMAGE bsoid-gpu ..."),
    "podman": ("--device nvidia.com/gpu=all", "podman run --device nvidia.com/gpu=all IMAGE bsoid-gpu ..."),
}
DRIVERS = {11: "450.80.02", 12: "525.60.13 (RAPIDS is tested from 535)", 13: "580"}  # the oldest for that CUDA
PASCAL, VOLTA, TURING = (6, 0), (7, 0), (7, 5)
AFTER_PASCAL = (24, 2)  # RAPIDS from here on needs Volta
NO_VOLTA = 13  # CUDA from here on needs Turing

SLURM = "sbatch --gres=gpu:1 ... or srun --gres=gpu:1 ..."
PIP = "pip install 'bsoid-gpu[cuda12]'"
NEW_PLACE = f"python -m venv rapids && rapids/bin/{PIP}"  # replacing single packages is not enough
CONDA = "mamba env create -f environment.yml"
OTHER_SYSTEM = "bsoid-gpu build --backend cpu ...; on Windows, WSL 2 is a Linux that sees the NVIDIA card"
PASCAL_CONDA = "mamba env create -f environment-p100.yml"


@dataclass(frozen=True)
class Diagnosis:
    """Whether a backend works here; if not, why, the decisive reason first, and what to type."""

    backend: str
    usable: bool
    findings: tuple[str, ...]
    remedies: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """The decisive reason in short."""
        return self.findings[0].partition(":")[0]


def diagnose(survey: Survey) -> Diagnosis:
    """Judge a survey."""
    problems = _unseen(survey) or _unfit(survey)
    problems += _packages(survey)
    if problems:
        findings, remedies = zip(*problems, strict=True)
        return Diagnosis("cuda", False, findings, tuple(dict.fromkeys(remedies)))
    device = survey.devices[0]
    findings = (
        f"{device.name}: compute capability {device.compute}, {device.memory_bytes / 1e9:.1f} GB",
        f"the driver supports CUDA {_dotted(survey.cuda)}",
        ", ".join(f"{package.name} {package.version}" for package in survey.packages),
    )
    return Diagnosis("cuda", True, findings)


def install(survey: Survey) -> str:
    """The command that installs what fits the device."""
    if survey.devices and survey.devices[0].capability < VOLTA:
        return PASCAL_CONDA
    return f"{PIP}, or: {CONDA}"


def _unseen(survey: Survey) -> list[Problem]:
    """Why no device is seen."""
    if survey.devices:
        return []
    if survey.system != "Linux":
        return [(f"RAPIDS runs on Linux only: this is {survey.system}", OTHER_SYSTEM)]
    problems = []
    if survey.slurm_job and not survey.slurm_gpu:
        problems.append(("this Slurm job was given no GPU: it did not ask for one", SLURM))
    if not survey.driver:
        return problems + _no_driver(survey)
    if survey.error not in NO_DEVICE:
        meaning, remedy = ERRORS.get(survey.error, ("it gives no reason", "nvidia-smi"))
        name = survey.error_name or "error"
        return [
            *problems,
            (f"the NVIDIA driver does not start: cuInit gives {name} ({survey.error}): {meaning}", remedy),
        ]
    if _hidden(survey.visible):
        problem = f"CUDA_VISIBLE_DEVICES hides every device: it is {survey.visible!r}", "unset CUDA_VISIBLE_DEVICES"
    elif survey.visible is not None:
        problem = (
            f"CUDA_VISIBLE_DEVICES names no device that the driver finds: it is {survey.visible!r}",
            "nvidia-smi -L shows what there is; unset CUDA_VISIBLE_DEVICES takes the first",
        )
    elif survey.cards:
        names = ", ".join(card.name for card in survey.cards)
        remedy = "nvidia-smi -L shows whether MIG is on without an instance that this job may use"
        problem = f"CUDA may use no device here: the driver has {names}", remedy
    elif survey.container:
        option, remedy = CONTAINERS[survey.container]
        problem = f"the NVIDIA driver finds no device: this container needs the option {option}", remedy
    else:
        problem = "the NVIDIA driver finds no device: its card is missing, broken, or not allowed here", "nvidia-smi"
    if problems and survey.visible is None:
        return problems  # without its GPU a job sees no device
    return [*problems, problem]


def _no_driver(survey: Survey) -> list[Problem]:
    """Why no driver answers."""
    problems = []
    if survey.container:
        option, remedy = CONTAINERS[survey.container]
        host = "" if survey.module else ", or its host has no NVIDIA driver"
        what = f"no NVIDIA driver answers: this {survey.container} container was started without {option}{host}"
        problems.append((what, remedy))
    elif survey.module:
        what = (
            f"no NVIDIA driver answers: its kernel module {survey.module} is loaded, but libcuda.so.1 is not installed"
        )
        problems.append((what, "sudo apt install libcuda1, or the package of the driver's CUDA library on your system"))
    elif not survey.slurm_job:
        what = "no NVIDIA driver answers: this machine has no libcuda.so.1"
        problems.append((what, "run it on a machine with an NVIDIA card and driver; on a cluster: sbatch --gres=gpu:1"))
    elif survey.slurm_gpu:
        problems.append(("no NVIDIA driver answers: the node of this Slurm job has no libcuda.so.1", "nvidia-smi"))
    if survey.visible is not None and not _hidden(survey.visible):
        what = (
            f"CUDA_VISIBLE_DEVICES is {survey.visible!r}: it chooses among devices, and without a driver there is none"
        )
        problems.append((what, "unset CUDA_VISIBLE_DEVICES"))
    return problems


def _hidden(visible: str | None) -> bool:
    """Whether CUDA_VISIBLE_DEVICES lets no device through; ``NoDevFiles`` is older Slurm's word for none."""
    return visible is not None and (visible.strip()[:1] in ("", "-") or visible.strip() == "NoDevFiles")


def _unfit(survey: Survey) -> list[Problem]:
    """Why the first visible device, the one that is used, or its driver does not do."""
    device = survey.devices[0]
    problems = []
    why = _too_old(device, survey)
    fit = [i for i, other in enumerate(survey.devices) if not _too_old(other, survey)]
    if why and fit:
        number = survey.visible.split(",")[fit[0]].strip() if survey.visible else str(fit[0])
        finding = f"{why[0]}; device {number}, {survey.devices[fit[0]].name}, would do"
        problems.append((finding, f"export CUDA_VISIBLE_DEVICES={number}"))
    elif why:
        problems.append(why)
    to_install = {12} if device.capability >= VOLTA else set()
    for major in sorted(survey.majors or to_install):
        if survey.cuda >= (major, 0):
            continue
        what = (
            f"the NVIDIA driver is too old: it supports CUDA {_dotted(survey.cuda)}, and packages of CUDA {major} need "
            f"at least {major}.0"
        )
        newer = f"install NVIDIA driver {DRIVERS.get(major, 'of that CUDA')} or newer; nvidia-smi shows the present one"
        problems.append((what, NEW_PLACE if major > 12 and survey.cuda >= (12, 0) else newer))
    return problems


def _too_old(device: Device, survey: Survey) -> Problem | None:
    """Why a device cannot run the installed packages, or any that could be installed."""
    if device.capability < PASCAL:
        needed, who, remedy = PASCAL, "RAPIDS of any release", "bsoid-gpu build --backend cpu ..."
    elif device.capability < VOLTA and survey.rapids and survey.rapids >= AFTER_PASCAL:
        needed, who, remedy = VOLTA, "RAPIDS {}.{:02} (the last for it is 23.12)".format(*survey.rapids), PASCAL_CONDA
    elif device.capability < TURING and max(survey.majors, default=0) >= NO_VOLTA:
        needed, who, remedy = TURING, "packages of CUDA 13 (those of CUDA 12 do not)", NEW_PLACE
    else:
        return None
    has = f"{device.name} is too old: it has compute capability {device.compute}"
    return f"{has}, and {_dotted(needed)} is needed by {who}", remedy


def _packages(survey: Survey) -> list[Problem]:
    """What is wrong with the installed packages; that there are none matters only where a driver answers."""
    problems = []
    cupys = [package.name for package in survey.packages if package.library == "cupy"]
    if len(cupys) > 1:
        what = f"{' and '.join(cupys)} are both installed: they overwrite each other's files"
        problems.append((what, f"pip uninstall -y {' '.join(cupys)} && {PIP}"))
    majors = {package.cuda for package in survey.packages if package.cuda}
    if len(majors) > 1:
        named = ", ".join(f"{package.name} {package.version}" for package in survey.packages)
        problems.append((f"packages of CUDA {' and '.join(map(str, sorted(majors)))} are mixed: {named}", NEW_PLACE))
    there = {package.library for package in survey.packages}
    missing = [library for library in LIBRARIES if library not in there]
    if missing and (there or survey.driver):
        verb = "is" if len(missing) == 1 else "are"
        problems.append((f"{', '.join(missing)} {verb} not installed: the CUDA backend needs them", install(survey)))
    return problems


def _dotted(version: tuple[int, int]) -> str:
    return "{}.{}".format(*version)
