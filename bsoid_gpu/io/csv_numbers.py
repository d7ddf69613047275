"""The numeric body of a CSV file: pyarrow on the CPU, cuDF on a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.backends.cuda import CudaBackend

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.typing import Array

MISSING = ["", "NaN", "nan", "NA"]  # cells without a number


def read_numbers(data: bytes, skip_rows: int, columns: list[int], backend: Backend) -> Array:
    """Parse the numeric body of a CSV file.

    Parameters
    ----------
    data
        Content of the file.
    skip_rows
        Header lines to skip.
    columns
        Positions of the wanted columns, ascending.
    backend
        Holds the numbers.

    Returns
    -------
    Array
        (rows, columns) float64; an empty cell is NaN, an empty line is not a row.

    Raises
    ------
    ValueError
        A cell that is not a number, or a row of another length.
    """
    if isinstance(backend, CudaBackend):
        from bsoid_gpu.io import csv_cuda

        return csv_cuda.read_numbers(data, skip_rows, columns, MISSING, backend)
    return backend.asarray(_by_pyarrow(data, skip_rows, columns))


def _by_pyarrow(data: bytes, skip_rows: int, columns: list[int]) -> NDArray[np.float64]:
    import pyarrow as pa
    from pyarrow import csv

    if not data.endswith(b"\n"):
        data += b"\n"  # else pyarrow reads a single row as none
    names = [f"f{column}" for column in columns]
    table = csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(skip_rows=skip_rows, autogenerate_column_names=True),
        convert_options=csv.ConvertOptions(
            include_columns=names,
            column_types=dict.fromkeys(names, pa.float64()),
            null_values=MISSING,
        ),
    )
    numbers = np.empty((table.num_rows, len(names)))
    for i, name in enumerate(names):
        numbers[:, i] = table[name].to_numpy()
    return numbers
