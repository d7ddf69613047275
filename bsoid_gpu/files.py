"""Files that are either whole or not there, their digests, and errors of the disk in words."""

from __future__ import annotations

import contextlib
import csv
import errno
import glob
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

DIGEST_BYTES = 16
WAYS_OUT = {
    errno.ENOSPC: "the disk is full: free some space or choose another output folder, then run the same command again",
    errno.EDQUOT: "the quota is used up: free some or choose another output folder, then run the same command again",
    errno.EACCES: "the folder is not writable: choose another output folder",
    errno.EROFS: "the file system is read-only: choose another output folder",
    errno.ENOTDIR: "a part of the path is a file: choose another output folder",
    errno.EEXIST: "there is a file of that name: choose another output folder",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}


@contextlib.contextmanager
def telling(path: Path, what: str = "cannot write") -> Iterator[None]:
    """Turn an error of the operating system into a :class:`BadInput` that names the way out."""
    try:
        yield
    except OSError as error:
        way_out = WAYS_OUT.get(error.errno or 0, error.strerror or str(error))
        msg = f"{what} {str(path)!r}: {way_out}"
        raise BadInput(msg) from error


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file that is either whole or not there; see :func:`writing`."""
    with writing(path) as file:
        file.write(data)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Write a file piece by piece: it is there, whole, after the block, and not at all where the block fails.

    Raises
    ------
    BadInput
        Disk full, folder not writable, and the like; an earlier file of that name is left as it was.
    """
    with telling(path):
        left = f".{path.name[:100]}."
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=left, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o666 & ~_umask())  # noqa: PTH101 - mkstemp gives a name, not a Path
            with contextlib.suppress(FileNotFoundError):  # another job has just written this file and cleaned up
                os.replace(temporary, path)  # noqa: PTH105
            for old in path.parent.glob(f"{glob.escape(left)}*.part"):  # of jobs that were killed
                old.unlink(missing_ok=True)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)  # noqa: PTH108
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys, so that the same content is the same bytes."""
    write_atomic(path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def write_csv(path: Path, table: pd.DataFrame) -> str:
    """Write a table as CSV, and give the digest of the file; a missing value is an empty cell."""
    return write_csv_parts(path, [table])


def write_csv_parts(path: Path, tables: Iterable[pd.DataFrame]) -> str:
    """Write a table as CSV part by part, the rows of each below those before: it need not be in memory as a whole."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES)
    with writing(path) as file:
        for number, table in enumerate(tables):
            sink = io.BytesIO()
            if number == 0:
                header = io.StringIO()
                csv.writer(header, lineterminator="\n").writerow(table.columns)
                sink.write(header.getvalue().encode())
            body = pa.Table.from_pandas(table, preserve_index=False)
            arrow_csv.write_csv(body, sink, arrow_csv.WriteOptions(include_header=False))
            hasher.update(sink.getbuffer())
            file.write(sink.getbuffer())
    return hasher.hexdigest()


def digest(data: bytes) -> str:
    """Digest of bytes, such as the content of a file."""
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).hexdigest()


def digest_of(content: Any) -> str:
    """Digest of anything JSON can write."""
    return digest(json.dumps(content, sort_keys=True).encode())


def safe_name(name: str) -> str:
    """A file name for any name of a session or a stage."""
    safe = quote(name, safe=" ").lstrip(".")
    return safe if len(safe) <= 120 else f"{safe[:80]}-{digest_of(name)[:12]}"  # a file name holds 255 bytes
