from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

from bsoid_gpu import bouts

LABELS = numpy_arrays(np.int64, st.integers(1, 80), elements=st.integers(-1, 3))


@given(LABELS)
def test_bouts_are_the_runs_and_hold_every_frame_once(labels):
    found = bouts.bouts(labels, 30.0)
    expected, frame = [], 0
    for label, run in groupby(labels.tolist()):
        length = len(list(run))
        expected.append((label, frame, frame + length))
        frame += length
    assert list(found[["label", "start_frame", "stop_frame"]].itertuples(index=False, name=None)) == expected
    np.testing.assert_allclose(found["duration_s"].sum(), len(labels) / 30.0)


@given(LABELS)
def test_shares_sum_to_1_and_bouts_are_counted(labels):
    found = bouts.summary(labels, 30.0, 4)
    assert found["share"].sum() == pytest.approx(1)
    assert found["frames"].sum() == len(labels)
    assert found["bouts"].sum() == len(bouts.bouts(labels, 30.0))
    assert found["label"].tolist() == [0, 1, 2, 3] + ([-1] if (labels == -1).any() else [])
    assert found.loc[found["frames"] == 0, "mean_s"].isna().all()


@given(LABELS)
def test_transition_rows_sum_to_1_or_are_missing(labels):
    found = bouts.transitions(labels, 4)
    for label, row in found.iterrows():
        following = labels[1:][labels[:-1] == label]
        if len(following):
            assert row.sum() == pytest.approx(1)
            assert row[str(label)] == pytest.approx(np.mean(following == label))
        else:
            assert row.isna().all()


def test_by_hand():
    labels = np.array([0, 0, 0, 1, 1, 0, -1])
    found = bouts.bouts(labels, 10.0)
    assert found["label"].tolist() == [0, 1, 0, -1]
    assert found["stop_frame"].tolist() == [3, 5, 6, 7]  # the last bout is not lost, and no length is one short
    assert found["duration_s"].tolist() == pytest.approx([0.3, 0.2, 0.1, 0.1])
    table = bouts.summary(labels, 10.0, 2).set_index("label")
    assert table.loc[0, "mean_s"] == pytest.approx(0.2)
    assert table.loc[0, "median_s"] == pytest.approx(0.2)
    matrix = bouts.transitions(labels, 2)
    assert matrix.loc[0].tolist() == pytest.approx([0.5, 0.25, 0.25])
    assert matrix.loc[1].tolist() == pytest.approx([0.5, 0.5, 0])
    assert matrix.loc[-1].isna().all()
