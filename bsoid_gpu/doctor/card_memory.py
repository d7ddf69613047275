"""Used memory of a card, sampled by a process of its own.

Calls of older releases of cuML hold Python's lock: a thread of the process that computes would see nothing of them.
"""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from bsoid_gpu.backends.cuda import CudaBackend

SAMPLING_S = 0.005


class Peak:
    """``bytes`` that a block of code used beyond those used before; None if unknown."""

    def __init__(self) -> None:
        self.bytes: int | None = None


class Memory(Protocol):
    """Measures the peak of a block of code."""

    def peak(self) -> AbstractContextManager[Peak]:
        """A context whose :class:`Peak` is complete after the block."""
        ...


class NoMemory:
    """Measures nothing, where there is no card."""

    @contextmanager
    def peak(self) -> Iterator[Peak]:
        """A peak that stays unknown."""
        yield Peak()


class CardMemory:
    """Memory of the card of a CUDA backend, as NVML counts it for all its processes together.

    Unknown where NVML gives no such number, as for a part of a card (MIG).
    """

    def __init__(self, backend: CudaBackend, command: tuple[str, ...] = (sys.executable, "-m", __name__)) -> None:
        self._backend = backend
        bus_id = backend.cupy.cuda.runtime.deviceGetPCIBusId(0)
        self._process = subprocess.Popen(
            [*command, bus_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    @contextmanager
    def peak(self) -> Iterator[Peak]:
        """The peak of a block, which begins without unused blocks in CuPy's pool."""
        peak = Peak()
        self._backend.free_bytes()
        before = self._asked()
        try:
            yield peak
        finally:
            after = self._asked()
            if before is not None and after is not None:
                peak.bytes = max(0, after[0] - before[1])

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._process.communicate(timeout=10)

    def _asked(self) -> tuple[int, int] | None:
        """Peak since the last question, and bytes in use now."""
        with suppress(OSError, ValueError):
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write("\n")
            self._process.stdin.flush()
            peak, used = self._process.stdout.readline().split()
            return int(peak), int(used)
        return None


def watch(used: Callable[[], int], questions: TextIO, answers: TextIO) -> None:
    """Sample until the questions end; each line is answered by the peak since the last one, and the bytes in use."""
    peak = used()
    while True:
        asked, _, _ = select.select([questions], [], [], SAMPLING_S)
        now = used()
        peak = max(peak, now)
        if asked:
            if not questions.readline():
                return
            answers.write(f"{peak} {now}\n")
            answers.flush()
            peak = now


def main(bus_id: str) -> None:
    """Watch the card with that address."""
    import pynvml

    pynvml.nvmlInit()
    card = pynvml.nvmlDeviceGetHandleByPciBusId(bus_id)
    watch(lambda: int(pynvml.nvmlDeviceGetMemoryInfo(card).used), sys.stdin, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
