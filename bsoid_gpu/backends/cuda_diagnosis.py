"""Whether the CUDA backend can work, judged from a survey: pure functions, which touch nothing.

A problem is a finding, whose beginning up to the colon is its short form, and the command that mends it.
"""

from __future__ import annotations

from dataclasses import dataclass

from bsoid_gpu.backends.cuda_probe import LIBRARIES, Device, Survey

Problem = tuple[str, str]

NO_DEVICE = (0, 100, 101)  # what cuInit gives where there is no device that may be seen
ERRORS = {  # of cuInit: what it means, and what mends it
    34: ("the libcuda.so.1 that is found is a stub to link with", "take .../stubs out of LD_LIBRARY_PATH"),
    802: ("the service that joins the devices does not run", "sudo systemctl start nvidia-fabricmanager"),
    803: ("libcuda.so.1 and the kernel's module are of two versions, as after an update", "sudo reboot"),
    804: ("the libcuda.so.1 that is found is a compatibility one", "take .../compat out of LD_LIBRARY_PATH"),
    999: ("it does not tell why, often after a suspend", "sudo rmmod nvidia_uvm; sudo modprobe nvidia_uvm"),
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
NEW_PLACE = f"python -m venv rapids && rapids/bin/{PIP}"  # what is installed cannot be mended package by package
CONDA = "mamba env create -f environment.yml"
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


def diagnose(found: Survey) -> Diagnosis:
    """Judge what a survey found."""
    problems = _unseen(found) or _unfit(found)
    problems += _packages(found)
    if problems:
        findings, remedies = zip(*problems, strict=True)
        return Diagnosis("cuda", False, findings, tuple(dict.fromkeys(remedies)))
    device = found.devices[0]
    findings = (
        f"{device.name}: compute capability {device.compute}, {device.memory_bytes / 1e9:.1f} GB",
        f"the driver supports CUDA {_dotted(found.cuda)}",
        ", ".join(f"{package.name} {package.version}" for package in found.packages),
    )
    return Diagnosis("cuda", True, findings)


def install(found: Survey) -> str:
    """The command that installs what fits the device."""
    if found.devices and found.devices[0].capability < VOLTA:
        return PASCAL_CONDA
    return f"{PIP}, or: {CONDA}"


def _unseen(found: Survey) -> list[Problem]:
    """Why no device is seen."""
    if found.devices:
        return []
    problems = []
    if found.slurm_job and not found.slurm_gpu:
        problems.append(("this Slurm job was given no GPU: it did not ask for one", SLURM))
    if not found.driver:
        return problems + _no_driver(found)
    if found.error not in NO_DEVICE:
        meaning, remedy = ERRORS.get(found.error, ("it does not tell more", "nvidia-smi"))
        name = found.error_name or "error"
        return [
            *problems,
            (f"the NVIDIA driver does not start: cuInit gives {name} ({found.error}): {meaning}", remedy),
        ]
    if _hidden(found.visible):
        problem = f"CUDA_VISIBLE_DEVICES hides every device: it is {found.visible!r}", "unset CUDA_VISIBLE_DEVICES"
    elif found.visible is not None:
        problem = (
            f"CUDA_VISIBLE_DEVICES names no device that the driver finds: it is {found.visible!r}",
            "nvidia-smi -L shows what there is; unset CUDA_VISIBLE_DEVICES takes the first",
        )
    elif found.container:
        option, remedy = CONTAINERS[found.container]
        problem = f"the NVIDIA driver finds no device: this container needs the option {option}", remedy
    else:
        problem = "the NVIDIA driver finds no device: its card is missing, broken, or not allowed here", "nvidia-smi"
    if problems and found.visible is None:
        return problems  # without its GPU a job sees no device
    return [*problems, problem]


def _no_driver(found: Survey) -> list[Problem]:
    """Why no driver answers."""
    problems = []
    if found.container:
        option, remedy = CONTAINERS[found.container]
        host = "" if found.module else ", or its host has no NVIDIA driver"
        what = f"no NVIDIA driver answers: this {found.container} container was started without {option}{host}"
        problems.append((what, remedy))
    elif found.module:
        what = (
            f"no NVIDIA driver answers: its kernel module {found.module} is loaded, but libcuda.so.1 is not installed"
        )
        problems.append((what, "sudo apt install libcuda1, or the package of the driver's CUDA library on your system"))
    elif not found.slurm_job:
        what = "no NVIDIA driver answers: this machine has no libcuda.so.1"
        problems.append((what, "run it on a machine with an NVIDIA card and driver; on a cluster: sbatch --gres=gpu:1"))
    elif found.slurm_gpu:
        problems.append(("no NVIDIA driver answers: the node of this Slurm job has no libcuda.so.1", "nvidia-smi"))
    if found.visible is not None and not _hidden(found.visible):
        what = (
            f"CUDA_VISIBLE_DEVICES is {found.visible!r}: it chooses among devices, and without a driver there is none"
        )
        problems.append((what, "unset CUDA_VISIBLE_DEVICES"))
    return problems


def _hidden(visible: str | None) -> bool:
    """Whether CUDA_VISIBLE_DEVICES lets no device through; ``NoDevFiles`` is older Slurm's word for none."""
    return visible is not None and (visible.strip()[:1] in ("", "-") or visible.strip() == "NoDevFiles")


def _unfit(found: Survey) -> list[Problem]:
    """Why the first visible device, the one that is used, or its driver does not do."""
    device = found.devices[0]
    problems = []
    why = _too_old(device, found)
    fit = [i for i, other in enumerate(found.devices) if not _too_old(other, found)]
    if why and fit:
        number = found.visible.split(",")[fit[0]].strip() if found.visible else str(fit[0])
        finding = f"{why[0]}; device {number}, {found.devices[fit[0]].name}, would do"
        problems.append((finding, f"export CUDA_VISIBLE_DEVICES={number}"))
    elif why:
        problems.append(why)
    to_install = {12} if device.capability >= VOLTA else set()
    for major in sorted(found.majors or to_install):
        if found.cuda >= (major, 0):
            continue
        what = (
            f"the NVIDIA driver is too old: it supports CUDA {_dotted(found.cuda)}, and packages of CUDA {major} need "
            f"at least {major}.0"
        )
        newer = f"install NVIDIA driver {DRIVERS.get(major, 'of that CUDA')} or newer; nvidia-smi shows the present one"
        problems.append((what, NEW_PLACE if major > 12 and found.cuda >= (12, 0) else newer))
    return problems


def _too_old(device: Device, found: Survey) -> Problem | None:
    """Why a device cannot run the installed packages, or any that could be installed."""
    if device.capability < PASCAL:
        needed, who, remedy = PASCAL, "RAPIDS of any release", "bsoid-gpu build --backend cpu ..."
    elif device.capability < VOLTA and found.rapids and found.rapids >= AFTER_PASCAL:
        needed, who, remedy = VOLTA, "RAPIDS {}.{:02} (the last for it is 23.12)".format(*found.rapids), PASCAL_CONDA
    elif device.capability < TURING and max(found.majors, default=0) >= NO_VOLTA:
        needed, who, remedy = TURING, "packages of CUDA 13 (those of CUDA 12 do not)", NEW_PLACE
    else:
        return None
    has = f"{device.name} is too old: it has compute capability {device.compute}"
    return f"{has}, and {_dotted(needed)} is needed by {who}", remedy


def _packages(found: Survey) -> list[Problem]:
    """What is wrong with the installed packages; that there are none matters only where a driver answers."""
    problems = []
    cupys = [package.name for package in found.packages if package.library == "cupy"]
    if len(cupys) > 1:
        what = f"{' and '.join(cupys)} are both installed: they overwrite each other's files"
        problems.append((what, f"pip uninstall -y {' '.join(cupys)} && {PIP}"))
    majors = {package.cuda for package in found.packages if package.cuda}
    if len(majors) > 1:
        named = ", ".join(f"{package.name} {package.version}" for package in found.packages)
        problems.append((f"packages of CUDA {' and '.join(map(str, sorted(majors)))} are mixed: {named}", NEW_PLACE))
    there = {package.library for package in found.packages}
    missing = [library for library in LIBRARIES if library not in there]
    if missing and (there or found.driver):
        verb = "is" if len(missing) == 1 else "are"
        problems.append((f"{', '.join(missing)} {verb} not installed: the CUDA backend needs them", install(found)))
    return problems


def _dotted(version: tuple[int, int]) -> str:
    return "{}.{}".format(*version)
