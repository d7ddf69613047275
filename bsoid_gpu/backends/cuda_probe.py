"""What CUDA would meet on this machine, asked of the driver and of the installed packages without importing them.

Only facts, collected in a moment and without raising; :mod:`bsoid_gpu.backends.cuda_diagnosis` judges them.
"""

from __future__ import annotations

import ctypes
import os
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
    """A device that the driver shows."""

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
        found = re.search(r"-cu(?:da)?(\d\d)", self.name)
        return int(found.group(1)) if found else None


@dataclass(frozen=True)
class Survey:
    """The facts.

    ``driver``: libcuda.so.1 is there; ``error`` and ``error_name``: what cuInit gave; ``cuda``: the newest that the
    driver supports; ``visible``: CUDA_VISIBLE_DEVICES; ``module``: version of the kernel's NVIDIA module;
    ``conda_cuda``: CUDA major of the conda environment.
    """

    driver: bool = False
    error: int = 0
    error_name: str = ""
    cuda: tuple[int, int] = (0, 0)
    devices: tuple[Device, ...] = ()
    visible: str | None = None
    module: str = ""
    container: str = ""
    slurm_job: bool = False
    slurm_gpu: bool = False
    packages: tuple[Package, ...] = ()
    conda_cuda: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The facts as JSON can write them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Survey:
        """The survey whose :meth:`to_dict` this is, also after its way through JSON."""
        devices = [Device(**{**item, "capability": tuple(item["capability"])}) for item in told.get("devices", ())]
        packages = [Package(**item) for item in told.get("packages", ())]
        cuda = tuple(told.get("cuda", (0, 0)))
        return cls(**{**told, "devices": tuple(devices), "packages": tuple(packages), "cuda": cuda})

    @property
    def majors(self) -> set[int]:
        """CUDA majors of the installed packages."""
        return {major for package in self.packages if (major := package.cuda or self.conda_cuda)}

    @property
    def rapids(self) -> tuple[int, int] | None:
        """Release of the installed RAPIDS, such as (26, 10)."""
        versions = {package.library: package.version for package in self.packages}
        found = re.match(r"(\d+)\.(\d+)", versions.get("cuml", versions.get("cudf", "")))
        return (int(found.group(1)), int(found.group(2))) if found else None


def survey() -> Survey:
    """Collect the facts."""
    environment = os.environ
    return Survey(
        **_ask_driver(),
        visible=environment.get("CUDA_VISIBLE_DEVICES"),
        module=_kernel_module(),
        container=_container(),
        slurm_job="SLURM_JOB_ID" in environment,
        slurm_gpu=any(environment.get(f"SLURM_{name}", "0") not in ("", "0") for name in SLURM_GPUS),
        packages=_packages(),
        conda_cuda=_conda_cuda(),
    )


def _ask_driver() -> dict[str, Any]:
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


def _kernel_module() -> str:
    try:
        found = re.search(r"\d+\.\d+(\.\d+)?", Path("/proc/driver/nvidia/version").read_text())
    except OSError:
        return ""
    return found.group() if found else "of unknown version"


def _container() -> str:
    if "APPTAINER_CONTAINER" in os.environ or "SINGULARITY_CONTAINER" in os.environ:
        return "apptainer"
    marks = {"/.singularity.d": "apptainer", "/run/.containerenv": "podman", "/.dockerenv": "docker"}
    return next((kind for mark, kind in marks.items() if os.path.exists(mark)), "")  # noqa: PTH110 - never raises


def _packages() -> tuple[Package, ...]:
    from importlib import metadata

    found = []
    for library in LIBRARIES:
        wheels = "cupy-cuda{}x" if library == "cupy" else f"{library}-cu{{}}"
        for name in (library, *(wheels.format(major) for major in CUDA_MAJORS)):
            try:
                found.append(Package(name, metadata.version(name) or ""))  # broken metadata tell none
            except (metadata.PackageNotFoundError, KeyError, OSError):
                continue
    return tuple(found)


def _conda_cuda() -> int | None:
    """CUDA major of conda's package ``cuda-version``, which its RAPIDS depends on."""
    names = (path.name for path in Path(sys.prefix, "conda-meta").glob("cuda-version-*.json"))
    found = [match for name in names if (match := re.match(r"cuda-version-(\d+)\.", name))]
    return int(found[0].group(1)) if found else None
