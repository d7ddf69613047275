"""Positions in three dimensions as DeepLabCut's triangulation writes them."""

import numpy as np
import pandas as pd
import pytest
import three_dimensions

from bsoid_gpu.io import read_pose

NAMES = ("snout", "left_ear", "tail_base")


@pytest.fixture
def position():
    position = np.random.default_rng(0).normal(0, 30, size=(40, 3, 3))
    position[5:9, 1] = np.nan
    position[20, 2, 2] = np.nan  # no position without its z
    return position


def read(path, cpu):
    pose = read_pose(path, 30.0, cpu)
    assert pose.keypoints == NAMES
    assert any("no likelihoods" in note for note in pose.notes)
    return pose


def with_missing(position):
    return np.where(np.isnan(position).any(axis=-1, keepdims=True), np.nan, position)[:, None]


def test_a_csv_of_deeplabcut(tmp_path, cpu, position):
    path = tmp_path / "mouse_DLC_3D.csv"
    path.write_text(three_dimensions.deeplabcut_csv(position, NAMES))
    pose = read(path, cpu)
    assert np.array_equal(pose.position, with_missing(position), equal_nan=True)
    assert np.array_equal(pose.confidence, np.where(np.isnan(pose.position[..., 0]), 0.0, 1.0))


@pytest.mark.parametrize("format", ["table", "fixed"])
def test_an_hdf5_file_of_deeplabcut(tmp_path, cpu, position, format):
    path = tmp_path / "mouse_DLC_3D.h5"
    columns = pd.MultiIndex.from_product([["DLC_3D"], NAMES, ["x", "y", "z"]], names=["scorer", "bodyparts", "coords"])
    pd.DataFrame(position.reshape(40, -1), columns=columns).to_hdf(path, key="df_with_missing", format=format)
    assert np.array_equal(read(path, cpu).position, with_missing(position), equal_nan=True)
