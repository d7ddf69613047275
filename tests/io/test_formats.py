"""The registry of readers."""

from pathlib import Path

import dlc
import numpy as np
import pandas as pd
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import Outline, Reader, find_sessions, formats, outline, parse_pose, read_file
from bsoid_gpu.pose import Pose
from bsoid_gpu.synthetic.sessions import simulate


def test_frames_are_estimated_without_reading_the_file(tmp_path):
    (path,) = simulate(tmp_path, sessions=1, minutes=5, fps=60.0, seed=0)
    size = outline(path)
    assert size.frames == pytest.approx(18_000, rel=0.02)
    assert len(size.keypoints) == 6
    assert size.individuals == 1
    assert size.size == path.stat().st_size


def test_the_outline_of_an_hdf5_file(tmp_path):
    names = ["scorer", "individuals", "bodyparts", "coords"]
    columns = pd.MultiIndex.from_product([["net"], ["one", "two"], dlc.NAMES, ["x", "y", "likelihood"]], names=names)
    pd.DataFrame(dlc.wander(40, 8).reshape(40, -1), columns=columns).to_hdf(tmp_path / "a.h5", key="any")
    assert outline(tmp_path / "a.h5") == Outline(40, dlc.NAMES, 2, (tmp_path / "a.h5").stat().st_size)


def test_files_without_an_outline(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("no,table\n")
    with pytest.raises(BadInput, match="not a DeepLabCut file"):
        outline(path)
    for name in ("gone.csv", "gone.h5", "gone"):
        with pytest.raises(BadInput, match=rf"cannot read .*{name}.*No such file"):
            outline(tmp_path / name)


def test_paths_that_cannot_be_read(tmp_path):
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    for path, reason in ((tmp_path, "directory"), (tmp_path / "gone.csv", "No such file")):
        with pytest.raises(BadInput, match=rf"cannot read .*{reason}"):
            read_file(path)


def test_a_file_with_another_suffix_is_read_as_csv(cpu):
    pose = parse_pose(dlc.csv_text(dlc.wander(5)).encode(), Path("tracks.txt"), 30.0, cpu)
    assert pose.frames == 5


def test_a_new_format_is_one_more_reader(tmp_path, cpu, monkeypatch):
    def sniff(path):
        return path.read_bytes().startswith(b"new")

    def parse(data, path, request):
        position, confidence = np.zeros((len(data), 1, 1, 2)), np.ones((len(data), 1, 1))
        return Pose(path.stem, position, confidence, ("i",), ("nose",), request.fps)

    new = Reader("new", (".csv", ".new"), sniff, parse, lambda path: Outline(1, ("nose",), 1, path.stat().st_size))
    monkeypatch.setattr(formats, "READERS", (*formats.READERS, new))
    for name, content in (("b.csv", b"new"), ("b.new", b"New"), ("c.csv", b"new again"), ("c.new", b"new copy.")):
        (tmp_path / name).write_bytes(content)  # b.new is of no format
    dlc.write(tmp_path / "a.csv", dlc.wander(4))  # DeepLabCut's
    assert [path.name for path in find_sessions([tmp_path])] == ["a.csv", "b.csv", "c.csv"]
    assert parse_pose(b"new", tmp_path / "b.csv", 30.0, cpu).frames == 3
    assert outline(tmp_path / "b.csv").keypoints == ("nose",)
