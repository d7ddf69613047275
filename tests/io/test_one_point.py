"""Trackers with one point an animal are recognised and refused."""

import h5py
import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import find_sessions, formats, one_point
from bsoid_gpu.io.one_point import READERS
from bsoid_gpu.io.reader import Request

BY_NAME = {reader.name: reader for reader in READERS}
FRAME = np.arange(5)


class Trap:
    """Writes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def trex(path, **more):
    np.savez(path, **{"frame": FRAME, "X#wcentroid": FRAME * 1.0, "Y#wcentroid": FRAME * 1.0, **more})


def posture(path):
    np.savez(path, frames=FRAME, midline_lengths=FRAME, outline_lengths=FRAME, midline_points=np.zeros((9, 2)))


def plain(path):
    np.savez(path, X=FRAME, Y=FRAME, frame=FRAME, missing=FRAME)


def trex_csv(path):
    path.write_text("frame,missing,X#wcentroid (cm),Y#wcentroid (cm)\n0,0,1.0,2.0\n")


def idtracker(path):
    np.save(path, {"trajectories": np.zeros((5, 2, 2)), "trap": Trap(path.with_suffix(".ran"))}, allow_pickle=True)


def idtracker_csv(path):
    path.write_text("time,x1,y1,x2,y2,x3,y3\n0.0,1.0,2.0,3.0,4.0,5.0,6.0\n")


def idtracker_hdf5(path):
    with h5py.File(path, "w") as content:
        content["trajectories"] = np.zeros((5, 2, 2))
        content.attrs["frames_per_second"] = 28


CASES = [
    ("TRex (.npz)", "mouse_fish0.npz", trex),
    ("TRex (.npz)", "mouse_posture_fish0.npz", posture),
    ("TRex (.npz)", "mouse_fish1.npz", plain),
    ("TRex (.csv)", "mouse_fish0.csv", trex_csv),
    ("idtracker.ai (.npy)", "trajectories.npy", idtracker),
    ("idtracker.ai (.npy)", "trajectories_wo_gaps.npy", idtracker),
    ("idtracker.ai (.npy)", "without_gaps.npy", idtracker),
    ("idtracker.ai (.csv)", "trajectories.csv", idtracker_csv),
    ("idtracker.ai (.h5)", "trajectories.h5", idtracker_hdf5),
]


@pytest.mark.parametrize(("reader", "name", "write"), CASES)
def test_the_reason_and_the_remedy_are_named(tmp_path, cpu, reader, name, write):
    path = tmp_path / name
    write(path)
    assert [other.name for other in READERS if other.suffixes == (path.suffix,) and other.sniff(path)] == [reader]
    refused = BY_NAME[reader]
    program = reader.split(" ")[0]
    for call in (
        lambda: refused.outline(path),
        lambda: refused.parse(path.read_bytes(), path, Request(30.0, cpu)),
    ):
        with pytest.raises(BadInput, match=rf"written by {program}.*at least 2 keypoints.*DeepLabCut or SLEAP"):
            call()
    assert [other.name for other in tmp_path.iterdir()] == [name]  # nothing was unpickled


def test_the_registry_refuses_them(tmp_path, cpu):
    trex(tmp_path / "fish0.npz")
    with pytest.raises(BadInput, match=r"'.*fish0.npz' was written by TRex"):
        formats.read_pose(tmp_path / "fish0.npz", 30.0, cpu)
    idtracker(tmp_path / "trajectories.npy")
    with pytest.raises(BadInput, match="one point an animal"):
        formats.outline(tmp_path / "trajectories.npy")


def test_other_files_are_left_out_quietly(tmp_path, caplog):
    np.savez(tmp_path / "other.npz", a=FRAME)
    np.save(tmp_path / "trajectories.npy", np.zeros((5, 3, 3)))  # no pickle
    np.save(tmp_path / "other.npy", {"a": 1}, allow_pickle=True)  # another name
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 and no end")
    (tmp_path / "empty.npy").write_bytes(b"")
    with pytest.raises(BadInput, match="contains no pose files"):
        find_sessions([tmp_path])
    assert caplog.text == ""
    with pytest.raises(BadInput, match="has no known format"):
        formats.outline(tmp_path / "cut.npz")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "scorer,DLC,DLC\n",
        "time,x,y\n0,1,2\n",
        "time,x1\n",
        "frame,X,Y\n0,1,2\n",
        "time,x1,y1,x2,y2,nose_x\n",
    ],
)
def test_other_tables_are_not_theirs(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text)
    assert not one_point.sniff_idtracker_csv(path)
    assert not one_point.sniff_trex_csv(path)


def test_no_file_is_no_error(tmp_path):
    for reader in READERS:
        assert not reader.sniff(tmp_path / "gone")
        assert not reader.sniff(tmp_path)
