"""Whether the CUDA backend can work, diagnosed from a survey by pure functions.

A problem is a finding, whose text up to the colon is its short form, and the command that fixes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from bsoid_gpu.backends.cuda_probe import LIBRARIES, Device, Survey

Problem = tuple[str, str]

NO_DEVICE = (0, 100, 101)  # of cuInit, where no device is visible
ERRORS = {  # of cuInit: meaning and remedy
    34: ("libcuda.so.1 is a stub for linking", "remove .../stubs from LD_LIBRARY_PATH"),
    802: ("the NVIDIA fabric manager does not run", "sudo systemctl start nvidia-fabricmanager"),
    803: ("libcuda.so.1 and the kernel module have two versions, as after an update", "sudo reboot"),
    804: (
        "libcuda.so.1 is a compatibility library, which this device does not support",
        "remove .../compat from LD_LIBRARY_PATH",
    ),
    999: ("unknown error, often after a suspend", "sudo rmmod nvidia_uvm; sudo modprobe nvidia_uvm"),
}
CONTAINERS = {  # option that passes the GPU, and the command
    "apptainer": ("--nv", "apptainer exec --nv IMAGE bsoid-gpu ..."),
    "docker": ("--gpus all", "docker run --gpus all IMAGE bsoid-gpu ..."),
    "podman": ("--device nvidia.com/gpu=all", "podman run --device nvidia.com/gpu=all IMAGE bsoid-gpu ..."),
}
DRIVERS = {(11, 0): "450.80.02", (12, 0): "525.60.13", (12, 2): "535", (13, 0): "580"}  # the oldest for each CUDA
PASCAL, VOLTA, TURING = (6, 0), (7, 0), (7, 5)
AFTER_PASCAL = (24, 2)  # the first RAPIDS that needs Volta
# The first RAPIDS whose UMAP takes initial positions (its signature does not show it), and that repeats a seed without
# applying the forces of a whole epoch at once, which spoils the layout; also the first of the extra cuda12.
GOOD_LAYOUT = (26, 2)
ITS_CUDA = (12, 2)  # what the driver must support for it, with packages of CUDA 12
NO_VOLTA = 13  # the first CUDA that needs Turing

SLURM = "sbatch --gres=gpu:1 ... or srun --gres=gpu:1 ..."
PIP = "pip install 'bsoid-gpu[cuda12]'"
NEW_ENVIRONMENT = f"python -m venv rapids && rapids/bin/{PIP}"  # mixed packages cannot be fixed one by one
CONDA = "mamba env create -f environment.yml"
OTHER_SYSTEM = "bsoid-gpu build --backend cpu ...; on Windows, WSL 2 is a Linux that sees the NVIDIA card"
PASCAL_CONDA = "mamba env create -f environment-p100.yml"


@dataclass(frozen=True)
class Diagnosis:
    """Whether a backend works here; if not, the reasons, the decisive one first, and what to type."""

    backend: str
    usable: bool
    findings: tuple[str, ...]
    remedies: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Short form of the decisive reason."""
        return self.findings[0].partition(":")[0]


def diagnose(survey: Survey) -> Diagnosis:
    """Diagnose the CUDA backend from a survey."""
    problems = _no_device_problems(survey) or _device_problems(survey)
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
    if device.capability >= VOLTA and survey.rapids and survey.rapids < GOOD_LAYOUT:
        what = "RAPIDS {}.{:02} works, but only from {}.{:02} on is cuML's layout of UMAP good and repeatable"
        findings = (*findings, what.format(*survey.rapids, *GOOD_LAYOUT))
        return Diagnosis("cuda", True, findings, (NEW_ENVIRONMENT,))
    return Diagnosis("cuda", True, findings)


def install(survey: Survey) -> str:
    """Command that installs packages for the device."""
    if survey.devices and survey.devices[0].capability < VOLTA:
        return PASCAL_CONDA
    return f"{PIP}, or: {CONDA}"


def _no_device_problems(survey: Survey) -> list[Problem]:
    """Why no device is visible."""
    if survey.devices:
        return []
    if survey.system != "Linux":
        return [(f"RAPIDS runs on Linux only: this is {survey.system}", OTHER_SYSTEM)]
    problems = []
    if survey.slurm_job and not survey.slurm_gpu:
        problems.append(("this Slurm job was given no GPU: it did not request one", SLURM))
    if not survey.driver:
        return problems + _no_driver_problems(survey)
    if survey.error not in NO_DEVICE:
        meaning, remedy = ERRORS.get(survey.error, ("unknown error", "nvidia-smi"))
        name = survey.error_name or "error"
        return [
            *problems,
            (f"the NVIDIA driver does not start: cuInit returns {name} ({survey.error}): {meaning}", remedy),
        ]
    if _hidden(survey.visible):
        problem = f"CUDA_VISIBLE_DEVICES hides every device: it is {survey.visible!r}", "unset CUDA_VISIBLE_DEVICES"
    elif survey.visible is not None:
        problem = (
            f"CUDA_VISIBLE_DEVICES names no device that the driver finds: it is {survey.visible!r}",
            "nvidia-smi -L lists the devices; unset CUDA_VISIBLE_DEVICES selects the first",
        )
    elif survey.cards:
        names = ", ".join(card.name for card in survey.cards)
        remedy = "nvidia-smi -L shows whether MIG is on without an instance that this job may use"
        problem = f"CUDA may use no device here: the driver has {names}", remedy
    elif survey.container:
        option, remedy = CONTAINERS[survey.container]
        problem = f"the NVIDIA driver finds no device: this container needs the option {option}", remedy
    else:
        problem = "the NVIDIA driver finds no device: its card is missing, broken, or not permitted", "nvidia-smi"
    if problems and survey.visible is None:
        return problems  # a job without a GPU sees no device
    return [*problems, problem]


