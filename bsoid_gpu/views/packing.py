"""Arrays as text for the page."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = -32768  # of int16


def packed(array: NDArray[Any]) -> dict[str, Any]:
    """An array for JSON: type, shape, and its bytes in little endian as base64."""
    array = np.ascontiguousarray(array)
    data = base64.b64encode(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()).decode()
    return {"type": array.dtype.name, "shape": list(array.shape), "data": data}
