import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from bsoid_gpu import files
from bsoid_gpu.errors import BadInput
from bsoid_gpu.pose import Pose

WRITERS = """
import sys
from pathlib import Path
from bsoid_gpu import files

folder, writer = Path(sys.argv[1]), int(sys.argv[2])
for number in range(100):
    for name in (f"{'x' * 120}{writer}_{number}.json", f"{'x' * 120}_common.json"):
        files.write_json(folder / name, {"writer": writer, "number": number})
        assert (folder / name).is_file()
"""


def test_four_processes_lose_no_file_of_names_that_begin_alike(tmp_path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITERS, str(tmp_path), str(i)]) for i in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert len(list(tmp_path.iterdir())) == 4 * 100 + 1  # with the common file, without leftovers


def test_only_leftovers_of_ended_processes_are_removed(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from bsoid_gpu import files\n"
        "with files.writing(Path(sys.argv[1], 'a.json')) as file: os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    (killed,) = tmp_path.iterdir()
    foreign, old = tmp_path / f".{'0' * 32}.00000000.1{files.TEMPORARY}", tmp_path / f".of a day ago{files.TEMPORARY}"
    for path in (foreign, old):
        path.write_text("half")
    day_ago = time.time() - 1.1 * files.LEFTOVER_AGE_S
    os.utime(old, (day_ago, day_ago))
    with files.writing(tmp_path / "b.json") as file:
        file.write(b"{}")
        files.remove_leftovers(tmp_path)
        assert not killed.exists()
        assert not old.exists()
        assert foreign.exists()  # from another machine
    assert (tmp_path / "b.json").read_text() == "{}"


def test_permissions_follow_the_umask_and_the_umask_never_changes(tmp_path):
    before = os.umask(0o027)
    try:
        files.write_json(tmp_path / "a.json", {})
        assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o640
        made, ended = [], threading.Event()

        def make():
            while not ended.is_set():
                path = tmp_path / f"touched{len(made)}"
                path.touch()
                made.append(path)

        thread = threading.Thread(target=make)
        thread.start()
        for number in range(200):
            files.write_json(tmp_path / f"{number}.json", {})
        ended.set()
        thread.join()
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in made} == {0o640}


def failing(number, times):
    """A function of the system that fails so many times, and then works as ``otherwise`` does."""

    def patched(otherwise):
        left = [number] * times

        def call(*arguments):
            if left:
                raise OSError(left.pop(), os.strerror(number))
            return otherwise(*arguments)

        return call

    return patched


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_files_are_written_to_a_file_system_without_sync(tmp_path, monkeypatch, number):
    monkeypatch.setattr(os, "fsync", failing(number, 1)(os.fsync))
    files.write_json(tmp_path / "a.json", {})
    assert (tmp_path / "a.json").read_text() == "{}\n"


def test_a_disk_that_fails_to_sync_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", failing(errno.EIO, 1)(os.fsync))
    with pytest.raises(BadInput, match=r"cannot write .*a\.json': Input/output error"):
        files.write_json(tmp_path / "a.json", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("windows", "times", "written"), [(True, 3, True), (True, 10**6, False), (False, 1, False)])
def test_on_windows_a_file_in_use_is_replaced_once_it_is_closed(tmp_path, monkeypatch, windows, times, written):
    file = tmp_path / "a.json"
    file.write_text("earlier")
    monkeypatch.setattr(files, "WINDOWS", windows)
    monkeypatch.setattr(files, "REPLACE_WAIT_S", 0.0)
    monkeypatch.setattr(Path, "replace", failing(errno.EACCES, times)(Path.replace))
    if written:
        files.write_json(file, {})
    else:
        with pytest.raises(BadInput, match="the folder is not writable"):
            files.write_json(file, {})
    assert file.read_text() == ("{}\n" if written else "earlier")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", ["10:30", "who?", "a*b", "tab\t", "con", "NUL.old", "com1", "ends.", "ends "])
def test_a_name_that_windows_refuses_is_refused_there(monkeypatch, name):
    assert files.file_name_problems(name) == []
    monkeypatch.setattr(files, "WINDOWS", True)
    (problem,) = files.file_name_problems(name)
    assert "expected one that Windows takes" in problem
    assert files.file_name_problems("console.1 a") == []


@pytest.mark.parametrize("name", ["../escaped", "/absolute", "a/b", "..", "", "  ", "x" * 240, "nul\0", 3])
def test_a_session_name_that_no_file_can_have_is_refused(name):
    with pytest.raises(BadInput, match="the name"):
        Pose(name, np.zeros((5, 1, 2, 2)), np.ones((5, 1, 2)), ("mouse",), ("a", "b"), 30.0)


@pytest.mark.parametrize("name", ["小鼠自由探索行为实验视频_001", "a b", ".hidden", "x" * 230])
def test_any_other_session_name_is_accepted(name):
    assert Pose(name, np.zeros((5, 1, 2, 2)), np.ones((5, 1, 2)), ("mouse",), ("a", "b"), 30.0).name == name


def test_different_names_give_different_file_names():
    names = ["a", ".a", "..a", "%2Ea", "a/b", "a%2Fb", *("小" * length for length in range(8, 30))]
    assert len({files.safe_name(name) for name in names}) == len(names)


def test_two_writers_of_one_file_in_one_process_do_not_meet(tmp_path):
    path = tmp_path / "a"
    with files.writing(path) as first, files.writing(path) as second:
        first.write(b"first")
        second.write(b"second")
    assert path.read_bytes() == b"first"  # the last to be complete
    assert list(tmp_path.iterdir()) == [path]
