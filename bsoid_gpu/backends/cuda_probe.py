"""What CUDA would meet on this machine: facts from the driver and from the installed packages, without importing them.

They are collected in a moment and without raising; :mod:`bsoid_gpu.backends.cuda_diagnosis` judges them.

NVML gives the driver's version and all its cards. Which of them CUDA may use, in which order, and why none, only CUDA's
own library knows: NVML has no error code of ``cuInit``, ignores ``CUDA_VISIBLE_DEVICES``, and sorts the cards by their
slot where CUDA puts the fastest first.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LIBRARIES = ("cupy", "cudf", "cuml", "rmm")
CUDA_MAJORS = (11, 12, 13)
CAPABILITY_MAJOR, CAPABILITY_MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_...
SLURM_GPUS = ("JOB_GPUS", "STEP_GPUS", "GPUS", "GPUS_ON_NODE", "GPUS_PER_NODE", "GPUS_PER_TASK")


@dataclass(frozen=True)
class Device:
    """A device, as the driver describes it."""

    name: str
    capability: tuple[int, int]
    memory_bytes: int

    @property
    def compute(self) -> str:
        """Its compute capability, as NVIDIA writes it."""
        return "{}.{}".format(*self.capability)


@dataclass(frozen=True)
class Package:
    """An installed distribution."""

    name: str
    version: str

    @property
    def library(self) -> str:
        """What is imported: ``cupy`` for ``cupy-cuda12x``."""
        return self.name.partition("-")[0]

    @property
    def cuda(self) -> int | None:
        """The CUDA major in its name; conda's packages have none there."""
        match = re.search(r"-cu(?:da)?(\d\d)", self.name)
        return int(match.group(1)) if match else None


@dataclass(frozen=True)
class Survey:
    """The facts.

    Parameters
    ----------
    driver
        libcuda.so.1 is there.
    error, error_name
        What cuInit returned.
    cuda
        The newest CUDA that the driver supports.
    devices
        What CUDA may use, in its order.
    cards
        What the driver manages, in the order of nvidia-smi.
    visible
        CUDA_VISIBLE_DEVICES.
    module
        Version of the kernel's NVIDIA module.
    system
        Operating system, as :func:`platform.system` names it.
    conda_cuda
        CUDA major of the conda environment.
    """

    driver: bool = False
    error: int = 0
    error_name: str = ""
    cuda: tuple[int, int] = (0, 0)
    devices: tuple[Device, ...] = ()
    cards: tuple[Device, ...] = ()
    visible: str | None = None
    module: str = ""
    system: str = "Linux"
    container: str = ""
    slurm_job: bool = False
    slurm_gpu: bool = False
    packages: tuple[Package, ...] = ()
    conda_cuda: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The facts as JSON can write them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Survey:
        """The survey whose :meth:`to_dict` this is, also after a round trip through JSON."""
        devices, cards = (
            tuple(Device(**{**item, "capability": tuple(item["capability"])}) for item in facts.get(name, ()))
            for name in ("devices", "cards")
        )
        packages = tuple(Package(**item) for item in facts.get("packages", ()))
        cuda = tuple(facts.get("cuda", (0, 0)))
        return cls(**{**facts, "devices": devices, "cards": cards, "packages": packages, "cuda": cuda})

    @property
    def majors(self) -> set[int]:
        """CUDA majors of the installed packages."""
        return {major for package in self.packages if (major := package.cuda or self.conda_cuda)}

    @property
    def rapids(self) -> tuple[int, int] | None:
        """Release of the installed RAPIDS, such as (26, 10)."""
        versions = {package.library: package.version for package in self.packages}
        match = re.match(r"(\d+)\.(\d+)", versions.get("cuml", versions.get("cudf", "")))
        return (int(match.group(1)), int(match.group(2))) if match else None


def survey() -> Survey:
    """Collect the facts."""
    environment = os.environ
    module, cards = _ask_nvml()
    return Survey(
        **_ask_cuda(),
        cards=cards,
        visible=environment.get("CUDA_VISIBLE_DEVICES"),
        module=module or _kernel_module(),
        system=platform.system(),
        container=_container(),
        slurm_job="SLURM_JOB_ID" in environment,
        slurm_gpu=any(environment.get(f"SLURM_{name}", "0") not in ("", "0") for name in SLURM_GPUS),
        packages=_packages(),
        conda_cuda=_conda_cuda(),
    )


