"""The body of a CSV file, read by cuDF into device memory."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.backends import device_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bsoid_gpu.backends.cuda import CudaBackend
    from bsoid_gpu.typing import Array


def read_numbers(
    data: bytes,
    skip_rows: int,
    columns: Sequence[int],
    missing: list[str],
    backend: CudaBackend,
    cells: int,
    empty: int,
) -> tuple[NDArray[np.float64], Array]:
    """Parse the body of a CSV file with cuDF; ``missing`` are cells without a number, see :mod:`.csv_numbers`."""
    _check_rows(data, skip_rows, cells + empty)
    with backend.room(f"a file of {len(data) / 1e6:.0f} MB", device_memory.table(len(data))):
        # types are inferred: with a given type, cuDF silently reads text as a missing number
        frame = backend.library("cudf").read_csv(
            io.BytesIO(data),
            header=None,
            skiprows=skip_rows,
            usecols=[0, *columns, *range(cells, cells + empty)],
            na_values=missing,
            keep_default_na=False,
        )
        for name in frame.columns:
            column = frame[name]
            is_numeric = column.dtype.kind in "iuf" and int(name) < cells
            if not is_numeric and not bool(column.isnull().all()):
                msg = f"column {name} is not {'numeric' if int(name) < cells else 'empty'}"
                raise ValueError(msg)
        numbers = frame.astype("float64").to_cupy(na_value=float("nan"))
    return backend.to_host(numbers[:, 0]), backend.cupy.ascontiguousarray(numbers[:, 1 : 1 + len(columns)])


def _check_rows(data: bytes, skip_rows: int, cells: int) -> None:
    """Raise ``ValueError`` if a row has not so many cells: cuDF silently fills short rows and cuts long ones."""
    start = 0
    for _ in range(skip_rows):
        start = data.index(b"\n", start) + 1
    text = np.frombuffer(data, dtype=np.uint8, offset=start)
    ends = np.flatnonzero(text == ord("\n"))
    if len(text) and text[-1] != ord("\n"):
        ends = np.append(ends, len(text))
    starts = np.append(0, ends[:-1] + 1)[: len(ends)]
    filled = (ends - starts > 1) | (text[np.minimum(starts, len(text) - 1)] > ord(" "))
    commas = np.add.reduceat(text == ord(","), starts, dtype=np.int64)[filled] if len(starts) else starts
    if np.any(commas != cells - 1):
        msg = f"rows have {commas.min() + 1} to {commas.max() + 1} cells; expected {cells}"
        raise ValueError(msg)
