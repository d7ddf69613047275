"""The lock on a run folder."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.locks import lock

LOCK = ".lock"

HOLDER = """
import subprocess, sys
from pathlib import Path
from bsoid_gpu.locks import lock

with lock(Path(sys.argv[1]), ".lock"):
    worker = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdout=subprocess.DEVNULL)
    print(flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that locks the folder, with a worker; both end when their standard input closes."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_only_one_process_can_lock_a_folder(tmp_path, holder):
    with pytest.raises(BadInput, match=r"another job is writing to .*: wait until it ends, or give --out another"):
        lock(tmp_path, LOCK).__enter__()
    holder.communicate()
    with lock(tmp_path, LOCK), pytest.raises(BadInput, match="another job is writing"):
        lock(tmp_path, LOCK).__enter__()
    with lock(tmp_path, LOCK):
        assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_a_killed_process_releases_its_lock(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with lock(tmp_path, LOCK):
        pass


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EIO])
def test_a_file_system_without_locks_gives_a_warning(tmp_path, monkeypatch, caplog, number):
    def missing(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", missing)
    for _ in range(2):
        with lock(tmp_path, LOCK):
            assert [path.name for path in tmp_path.iterdir()] == [LOCK]  # no leftover
    assert len(caplog.messages) == 2
    assert "on a file system without locks: do not run two jobs on it" in caplog.messages[0]


def test_an_error_releases_the_lock(tmp_path):
    with pytest.raises(KeyError), lock(tmp_path, LOCK):
        raise KeyError
    with lock(tmp_path, LOCK):
        pass
