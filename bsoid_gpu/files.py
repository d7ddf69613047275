"""Atomic files, their digests, and errors of the disk with their remedies."""

from __future__ import annotations

import contextlib
import csv
import errno
import hashlib
import io
import json
import os
import platform
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DIGEST_BYTES = 16
TEMPORARY = ".part"  # ending of files that are being written
LEFTOVER_AGE_S = 86_400.0
LONGEST_NAME = 230  # bytes of a session's name: a file name holds 255 bytes, with the ending of a table
WINDOWS = os.name == "nt"
WINDOWS_REFUSES = re.compile(r'[<>:"|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)
REPLACE_TRIES, REPLACE_WAIT_S = 40, 0.05  # on Windows, where a virus scanner holds a new file for a moment
NOT_WRITABLE = "the folder is not writable: choose another output folder"
IN_USE = "the file is open in another program, or the folder is not writable: close it or choose another output folder"
# by name, since a system may lack one of them
REMEDIES = {
    "ENOSPC": "the disk is full: free some space or choose another output folder, then run the same command again",
    "EDQUOT": "the quota is used up: free some or choose another output folder, then run the same command again",
    "EACCES": IN_USE if WINDOWS else NOT_WRITABLE,
    "EROFS": "the file system is read-only: choose another output folder",
    "ENOTDIR": "a part of the path is a file: choose another output folder",
    "EEXIST": "there is a file of that name: choose another output folder",
    "ENAMETOOLONG": "the name is too long: choose a shorter one",
}
NO_SYNC = ("EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP")  # of fsync, on file systems that have none


@contextlib.contextmanager
def explained(path: Path, what: str = "cannot write") -> Iterator[None]:
    """Turn an error of the operating system into a :class:`BadInput` that names the remedy."""
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "")
        msg = f"{what} {str(path)!r}: {REMEDIES.get(name, error.strerror or str(error))}"
        raise BadInput(msg) from error


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file completely or not at all; see :func:`writing`."""
    with writing(path) as file:
        file.write(data)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Write a file piece by piece: after the block it is complete; if the block fails, it is not written at all.

    The temporary file beside it has a unique name, so that no other process writes or removes it; see
    :func:`remove_leftovers` for those of killed processes.

    Raises
    ------
    BadInput
        Disk full, folder not writable, and the like; an earlier file of that name remains unchanged.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}.{_host()}.{os.getpid()}{TEMPORARY}")
    with explained(path):
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                _sync(file.fileno())
            _replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


def _sync(descriptor: int) -> None:
    """Wait until the file is on the disk, if the file system can report that."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if errno.errorcode.get(error.errno or 0) not in NO_SYNC:
            raise


def _replace(temporary: Path, path: Path) -> None:
    """Give a file its name. Windows refuses that while another process has either file open, if only for a moment."""
    for _ in range(REPLACE_TRIES if WINDOWS else 0):
        with contextlib.suppress(PermissionError):
            temporary.replace(path)
            return
        time.sleep(REPLACE_WAIT_S)
    temporary.replace(path)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of killed processes; other jobs may write to the folder at the same time.

    A leftover is from an ended process of this machine, or older than a day; no file takes that long.
    """
    for path in folder.glob(f".*{TEMPORARY}"):
        with contextlib.suppress(OSError):  # another job has just removed it
            if _writer_ended(path.name) or time.time() - path.stat().st_mtime > LEFTOVER_AGE_S:
                path.unlink()


def _writer_ended(temporary: str) -> bool:
    """Whether the process in the name of a temporary file was on this machine and has ended."""
    match = re.fullmatch(r"\.[0-9a-f]{32}\.([0-9a-f]{8})\.(\d+)" + re.escape(TEMPORARY), temporary)
    return match is not None and match[1] == _host() and not _runs(int(match[2]))


def _host() -> str:
    return digest(platform.node().encode())[:8]


def _runs(process: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(process))


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys: equal content gives equal bytes."""
    write_atomic(path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def write_csv(path: Path, table: pd.DataFrame) -> str:
    """Write a table as CSV and return the digest of the file; a missing value is an empty cell."""
    return write_csv_parts(path, [table])


def write_csv_parts(path: Path, tables: Iterable[pd.DataFrame]) -> str:
    """Write a table as CSV in parts, one below the other, so that it need not fit in memory."""
    import pyarrow as pa

    return _write_tables(path, (pa.Table.from_pandas(table, preserve_index=False) for table in tables))


def write_arrow(path: Path, table: pa.Table) -> str:
    """Write a table of Arrow as CSV, like :func:`write_csv`."""
    return _write_tables(path, [table])


def _write_tables(path: Path, tables: Iterable[pa.Table]) -> str:
    from pyarrow import csv as arrow_csv

    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES)
    with writing(path) as file:
        for number, table in enumerate(tables):
            sink = io.BytesIO()
            if number == 0:
                header = io.StringIO()
                csv.writer(header, lineterminator="\n").writerow(table.column_names)
                sink.write(header.getvalue().encode())
            arrow_csv.write_csv(table, sink, arrow_csv.WriteOptions(include_header=False))
            hasher.update(sink.getbuffer())
            file.write(sink.getbuffer())
    return hasher.hexdigest()


def digest(data: bytes) -> str:
    """Digest of bytes, such as the content of a file."""
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).hexdigest()


def digest_of(content: Any) -> str:
    """Digest of anything JSON can write."""
    return digest(json.dumps(content, sort_keys=True).encode())


def file_name_problems(name: object) -> list[str]:
    """A sentence if files cannot be named after a session, else none."""
    if not isinstance(name, str) or not name.strip():
        return [f"the name is {name!r}; expected a text: files are named after it"]
    if name in (".", "..") or "\0" in name or Path(name).name != name:
        return [f"the name is {name!r}; expected one that names a file in a folder, without a path"]
    if WINDOWS and WINDOWS_REFUSES.search(name):
        return [f"the name is {name!r}; expected one that Windows takes for a file"]
    if len(os.fsencode(name)) > LONGEST_NAME:
        return [f"the name {name[:40]!r}... has {len(os.fsencode(name))} bytes; expected at most {LONGEST_NAME}"]
    return []


def safe_name(name: str) -> str:
    """A file name for any name of a session or a stage."""
    safe = quote(name, safe=" ")
    safe = f"%2E{safe[1:]}" if safe.startswith(".") else safe
    return safe if len(safe) <= 120 else f"{safe[:80]}-{digest_of(name)[:12]}"  # a file name holds 255 bytes
