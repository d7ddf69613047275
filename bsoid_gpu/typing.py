"""Types that every room shares."""

from __future__ import annotations

from typing import Any, TypeAlias

Array: TypeAlias = Any
"""An array of the backend's library: ``numpy.ndarray`` or ``cupy.ndarray``."""
