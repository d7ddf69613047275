"""The body of a CSV file, read by cuDF into device memory."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.backends import device_memory

if TYPE_CHECKING:
    from bsoid_gpu.backends.cuda import CudaBackend
    from bsoid_gpu.typing import Array


def read_numbers(data: bytes, skip_rows: int, columns: list[int], missing: list[str], backend: CudaBackend) -> Array:
    """Parse the body of a CSV file with cuDF; ``missing`` are cells without a number."""
    _check_rows(data, skip_rows)
    with backend.room(f"a file of {len(data) / 1e6:.0f} MB", device_memory.table(len(data))):
        # types are inferred: with a given type, cuDF silently reads text as a missing number
        frame = backend.library("cudf").read_csv(
            io.BytesIO(data),
            header=None,
            skiprows=skip_rows,
            usecols=columns,
            na_values=missing,
            keep_default_na=False,
        )
        for name in frame.columns:
            column = frame[name]
            if column.dtype.kind not in "iuf" and not bool(column.isnull().all()):
                msg = f"column {name} is not numeric"
                raise ValueError(msg)
        numbers = frame.astype("float64").to_cupy(na_value=float("nan"))
    return backend.cupy.ascontiguousarray(numbers)


def _check_rows(data: bytes, skip_rows: int) -> None:
    """Raise ``ValueError`` if rows differ in length: cuDF silently fills short rows and cuts long ones."""
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
    if len(commas) and np.ptp(commas):
        msg = f"rows have {commas.min() + 1} to {commas.max() + 1} cells"
        raise ValueError(msg)
