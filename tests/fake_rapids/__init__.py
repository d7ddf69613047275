"""Stand-ins for CuPy, cuDF, cuML and RMM: on the host, as strict as a device, and as wrong as cuML.

Their signatures come from the recorded contract of a release; calls that the release refuses fail. Arrays refuse every
conversion that CuPy refuses, and those that make it wait for the device silently. Estimators compute with the rounding,
the shortcuts and the randomness of cuML, see ``cuml_hdbscan``, ``cuml_neighbours`` and ``cuml_umap``. The ledger counts
transfers between host and device, and allocations.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from bsoid_gpu.backends import cuda
from fake_rapids import allocation, contract, fake_cudf, fake_cuml, fake_cupy, importing

CARD = {"name": b"Pretend V100", "major": 7, "minor": 0, "totalGlobalMem": 16 * 10**9}


@dataclass
class Ledger:
    """Transfers in bytes, allocations, and calls with their arguments."""

    to_device: list[int] = field(default_factory=list)
    to_host: list[int] = field(default_factory=list)
    calls: list[tuple[str, dict]] = field(default_factory=list)
    arrays: int = 0  # device arrays made
    driver_allocations: int = 0  # of these, each by a cudaMalloc of its own
    free_bytes: int = 15 * 10**9
    card: dict = field(default_factory=lambda: dict(CARD))
    fails: dict[str, Exception] = field(default_factory=dict)  # by name of the call

    def called(self, name, arguments):
        self.calls.append((name, arguments))
        if name in self.fails:
            raise self.fails[name]

    def arguments_of(self, name):
        return [arguments for called, arguments in self.calls if called == name]


def install(monkeypatch, release, *, with_hdbscan=False):
    """Make the stand-ins of a release, ``"23.12"`` or ``"26.10"``, importable; returns their ledger.

    Nothing is imported yet: the imports take effect, and warn, where the code imports.
    """
    if release != "23.12" and np.__version__ < "2":
        pytest.skip(f"RAPIDS {release} needs NumPy 2")
    ledger, recorded = Ledger(), contract.load(release)
    memory = allocation.Allocation(ledger)
    ndarray, unwrap = fake_cupy.array_class(ledger, memory)
    bodies = fake_cupy.bodies(recorded, ledger, memory, ndarray, unwrap)
    bodies |= allocation.bodies(recorded, ledger, memory)
    bodies |= fake_cudf.bodies(recorded, ledger, ndarray)
    bodies |= fake_cuml.bodies(recorded, ledger, ndarray)
    monkeypatch.setattr(cuda, "_allocator", cuda._Allocator())  # of this process
    importing.replace(monkeypatch, bodies, with_hdbscan=with_hdbscan)
    fake_cupy.replace_layout(monkeypatch, ndarray)
    return ledger
