"""Fakes of CuPy, cuDF, cuML and RMM that compute on the host and are as strict as a device.

Their signatures come from the recorded contract of a release; calls that the release refuses fail. Arrays refuse every
conversion that CuPy refuses, and those that make it wait for the device silently; the ledger counts the transfers
between host and device.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import array_api_compat
import numpy as np
import pytest

from fake_rapids import contract, fake_cudf, fake_cuml, fake_cupy

CARD = {"name": b"Pretend V100", "major": 7, "minor": 0, "totalGlobalMem": 16 * 10**9}


@dataclass
class Ledger:
    """Transfers in bytes, and calls with their arguments."""

    to_device: list[int] = field(default_factory=list)
    to_host: list[int] = field(default_factory=list)
    calls: list[tuple[str, dict]] = field(default_factory=list)
    free_bytes: int = 15 * 10**9
    fails: dict[str, Exception] = field(default_factory=dict)  # by name of the call

    def called(self, name, arguments):
        self.calls.append((name, arguments))
        if name in self.fails:
            raise self.fails[name]

    def arguments_of(self, name):
        return [arguments for called, arguments in self.calls if called == name]


def install(monkeypatch, release):
    """Make the fakes of a release, ``"23.12"`` or ``"26.10"``, importable; returns their ledger."""
    if release != "23.12" and np.__version__ < "2":
        pytest.skip(f"RAPIDS {release} needs NumPy 2")
    ledger = Ledger()
    api = contract.load(release)
    modules = fake_cupy.modules(api, ledger)
    modules |= fake_cudf.modules(api, ledger, modules["cupy"])
    modules |= fake_cuml.modules(api, ledger, modules["cupy"])
    for name in list(sys.modules):
        if name.split(".")[0] in ("cupy", "cudf", "cuml", "rmm") or name.startswith("array_api_compat.cupy"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(array_api_compat, "cupy", raising=False)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(modules[parent], child, module)
    return ledger