def _ask_cuda() -> dict[str, Any]:
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return {"driver": False}
    number, text = ctypes.c_int(), ctypes.c_char_p()
    try:
        error = cuda.cuInit(0)
        named = cuda.cuGetErrorName(error, ctypes.byref(text)) == 0 and text.value
        cuda.cuDriverGetVersion(ctypes.byref(number))
        version = (number.value // 1000, number.value % 1000 // 10)
        devices: list[Device] = []
        if error == 0 and cuda.cuDeviceGetCount(ctypes.byref(number)) == 0:
            devices = [_device(cuda, index) for index in range(number.value)]
    except AttributeError:  # a library of that name without the driver's functions
        return {"driver": False}
    name = named.decode() if error and named else ""
    return {"driver": True, "error": error, "error_name": name, "cuda": version, "devices": tuple(devices)}


def _device(cuda: Any, index: int) -> Device:
    handle, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    name, memory = ctypes.create_string_buffer(256), ctypes.c_size_t()
    cuda.cuDeviceGet(ctypes.byref(handle), index)
    cuda.cuDeviceGetName(name, len(name), handle)
    cuda.cuDeviceGetAttribute(ctypes.byref(major), CAPABILITY_MAJOR, handle)
    cuda.cuDeviceGetAttribute(ctypes.byref(minor), CAPABILITY_MINOR, handle)
    cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), handle)
    return Device(name.value.decode(errors="replace"), (major.value, minor.value), memory.value)


def _ask_nvml() -> tuple[str, tuple[Device, ...]]:
    """Version of the driver and its cards; none where NVML does not start, as in most containers without their GPU."""
    try:
        import pynvml
    except ImportError:
        return "", ()
    version, cards = "", []
    with contextlib.suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        version = _text(pynvml.nvmlSystemGetDriverVersion())
        for index in range(pynvml.nvmlDeviceGetCount()):
            with contextlib.suppress(pynvml.NVMLError):  # this card is broken, or not allowed here
                handle = pynvml.nvmlDeviceGetHandleByIndex(index)
                capability = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
                memory_bytes = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
                cards.append(Device(_text(pynvml.nvmlDeviceGetName(handle)), tuple(capability), memory_bytes))
        pynvml.nvmlShutdown()
    return version, tuple(cards)


def _text(answer: str | bytes) -> str:
    """A string of NVML: bytes in the version that comes with RAPIDS 23.12."""
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def _kernel_module() -> str:
    """Version of the module, which a container shows even where it hides the driver's libraries."""
    try:
        match = re.search(r"\d+\.\d+(\.\d+)?", Path("/proc/driver/nvidia/version").read_text())
    except OSError:
        return ""
    return match.group() if match else "of unknown version"


def _container() -> str:
    if "APPTAINER_CONTAINER" in os.environ or "SINGULARITY_CONTAINER" in os.environ:
        return "apptainer"
    marks = {"/.singularity.d": "apptainer", "/run/.containerenv": "podman", "/.dockerenv": "docker"}
    return next((kind for mark, kind in marks.items() if os.path.exists(mark)), "")  # noqa: PTH110 - never raises


def _packages() -> tuple[Package, ...]:
    from importlib import metadata

    packages = []
    for library in LIBRARIES:
        wheels = "cupy-cuda{}x" if library == "cupy" else f"{library}-cu{{}}"
        for name in (library, *(wheels.format(major) for major in CUDA_MAJORS)):
            try:
                packages.append(Package(name, metadata.version(name) or ""))  # broken metadata have no version
            except (metadata.PackageNotFoundError, KeyError, OSError):
                continue
    return tuple(packages)


def _conda_cuda() -> int | None:
    """CUDA major of conda's package ``cuda-version``, which its RAPIDS depends on."""
    names = (path.name for path in Path(sys.prefix, "conda-meta").glob("cuda-version-*.json"))
    majors = [int(match.group(1)) for name in names if (match := re.match(r"cuda-version-(\d+)\.", name))]
    return majors[0] if majors else None
