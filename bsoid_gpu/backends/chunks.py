"""How many rows of an array are computed at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from array_api_compat import array_namespace, is_numpy_array

if TYPE_CHECKING:
    from bsoid_gpu.typing import Array

HOST_ROWS = 16_384  # 36 columns of this length are 4.7 MB, about the cache of a core
DEVICE_BYTES = 1 << 26  # moving them takes ten times as long as the launch of a kernel, and memory remains


def rows_per_chunk(array: Array, columns: int) -> int:
    """Rows of a chunk of a computation on this array whose widest intermediate array has ``columns`` float64 columns.

    On the host a chunk stays in the cache. On a device every operation of a chunk is a kernel to launch, so that chunks
    are as large as their memory allows.
    """
    return HOST_ROWS if is_numpy_array(array) else max(1, DEVICE_BYTES // (8 * columns))


def in_chunks(function: Callable[[Array], Array], rows: Array, size: int) -> Array:
    """Results of a function of rows (rows, columns), computed ``size`` rows at a time; once, if there are no rows."""
    xp, number = array_namespace(rows), rows.shape[0]
    starts = range(0, max(number, 1), size)
    return xp.concat([function(rows[i : min(i + size, number), :]) for i in starts])
