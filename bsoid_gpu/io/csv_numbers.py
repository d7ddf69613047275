"""The numeric body of a CSV file, read by pyarrow and moved to the backend.

cuDF would read on the device, but adds decimal digits up in double: its numbers are not correctly rounded, text becomes
a missing number, and rows of another length are filled or cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.typing import Array

MISSING = ["", "NaN", "nan", "NA"]  # cells without a number


class Numbers(NamedTuple):
    """The first column, (rows,) float64 on the host, and others, (rows, columns) float64 on the backend."""

    first: NDArray[np.float64]
    others: Array


def read_numbers(
    data: bytes, skip_rows: int, columns: Sequence[int], backend: Backend, cells: int, empty: int = 0
) -> Numbers:
    """Parse the numeric body of a CSV file.

    Parameters
    ----------
    data
        Content of the file.
    skip_rows
        Header lines to skip.
    columns
        Positions of the wanted columns, ascending, without the first one at 0.
    backend
        Holds the numbers.
    cells
        Cells of each row.
    empty
        Further cells at the end of each row, which must be empty.

    Returns
    -------
    Numbers
        An empty cell is NaN, an empty line is not a row.

    Raises
    ------
    ValueError
        A cell that is not a number, a row of another length, or a filled cell among the empty ones.
    """
    first, others = _by_pyarrow(data, skip_rows, columns, cells, empty)
    return Numbers(first, backend.asarray(others))


def _by_pyarrow(
    data: bytes, skip_rows: int, columns: Sequence[int], cells: int, empty: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import pyarrow as pa
    from pyarrow import csv

    if not data.endswith(b"\n"):
        data += b"\n"  # else pyarrow reads a single row as none
    names = [f"f{column}" for column in range(cells + empty)]
    types = {names[column]: pa.float64() for column in (0, *columns)} | dict.fromkeys(names[cells:], pa.null())
    table = csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(skip_rows=skip_rows, column_names=names),
        convert_options=csv.ConvertOptions(include_columns=list(types), column_types=types, null_values=MISSING),
    )
    numbers = np.empty((table.num_rows, len(columns)))
    start = 0
    for batch in table.to_batches():  # small enough for the cache
        for i in range(len(columns)):
            numbers[start : start + batch.num_rows, i] = batch.column(i + 1).to_numpy(zero_copy_only=False)
        start += batch.num_rows
    return table["f0"].to_numpy(), numbers
