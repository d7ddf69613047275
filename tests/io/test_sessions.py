"""Which files are sessions."""

import logging
import os

import dlc
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import find_sessions


def test_folders_are_read_in_natural_order_without_other_files(tmp_path, caplog):
    for name in ("s10.csv", "s2.csv", "s1.csv"):
        dlc.write(tmp_path / name, dlc.wander(3))
    (tmp_path / "s1.h5").write_bytes(b"")
    (tmp_path / "truth.h5").write_bytes(b"")  # kept, since truth.csv is not a pose file
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "truth.csv").write_text("frame,behaviour\n0,walk\n")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".hidden.csv").write_text("")
    (tmp_path / "sub").mkdir()
    dlc.write(tmp_path / "sub" / "s3.csv", dlc.wander(3))
    logging.getLogger("bsoid_gpu").propagate = True
    with caplog.at_level("INFO", "bsoid_gpu"):
        assert [path.name for path in find_sessions([tmp_path])] == ["s1.csv", "s2.csv", "s10.csv", "truth.h5"]
    assert "'truth.csv' is left out: it has no known format (DeepLabCut CSV, DeepLabCut HDF5" in caplog.text
    assert "'s1.h5' is left out: 's1.csv' holds the same session" in caplog.text


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
    twice = [dlc.write(tmp_path / "m.csv")] * 2
    with pytest.raises(BadInput) as caught:
        find_sessions([tmp_path / "none", strange, *twice])
    heading, *problems = str(caught.value).splitlines()
    assert "3 problems" in heading
    assert len(problems) == 3
    assert "contains no pose files" in problems[0]
    assert "\\nmouse.csv' does not exist" in problems[1]
    assert problems[2].count("m.csv") == 2


def test_names_that_collide(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        dlc.write(tmp_path / folder / "m.csv", dlc.wander(3))
    (tmp_path / "a" / "m.h5").write_bytes(b"")
    (tmp_path / "c").mkdir()
    for suffix in ("h5", "hdf5"):  # neither format is preferred
        (tmp_path / "c" / f"m.{suffix}").write_bytes(b"")
    for paths in (("a", "b/m.csv"), ("a/m.csv", "a/m.csv"), ("a/m.csv", "a/m.h5"), ("c",)):
        with pytest.raises(BadInput, match="2 files are named 'm'"):
            find_sessions([tmp_path / path for path in paths])
    with pytest.raises(BadInput, match="no sessions"):
        find_sessions([])
