"""DeepLabCut files: CSV and HDF5, of one animal and of several; other programs write the same CSV."""

from __future__ import annotations

from pathlib import Path

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import deeplabcut_csv
from bsoid_gpu.io.deeplabcut_header import (
    hdf5_columns,
    hdf5_table,
    layout,
    outline_hdf5,
    pose_of_columns,
    sniff_hdf5,
)
from bsoid_gpu.io.reader import Reader, Request
from bsoid_gpu.pose import Pose


def parse_hdf5(data: bytes, path: Path, request: Request) -> Pose:
    """Parse an HDF5 file as pandas writes it, in table or fixed format, under any key."""
    table = hdf5_table(data, path)
    chosen = layout(hdf5_columns(table), request, path)
    try:
        numbers = table.iloc[:, chosen.columns].to_numpy(dtype=float)
    except (ValueError, TypeError) as error:
        msg = f"{str(path)!r}: not all cells are numbers: {error}"
        raise BadInput(msg) from error
    return pose_of_columns(request.backend.asarray(numbers), chosen, path, request)


READERS = (
    *deeplabcut_csv.READERS,
    Reader("DeepLabCut HDF5", (".h5", ".hdf5"), sniff_hdf5, parse_hdf5, outline_hdf5),
)
