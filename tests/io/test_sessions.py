"""Which files are sessions."""

import logging
import os

import dlc
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import Outline, Reader, find_sessions, formats
from bsoid_gpu.io.sessions import sources


@pytest.fixture
def messages(caplog):
    """Warnings of the log."""
    logging.getLogger("bsoid_gpu").propagate = True
    return lambda: [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def names(*paths):
    return [path.name for path in find_sessions(paths)]


@pytest.fixture
def folder(tmp_path):
    """Three recordings among other files."""
    for number in (10, 2, 1):
        dlc.write(tmp_path / f"s{number}.csv", dlc.wander(3, seed=number))
    (tmp_path / "truth.csv").write_text("frame,behaviour\n0,walk\n")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "s1.mp4").write_bytes(b"video")
    (tmp_path / ".hidden.csv").write_text("")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "plots").mkdir()
    return tmp_path


def test_folders_are_read_in_natural_order_without_other_files(folder, messages):
    assert names(folder) == ["s1.csv", "s2.csv", "s10.csv"]
    (message,) = messages()  # videos and the like are usual
    assert message.startswith("'truth.csv' is left out: it ")


def test_all_entries_of_a_folder_count_as_the_folder(folder, messages):
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    assert names(*entries) == ["s1.csv", "s10.csv", "s2.csv"]  # in the order given
    truth, others, folders = messages()
    assert truth.startswith("'truth.csv' is left out: it ")
    assert others.startswith("2 files are left out, of no known format: 'notes.txt', 's1.mp4'")
    assert folders.startswith("2 subfolders are left out: 'folder.csv', 'plots'")


def test_all_files_with_one_suffix_count_as_the_folder(folder, messages):
    assert names(*sorted(folder.glob("[a-z]*.csv"))) == ["s1.csv", "s10.csv", "s2.csv"]
    truth, folders = messages()
    assert truth.startswith("'truth.csv' is left out")
    assert folders.startswith("1 subfolder is left out: 'folder.csv'")
    # no wildcard gives these, so that they are meant
    assert names(folder / "s2.csv", folder / "truth.csv") == ["s2.csv", "truth.csv"]
    assert names(folder / "notes.txt") == ["notes.txt"]


def test_wildcards_of_two_folders(folder, messages):
    other = folder / "plots"
    for name in ("a.csv", "b.csv"):
        dlc.write(other / name, dlc.wander(4, seed=ord(name[0])))
    (other / "annotation.csv").write_text("time,event\n")
    assert names(*sorted(other.glob("*.csv")), folder / "s1.csv", other / "a.csv") == ["a.csv", "b.csv", "s1.csv"]
    assert sum("annotation.csv" in message for message in messages()) == 1


def test_a_wildcard_without_recordings(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("")
    with pytest.raises(BadInput, match=r"\*' has no pose files: give files of a pose tracker"):
        find_sessions(list(tmp_path.iterdir()))


def test_folders_by_wildcard_are_read(tmp_path):
    for number in (1, 2):
        (tmp_path / f"mouse{number}").mkdir()
        dlc.write(tmp_path / f"mouse{number}" / f"m{number}.csv", dlc.wander(3, seed=number))
    assert names(*sorted(tmp_path.iterdir())) == ["m1.csv", "m2.csv"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("s3.csv.gz", "compressed"),
        ("all.zip", "compressed"),
        ("s1DLC_resnet50_aJan1shuffle1_1_skeleton.csv", "skeleton"),
        ("s1DLC_resnet50_aJan1shuffle1_1_skeleton.h5", "skeleton"),
        ("CollectedData_me.csv", "labelling"),
        ("machinelabels-iter0.h5", "labelling"),
    ],
)
def test_files_beside_the_recordings_are_left_out_with_the_reason(tmp_path, messages, name, reason):
    dlc.write(tmp_path / "s1.csv", dlc.wander(3))
    (tmp_path / name).write_text("scorer,me\n")  # begins as DeepLabCut's
    assert names(tmp_path) == ["s1.csv"]
    (message,) = messages()
    assert message.startswith(f"{name!r} is left out: it ")
    assert reason in message


