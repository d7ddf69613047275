"""Device memory: the allocators of CuPy and RMM, which only count."""

import warnings

from fake_rapids.contract import bind


class MemoryPool:
    """CuPy's pool: it keeps what is freed, so that arrays of repeated sizes cost no call of the driver."""

    def __init__(self, allocator=None):
        self.arrays = 0

    def malloc(self, size):
        self.arrays += 1

    def free_all_blocks(self, stream=None):
        return None


class Allocation:
    """Who allocates the device arrays, and what that cost."""

    def __init__(self, ledger):
        self._ledger = ledger
        self.default_pool = MemoryPool()
        self.allocator = self.default_pool.malloc
        self.rmm_pool = False

    def array(self, nbytes):
        """A new device array."""
        self._ledger.arrays += 1
        self.allocator(nbytes)

    def driver(self, size):
        """One cudaMalloc, whose cudaFree will wait for the device."""
        self._ledger.driver_allocations += 1

    def rmm(self, nbytes):
        """RMM's allocator for CuPy: without a pool of its own, one cudaMalloc for every array."""
        if not self.rmm_pool:
            self.driver(nbytes)

    def set_allocator(self, allocator=None):
        self.allocator = self.driver if allocator is None else allocator

    def get_allocator(self):
        return self.allocator

    def reinitialize(self, pool_allocator=False, managed_memory=False, initial_pool_size=None, **_):
        """Replace RMM's resource; with memory in use, real RMM goes on with freed memory."""
        if self.rmm_pool or self._ledger.arrays:
            msg = "rmm.reinitialize with memory in use: undefined behaviour"
            raise RuntimeError(msg)
        self.rmm_pool = pool_allocator
        if pool_allocator:
            total = self._ledger.card["totalGlobalMem"]
            self._ledger.free_bytes -= total // 2 if initial_pool_size is None else initial_pool_size


def bodies(recorded, ledger, allocation):
    """Bodies of the modules of RMM."""
    api = recorded["api"]

    def reinitialize(*arguments, **keywords):
        arguments_by_name = bind(api["rmm.reinitialize"], arguments, keywords)
        ledger.called("rmm.reinitialize", arguments_by_name)
        allocation.reinitialize(**arguments_by_name)

    def rmm(module):
        module.__version__ = recorded["versions"]["rmm"]
        module.reinitialize = reinitialize

    def cupy_allocators(module):
        module.rmm_cupy_allocator = allocation.rmm

    return {"rmm": rmm, "rmm.allocators": lambda _: None, "rmm.allocators.cupy": cupy_allocators}


def take_over():
    """What the import of cuDF, and in newer releases of cuML, does: CuPy allocates by RMM."""
    import cupy
    from rmm.allocators.cupy import rmm_cupy_allocator

    cupy.cuda.set_allocator(rmm_cupy_allocator)


def warn(name, category):
    """A warning like those of the libraries that RAPIDS imports."""
    warnings.warn(f"{name} was imported: something in it is deprecated or slow", category, stacklevel=2)
