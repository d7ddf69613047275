import dlc
import pandas as pd
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.outline import outline
from bsoid_gpu.synthetic.sessions import simulate


def test_frames_are_told_without_reading_the_file(tmp_path):
    (path,) = simulate(tmp_path, sessions=1, minutes=5, fps=60.0, seed=0)
    told = outline(path)
    assert told.frames == pytest.approx(18_000, rel=0.02)
    assert len(told.keypoints) == 6
    assert told.individuals == 1
    assert told.size == path.stat().st_size


def test_a_file_that_is_none(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("no,table\n")
    with pytest.raises(BadInput, match="no DeepLabCut file"):
        outline(path)


def test_hdf5(tmp_path):
    names = ["scorer", "individuals", "bodyparts", "coords"]
    columns = pd.MultiIndex.from_product([["net"], ["one", "two"], dlc.NAMES, ["x", "y", "likelihood"]], names=names)
    pd.DataFrame(dlc.wander(40, 8).reshape(40, -1), columns=columns).to_hdf(tmp_path / "a.h5", key="any")
    told = outline(tmp_path / "a.h5")
    assert (told.frames, told.keypoints, told.individuals) == (40, dlc.NAMES, 2)
