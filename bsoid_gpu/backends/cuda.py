"""The CUDA backend: CuPy arrays on a GPU, with RAPIDS from 23.12, the last release for P100, to 26.x."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

from bsoid_gpu import machine
from bsoid_gpu.backends.device_memory import FEWER
from bsoid_gpu.errors import BackendUnavailable, BadInput, OutOfMemory

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from bsoid_gpu.typing import Array

POOL = "BSOID_GPU_RMM_POOL"  # environment variable: 1 or gigabytes, for a memory pool of RMM
FIRST_POOL_BYTES = 1 << 28  # it grows on demand; without a size it would begin with half the card
# imported at once, to fail early, and before the allocator is chosen: cuDF chooses another one when it is imported
USED = (
    "cupy",
    "rmm",
    "rmm.allocators.cupy",
    "cudf",
    "cuml",
    "cuml.cluster",
    "cuml.cluster.hdbscan",
    "cuml.ensemble",
    "cuml.manifold",
    "cuml.neighbors",
    "numba.cuda",
)
FULL = ("out_of_memory", "out of memory", "bad_alloc", "cudaErrorMemoryAllocation")


class CudaBackend:
    """CuPy arrays on the first visible GPU.

    Raises
    ------
    BackendUnavailable
        A library is missing or broken, or the device does not compute.
    """

    name = "cuda"
    stacks_fits = True  # one by one, they are bound by the launches of their kernels

    def __init__(self) -> None:
        try:
            for name in USED:
                self.library(name)
            self.cupy = self.library("cupy")
        except Exception as error:  # a half-installed RAPIDS raises anything
            msg = (
                f"RAPIDS does not import ({type(error).__name__}: {error}): install it again, "
                "pip install --force-reinstall 'bsoid-gpu[cuda12]', or mamba env create -f environment.yml"
            )
            raise BackendUnavailable(msg) from error
        try:
            self._pool = _allocator.chosen(os.environ.get(POOL, ""))
            total = int(self.cupy.arange(1000).sum().get())
        except (BadInput, MemoryError):
            raise
        except Exception as error:  # each layer of the driver raises different exceptions
            msg = f"the GPU does not compute ({type(error).__name__}: {error}): see whether nvidia-smi shows it"
            raise BackendUnavailable(msg) from error
        if total != 499_500:
            msg = f"the GPU computes wrongly: 0 + 1 + ... + 999 gave {total}; take another one (CUDA_VISIBLE_DEVICES)"
            raise BackendUnavailable(msg)
        self.release = tuple(int(part) for part in self.library("cuml").__version__.split(".")[:2])

    @property
    def threads(self) -> int:
        """Cores that this process may use."""
        return machine.cores()

    def library(self, name: str) -> ModuleType:
        """A module of CuPy or RAPIDS, for an estimator that calls it."""
        return _imported(name)

    def describe(self) -> dict[str, str]:
        """Card, driver, memory and versions."""
        runtime = self.cupy.cuda.runtime
        card = runtime.getDeviceProperties(0)
        libraries = {name: self.library(name) for name in ("cupy", "cudf", "cuml")}
        return {
            "name": self.name,
            "card": card["name"].decode(),
            "capability": f"{card['major']}.{card['minor']}",
            "driver_cuda": _version(runtime.driverGetVersion()),
            "runtime_cuda": _version(runtime.runtimeGetVersion()),
            "memory_gb": f"{card['totalGlobalMem'] / 1e9:.1f}",
            "memory_pool": self._pool,
            **{name: library.__version__ for name, library in libraries.items()},
        }

    def __reduce__(self) -> tuple[type[CudaBackend], tuple[()]]:
        """In another process it is created again, on the GPU there."""
        return CudaBackend, ()

    def asarray(self, values: NDArray[Any]) -> Array:
        """Move to the device."""
        with self.room(f"an array of {values.nbytes / 1e9:.2f} GB and what is computed from it", 4 * values.nbytes):
            return self.cupy.asarray(values)

    def to_host(self, values: Array) -> NDArray[Any]:
        """Move to the host."""
        return self.cupy.asnumpy(values)

    def map(self, jobs: Sequence[Callable[[], Any]]) -> Iterator[Any]:
        """Run the jobs one after the other: they share the device and its memory."""
        return (job() for job in jobs)

    def repeatable(self) -> contextlib.nullcontext[None]:
        """Do nothing: sums on the device have one order."""
        return contextlib.nullcontext()

    def table(self, columns: Mapping[str, Any]) -> Any:
        """A cuDF frame of columns in device memory or on the host."""
        return self.library("cudf").DataFrame(dict(columns))

    def free_bytes(self) -> int:
        """Free bytes of device memory, after CuPy has released its unused blocks."""
        self.cupy.get_default_memory_pool().free_all_blocks()
        return int(self.cupy.cuda.runtime.memGetInfo()[0])

    @contextlib.contextmanager
    def room(self, what: str, needed: int, remedy: str = FEWER) -> Iterator[None]:
        """Compute if the device memory suffices.

        Raises
        ------
        OutOfMemory
            The estimate exceeds the free memory, or memory runs out despite the estimate.
        """
        free = self.free_bytes()
        estimate = f"{what} needs about {needed / 1e9:.1f} GB of device memory; {free / 1e9:.1f} GB are free"
        if self._pool == CUPY_POOL and needed > free:
            msg = f"{estimate}: {remedy}"
            raise OutOfMemory(msg)
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, MemoryError) or any(word in str(error) for word in FULL):
                msg = f"{estimate}, and that was not enough: {remedy}"
                raise OutOfMemory(msg) from error
            raise


CUPY_POOL = "CuPy"


class _Allocator:
    """The allocator of device memory, chosen once a process: another choice would be undefined with memory in use.

    Importing cuDF sets CuPy's allocator to RMM's, whose default asks the driver for every temporary array, and waits
    for the device to free it. CuPy's own pool is the default here, RMM's pool for all libraries a choice.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._name = ""

    def chosen(self, size: str) -> str:
        """Description of the allocator; the first call chooses it by the size of RMM's pool, in gigabytes or 1."""
        with self._lock:
            if not self._name:
                self._name = self._choose(size)
            return self._name

    def _choose(self, size: str) -> str:
        cupy = _imported("cupy")
        if size in ("", "0"):
            cupy.cuda.set_allocator(cupy.get_default_memory_pool().malloc)
            return CUPY_POOL
        try:
            size_bytes = FIRST_POOL_BYTES if size == "1" else int(float(size) * 1e9) // 256 * 256
        except ValueError as error:
            msg = f"{POOL} is {size!r}; expected 1 or gigabytes, for example {POOL}=8"
            raise BadInput(msg) from error
        _imported("rmm").reinitialize(pool_allocator=True, initial_pool_size=size_bytes)
        cupy.cuda.set_allocator(_imported("rmm.allocators.cupy").rmm_cupy_allocator)
        return f"RMM, {size_bytes / 1e9:.1f} GB at first"


_allocator = _Allocator()


def _imported(name: str) -> ModuleType:
    """A module, without what its import warns of: deprecations among the libraries themselves."""
    if name in sys.modules:
        return sys.modules[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(name)


def _version(number: int) -> str:
    """Version number in words: CUDA writes 12.4 as 12040."""
    return f"{number // 1000}.{number % 1000 // 10}"


def missing() -> list[str]:
    """Modules that this backend imports and that are not installed; nothing is imported, as that may need a driver."""
    return [name for name in USED if not _is_installed(name)]


def _is_installed(name: str) -> bool:
    folders = None  # those of Python
    for part in name.split("."):
        spec = PathFinder.find_spec(part, folders)
        if spec is None or spec.origin is None:  # a folder without a module may remain of an uninstalled package
            return False
        folders = list(spec.submodule_search_locations or ())
    return True
