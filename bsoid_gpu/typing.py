"""Types shared by all modules."""

from __future__ import annotations

from typing import Any, TypeAlias

Array: TypeAlias = Any
"""Array of the backend's library: ``numpy.ndarray`` or ``cupy.ndarray``."""
