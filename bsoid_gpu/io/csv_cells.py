"""Cells of a CSV file line by line, which is slow: what cannot be parsed, and empty cells at the end of rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from bsoid_gpu.io.csv_diagnosis import HEADER_NAMES, is_number, numbered_rows
from bsoid_gpu.io.csv_numbers import MISSING

MAX_PROBLEMS = 5  # in a message
IMAGE = re.compile(r"\.(png|jpe?g|tiff?|bmp)$|labeled-data", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def body_rows(data: bytes, header_lines: int) -> list[tuple[int, list[str]]]:
    """Number of the line and cells of each row after the header.

    Raises
    ------
    csv.Error
        A cell that is too long.
    """
    return [(line, row) for line, row in numbered_rows(data) if line > header_lines]


def is_blank(row: list[str]) -> bool:
    """Whether no cell of a row holds anything."""
    return all(cell.strip() in MISSING for cell in row)


def is_image(cell: str) -> bool:
    """Whether a cell names an image."""
    return bool(IMAGE.search(cell))


def trimmed(data: bytes, header_lines: int, cells: int) -> tuple[bytes, int]:
    """The same lines without empty cells after the first ``cells``, and how many lines had some.

    Rows without anything get as many cells.
    """
    lines = data.splitlines()
    shortened = 0
    empty_row = b"," * (cells - 1)
    for i, line in enumerate(lines[header_lines:], start=header_lines):
        if line.count(b",") == cells - 1 or not line.strip():
            continue
        if not line.strip(b', "\t'):
            lines[i] = empty_row
        elif (surplus := line.count(b",") - (cells - 1)) > 0 and line.endswith(b"," * surplus):
            lines[i] = line[:-surplus]
            shortened += 1
    return b"\n".join(lines) + b"\n", shortened


def cell_problems(data: bytes, header_lines: int, cells: int, columns: Mapping[int, str]) -> list[str]:
    """The first rows and cells that cannot be used.

    Parameters
    ----------
    data
        Content of the file.
    header_lines
        Lines before the first frame.
    cells
        Cells that a row should have.
    columns
        Position and name of each column that is read.
    """
    problems = list(islice(_each_problem(data, header_lines, cells, columns), MAX_PROBLEMS + 1))
    return problems if len(problems) <= MAX_PROBLEMS else [*problems[:MAX_PROBLEMS], "there are more"]


def _each_problem(data: bytes, header_lines: int, cells: int, columns: Mapping[int, str]) -> Iterator[str]:
    try:
        for line, row in numbered_rows(data):
            if line <= header_lines or is_blank(row):
                continue
            if kind := _kind_of_table(line, row, cells):  # of all rows: one message is enough
                yield kind
                return
            if len(row) != cells:
                yield f"line {line} has {len(row)} cells; expected {cells}: is the file cut short?"
                continue
            if row[0] not in MISSING and not is_number(row[0]):
                yield f"line {line}: {row[0][:40]!r} is not a frame number"
            for column, name in columns.items():
                if row[column] not in MISSING and not is_number(row[column]):
                    yield f"line {line}, {name}: {row[column][:40]!r} is not a number"
    except csv.Error as error:
        yield str(error)


def _kind_of_table(line: int, row: list[str], cells: int) -> str:
    """What is wrong with all of a table, where one row shows it."""
    if row[0].strip() in HEADER_NAMES:
        return f"line {line} begins with {row[0]!r}, as a header does: are two files joined? Separate them"
    if is_image(row[0]):
        return (
            f"line {line} begins with {row[0][-60:]!r}, the name of an image; expected a frame number: images that "
            "were chosen for labelling are no recording; give the file of the tracked video"
        )
    if any(map(DECIMAL_COMMA.fullmatch, row)):
        cell = next(filter(DECIMAL_COMMA.fullmatch, row))
        return f"line {line}: the numbers have ',' as the decimal sign ({cell[:40]!r}): save the file with '.' in them"
    if len(row) == 2 * cells - 1:
        return f"line {line} has {len(row)} cells; expected {cells}: is ',' the decimal sign? Save the file with '.'"
    return ""