def test_a_session_may_be_named_after_a_skeleton(tmp_path):
    dlc.write(tmp_path / "mouse_skeleton.csv", dlc.wander(3))
    assert names(tmp_path) == ["mouse_skeleton.csv"]


def test_subfolders_with_recordings_are_named(tmp_path, messages):
    dlc.write(tmp_path / "s1.csv", dlc.wander(3))
    for name in ("plots", "night"):
        (tmp_path / name).mkdir()
    (tmp_path / "plots" / "truth.csv").write_text("a,b\n")
    dlc.write(tmp_path / "night" / "s2.csv", dlc.wander(3, seed=2))
    assert names(tmp_path) == ["s1.csv"]
    (message,) = messages()
    assert "'night'" in message
    (tmp_path / "s1.csv").unlink()
    with pytest.raises(BadInput, match=r"its subfolders do: give '[^ ]*night'$"):
        find_sessions([tmp_path])


def test_a_project_folder(tmp_path):
    (tmp_path / "config.yaml").write_text("Task: open field\n")
    for name in ("videos", "labeled-data"):
        (tmp_path / name).mkdir()
    with pytest.raises(BadInput, match=r"is a DeepLabCut project.*no pose files in it: analyse the videos"):
        find_sessions([tmp_path])
    dlc.write(tmp_path / "videos" / "s1.csv", dlc.wander(3))
    with pytest.raises(BadInput, match=r"recordings are in videos/: give '.*videos'$"):
        find_sessions([tmp_path])


def test_a_folder_may_be_a_recording(tmp_path, monkeypatch, messages):
    def outline(path):
        return Outline(2, ("nose",), 1, 0)

    def sniff(path):
        return any(entry.suffix == ".people" for entry in path.iterdir())

    def read(path):
        return b"".join(entry.read_bytes() for entry in sorted(path.iterdir()))

    people = Reader("people", (), sniff, lambda data, path, request: None, outline, read)
    monkeypatch.setattr(formats, "READERS", (*formats.READERS, people))
    for name in ("walk.1", "walk.2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.people").write_bytes(name.encode())
    (tmp_path / "empty").mkdir()
    assert [source.name for source in sources(tmp_path / "walk.1")] == ["walk.1"]
    assert [source.name for source in sources(tmp_path)] == ["walk.1", "walk.2"]
    assert [source.name for source in sources(sorted(tmp_path.glob("walk*")))] == ["walk.1", "walk.2"]
    dlc.write(tmp_path / "s1.csv", dlc.wander(3))
    assert names(*sorted(tmp_path.iterdir())) == ["s1.csv", "walk.1", "walk.2"]
    assert "1 subfolder is left out: 'empty'" in messages()[-1]


def test_a_file_that_cannot_be_opened_is_left_to_the_reader(tmp_path):
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    assert find_sessions([tmp_path]) == [tmp_path / "gone.csv"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0)
    with pytest.raises(BadInput, match=r"cannot read .*closed"):
        find_sessions([folder])


def test_all_problems_of_the_paths_are_reported_together_each_on_a_line(tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "truth.csv").write_text("frame,behaviour\n")
    strange = tmp_path / 'it\'s "a"\nmouse.csv'
    for number, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        dlc.write(tmp_path / name / "m.csv", dlc.wander(3, seed=number))
    with pytest.raises(BadInput) as caught:
        find_sessions([tmp_path / "none", strange, tmp_path / "a", tmp_path / "b"])
    heading, *problems = str(caught.value).splitlines()
    assert "3 problems" in heading
    assert len(problems) == 3
    assert "contains no pose files" in problems[0]
    assert "\\nmouse.csv' does not exist" in problems[1]
    assert problems[2].count("m.csv") == 2


def test_names_that_collide(tmp_path):
    for number, folder in enumerate("abc"):
        (tmp_path / folder).mkdir()
        dlc.write(tmp_path / folder / "m.csv", dlc.wander(3, seed=number))
    for number, paths in ((2, ("a", "b/m.csv")), (3, ("a", "b", "c"))):
        with pytest.raises(BadInput, match=f"{number} files are named 'm'"):
            find_sessions([tmp_path / path for path in paths])
    with pytest.raises(BadInput, match="no sessions"):
        find_sessions([])
