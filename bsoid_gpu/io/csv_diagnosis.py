"""What a file is instead of a DeepLabCut table, from its first bytes: the cause and the remedy, in one sentence."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice

HEADER_BYTES = 1 << 20  # a header is shorter
HEADER_NAMES = ("scorer", "individuals", "bodyparts", "coords")  # that begin the rows of a header
HEADERS = (
    HEADER_NAMES,
    ("scorer", "bodyparts", "coords"),
    ("individuals", "bodyparts", "coords"),  # DLC-live names no scorer
    ("bodyparts", "coords"),
)
EXPECTED = "expected the header rows 'scorer', 'bodyparts', 'coords' (for several animals 'individuals' after 'scorer')"
UNPACK = "unpack it and give the table inside"
EXPORT = "export the table as CSV in UTF-8"
RENAME = "give it the suffix"
SAVE = "save it with ',' between the cells and '.' in the numbers"
TRACKED = "give the file that the tracker wrote"
UTF8 = "save it in UTF-8"
MAGIC = {  # first bytes of formats that hold no text
    b"\x1f\x8b": f"is compressed by gzip: {UNPACK}",
    b"BZh": f"is compressed by bzip2: {UNPACK}",
    b"\xfd7zXZ\0": f"is compressed by xz: {UNPACK}",
    b"\x28\xb5\x2f\xfd": f"is compressed by Zstandard: {UNPACK}",
    b"7z\xbc\xaf\x27\x1c": f"is a 7-Zip archive: {UNPACK}",
    b"\x89HDF\r\n\x1a\n": f"is an HDF5 file: {RENAME} .h5",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": f"is an Excel workbook: {EXPORT}",
    b"\x93NUMPY": f"is a NumPy file: {RENAME} .npy",
}
WORKBOOKS = {b"[Content_Types].xml": "an Excel", b"opendocument": "an OpenDocument"}  # inside a zip archive
ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark begins it
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'", " ": "spaces"}
BEHAVIOUR_COLUMN = re.compile(r"behaviou?r|annotat|label|ethogram|\bevents?\b|\bbouts?\b", re.IGNORECASE)
FLAGS = {"0", "1", "0.0", "1.0", "false", "true"}
ROWS = 30  # of the beginning, to see what a table holds
SHOWN_NAMES = 4  # in a message


def why_not(beginning: bytes) -> str:
    """Why a file is no DeepLabCut table: what follows its name in a sentence, with the remedy; empty if it may be one.

    Parameters
    ----------
    beginning
        The first bytes; some 100 kB are enough for a header of any length.
    """
    return _binary(beginning) or _encoding(beginning) or _table(beginning)


def header_names(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Names that begin the header rows of a table; empty if these are not the rows of a DeepLabCut header."""
    names = tuple(row[0].strip() for row in rows[: len(HEADER_NAMES)])
    return next((wanted for wanted in HEADERS if names[: len(wanted)] == wanted), ())


def numbered_rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Number of the line and cells of each row that is not an empty line.

    Raises
    ------
    csv.Error
        A cell that is too long; the message names the line.
    """
    reader = csv.reader(line.decode("utf-8-sig", errors="replace") for line in data.splitlines(keepends=True))
    try:
        yield from ((reader.line_num, row) for row in reader if row)
    except csv.Error as error:
        msg = f"line {reader.line_num}: {error}"
        raise csv.Error(msg) from error


def is_number(cell: str) -> bool:
    """Whether a cell holds a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _binary(beginning: bytes) -> str:
    if beginning.startswith(b"PK\x03\x04"):
        workbook = next((name for mark, name in WORKBOOKS.items() if mark in beginning), "")
        return f"is {workbook} workbook: {EXPORT}" if workbook else f"is a zip archive: {UNPACK}"
    return next((reason for mark, reason in MAGIC.items() if beginning.startswith(mark)), "")


def _encoding(beginning: bytes) -> str:
    if marked := next((name for mark, name in ENCODINGS.items() if beginning.startswith(mark)), ""):
        return f"is text in {marked}: {UTF8}"
    zeros = beginning.count(0)
    if zeros and max(beginning[::2].count(0), beginning[1::2].count(0)) == zeros > len(beginning) // 3:
        return f"is text in UTF-16: {UTF8}"
    if zeros:
        return f"is no text: it holds zero bytes; {EXPECTED}"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)  # may end within a character
    except UnicodeDecodeError as error:
        line = beginning.count(b"\n", 0, error.start) + 1
        return f"is not text in UTF-8 (line {line} has the byte 0x{beginning[error.start]:02X}): {UTF8}; {EXPECTED}"
    return ""


def _table(beginning: bytes) -> str:
    rows: list[list[str]] = []
    reason = f"has no text; {EXPECTED}"
    try:
        for _, row in islice(numbered_rows(beginning), ROWS):
            rows.append(row)
    except csv.Error as error:
        reason = f"is no table: {error}; {EXPECTED}"
    if header_names(rows):
        return ""
    if not rows:
        return reason
    text = beginning.decode("utf-8-sig", errors="ignore")
    return _separated(text, rows[0]) or f"is not a DeepLabCut file: {_content(rows)}; {EXPECTED}: {TRACKED}"


def _separated(text: str, first: list[str]) -> str:
    """Why the cells of a table are not separated, where other signs than commas or quotes do so."""
    if len(first) == 1 and first[0].startswith("scorer,"):
        return f"has each line in quotes, as one cell: {SAVE}, without these quotes"
    if len(first) > 1 and first[0] in HEADER_NAMES:
        return ""
    line = text.lstrip().partition("\n")[0]
    separator = max(SEPARATORS, key=line.count)
    if line.count(separator) <= line.count(",") or (separator == " " and not line.startswith("scorer ")):
        return ""
    decimals = " and ',' as the decimal sign" if re.search(rf"{re.escape(separator)}-?\d+,\d", text) else ""
    return f"has its cells separated by {SEPARATORS[separator]}{decimals}: {SAVE}; {EXPECTED}"


def _content(rows: list[list[str]]) -> str:
    """What a table without DeepLabCut's header is."""
    names, body = rows[0], rows[1:]
    if names[0] == "Observation id" or any({"Behavior", "Behavioral category"} <= set(row) for row in rows):
        return "it is a table of behaviours as BORIS writes it, without positions"
    if any({"length", "orientation"} <= {cell.lower() for cell in row} for row in rows[:4]):
        return "it is a table of lengths and orientations as DeepLabCut writes it for a skeleton, without positions"
    if len(set(HEADER_NAMES) & {row[0].strip() for row in rows[:4]}) > 1:
        return "its first lines begin with " + ", ".join(repr(row[0][:40]) for row in rows[:4])
    if names[1:2] == ["scorer"]:
        return "it has a column before 'scorer', which must be deleted"
    if all(map(is_number, filter(None, names))):
        return "it is a table without a header"
    if len(names) == 1 or names[0][:1] in ("{", "[", "<"):
        return f"it begins with {names[0][:40]!r}"
    listed = ", ".join(repr(name[:40]) for name in names[:SHOWN_NAMES]) + (", ..." if len(names) > SHOWN_NAMES else "")
    if any(map(BEHAVIOUR_COLUMN.search, names)):
        return f"it is a table of behaviours with the columns {listed}, without positions"
    if body and all(cell.strip().lower() in FLAGS for row in body for cell in row[1:]):
        return f"it is a table of zeros and ones with the columns {listed}, such as behaviours, without positions"
    return f"it is a table with one header row ({listed})"
