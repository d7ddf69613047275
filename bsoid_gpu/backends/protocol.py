"""The interface of a backend: arrays and devices."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from bsoid_gpu.typing import Array


class Backend(Protocol):
    """One array library on one device."""

    @property
    def name(self) -> str:
        """``"cpu"`` or ``"cuda"``."""
        ...

    @property
    def threads(self) -> int:
        """Threads that compiled loops on the host may use."""
        ...

    @property
    def stacks_fits(self) -> bool:
        """Whether several small fits are faster as one computation on larger arrays than one by one."""
        ...

    def describe(self) -> dict[str, str]:
        """Versions and device, for the manifest."""
        ...

    def asarray(self, values: NDArray[Any]) -> Array:
        """Move a host array to the backend; the only way to do so."""
        ...

    def to_host(self, values: Array) -> NDArray[Any]:
        """Move a backend array to the host; the only way to do so."""
        ...

    def map(self, jobs: Sequence[Callable[[], Any]]) -> Iterator[Any]:
        """Results of independent jobs, in order, as they complete; run in parallel if that is faster."""
        ...

    def repeatable(self) -> AbstractContextManager[Any]:
        """Context in which the same input gives the same bytes on any number of cores."""
        ...

    def table(self, columns: Mapping[str, Any]) -> Any:
        """Data frame of columns by name: of pandas, or of cuDF on a GPU."""
        ...

    def free_bytes(self) -> int:
        """Free memory for arrays, in bytes."""
        ...