def _no_driver_problems(survey: Survey) -> list[Problem]:
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
        what = f"CUDA_VISIBLE_DEVICES is {survey.visible!r}: it selects devices, and without a driver there are none"
        problems.append((what, "unset CUDA_VISIBLE_DEVICES"))
    return problems


def _hidden(visible: str | None) -> bool:
    """Whether CUDA_VISIBLE_DEVICES hides all devices; older Slurm writes ``NoDevFiles`` for none."""
    return visible is not None and (visible.strip()[:1] in ("", "-") or visible.strip() == "NoDevFiles")


def _device_problems(survey: Survey) -> list[Problem]:
    """Why the first visible device, which is used, or its driver is not supported."""
    device = survey.devices[0]
    problems = []
    problem = _too_old(device, survey)
    supported = [i for i, other in enumerate(survey.devices) if not _too_old(other, survey)]
    if problem and supported:
        first = supported[0]
        number = survey.visible.split(",")[first].strip() if survey.visible else str(first)
        finding = f"{problem[0]}; device {number}, {survey.devices[first].name}, would do"
        problems.append((finding, f"export CUDA_VISIBLE_DEVICES={number}"))
    elif problem:
        problems.append(problem)
    to_install = {12} if device.capability >= VOLTA else set()
    for major in sorted(survey.majors or to_install):
        needed = _oldest_cuda(major, survey)
        if survey.cuda >= needed:
            continue
        what = (
            f"the NVIDIA driver is too old: it supports CUDA {_dotted(survey.cuda)}, and packages of CUDA {major} need "
            f"at least {_dotted(needed)}"
        )
        newer = (
            f"install NVIDIA driver {DRIVERS.get(needed, 'of that CUDA')} or newer; nvidia-smi shows the installed one"
        )
        problems.append((what, NEW_ENVIRONMENT if major > 12 and survey.cuda >= ITS_CUDA else newer))
    return problems


def _oldest_cuda(major: int, survey: Survey) -> tuple[int, int]:
    """CUDA that the driver must support for the installed packages of a major version, or for those to install."""
    of_new_release = (survey.rapids or GOOD_LAYOUT) >= GOOD_LAYOUT
    return ITS_CUDA if major == 12 and of_new_release else (major, 0)


def _too_old(device: Device, survey: Survey) -> Problem | None:
    """Why a device cannot run the installed packages, or any other."""
    if device.capability < PASCAL:
        needed, user, remedy = PASCAL, "RAPIDS of any release", "bsoid-gpu build --backend cpu ..."
    elif device.capability < VOLTA and survey.rapids and survey.rapids >= AFTER_PASCAL:
        needed, user, remedy = VOLTA, "RAPIDS {}.{:02} (the last for it is 23.12)".format(*survey.rapids), PASCAL_CONDA
    elif device.capability < TURING and max(survey.majors, default=0) >= NO_VOLTA:
        needed, user, remedy = TURING, "packages of CUDA 13 (those of CUDA 12 do not)", NEW_ENVIRONMENT
    else:
        return None
    has = f"{device.name} is too old: it has compute capability {device.compute}"
    return f"{has}, and {_dotted(needed)} is needed by {user}", remedy


def _packages(survey: Survey) -> list[Problem]:
    """Problems of the installed packages; if there are none, this matters only where a driver answers."""
    problems = []
    cupys = [package.name for package in survey.packages if package.library == "cupy"]
    if len(cupys) > 1:
        what = f"{' and '.join(cupys)} are both installed: they overwrite each other's files"
        problems.append((what, f"pip uninstall -y {' '.join(cupys)} && {PIP}"))
    majors = {package.cuda for package in survey.packages if package.cuda}
    if len(majors) > 1:
        named = ", ".join(f"{package.name} {package.version}" for package in survey.packages)
        problems.append(
            (f"packages of CUDA {' and '.join(map(str, sorted(majors)))} are mixed: {named}", NEW_ENVIRONMENT)
        )
    installed = {package.library for package in survey.packages}
    missing = [library for library in LIBRARIES if library not in installed]
    if missing and (installed or survey.driver):
        verb = "is" if len(missing) == 1 else "are"
        problems.append((f"{', '.join(missing)} {verb} not installed: the CUDA backend needs them", install(survey)))
    return problems


def _dotted(version: tuple[int, int]) -> str:
    return "{}.{}".format(*version)
