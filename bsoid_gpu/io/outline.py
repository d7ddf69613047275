"""How large a pose file is, without reading all of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import HDF5, deeplabcut

PIECE = 1 << 16  # bytes read in the middle of a CSV file, to learn how long its lines are


class Outline(NamedTuple):
    """Frames, about, and the names in a file."""

    frames: int
    keypoints: tuple[str, ...]
    individuals: int
    size: int


def outline(path: Path) -> Outline:
    """Outline of a DeepLabCut file; frames of a CSV file are estimated from the length of its lines.

    Raises
    ------
    BadInput
        It cannot be read, or is no file of DeepLabCut.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if path.suffix.lower() in HDF5:
                table = deeplabcut.hdf5_table(file.read(), path)
                columns, frames = deeplabcut.hdf5_columns(table), len(table)
            else:
                begin = file.read(deeplabcut.HEADER_BYTES)
                columns, header_lines, _ = deeplabcut.csv_header(begin, path)
                header = sum(map(len, begin.splitlines(keepends=True)[:header_lines]))
                file.seek(max(header, size // 2 - PIECE // 2), os.SEEK_SET)
                piece = file.read(PIECE)
                frames = round((size - header) * max(piece.count(b"\n"), 1) / max(len(piece), 1))
    except OSError as error:
        msg = f"cannot read {str(path)!r}: {error.strerror}"
        raise BadInput(msg) from error
    keypoints = tuple(dict.fromkeys(column.keypoint for column in columns))
    individuals = {column.individual for column in columns} - {deeplabcut.SHARED}
    return Outline(frames, keypoints, len(individuals), size)
