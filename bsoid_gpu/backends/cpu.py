"""The CPU backend: NumPy arrays on the host."""

from __future__ import annotations

import platform
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from bsoid_gpu.typing import Array


class CpuBackend:
    """NumPy arrays on the host."""

    name = "cpu"
    stacks_fits = False  # each has a core, and its mini-batches stay in the cache

    @property
    def threads(self) -> int:
        """Cores that this process may use."""
        return machine.cores()

    def describe(self) -> dict[str, str]:
        """Processor and threads."""
        return {"name": self.name, "processor": platform.machine(), "threads": str(self.threads)}

    def asarray(self, values: NDArray[Any]) -> Array:
        """The array itself."""
        return np.asarray(values)

    def to_host(self, values: Array) -> NDArray[Any]:
        """The array itself."""
        return np.asarray(values)

    def map(self, jobs: Sequence[Callable[[], Any]]) -> Iterator[Any]:
        """Run the jobs in one thread per core; they must not write to shared arrays."""
        with ThreadPoolExecutor(self.threads) as pool:
            yield from pool.map(lambda job: job(), jobs)

    def repeatable(self) -> AbstractContextManager[Any]:
        """Limit BLAS to one thread, so that sums have one order; for small batches it is faster too."""
        from threadpoolctl import threadpool_limits

        return threadpool_limits(1, "blas")

    def table(self, columns: Mapping[str, Any]) -> Any:
        """A pandas frame of the columns."""
        import pandas as pd

        return pd.DataFrame(dict(columns))

    def free_bytes(self) -> int:
        """Free bytes of the machine's memory."""
        return machine.free_memory()
