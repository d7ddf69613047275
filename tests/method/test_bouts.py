from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

from bsoid_gpu.errors import BadInput
from bsoid_gpu.method import bouts

LABELS = numpy_arrays(np.int64, st.integers(1, 80), elements=st.integers(-1, 3))


def consecutive(labels, fps):
    """Labels of consecutive frames from 0 on, all of which show the animal."""
    return bouts.Labels(labels, fps, np.arange(len(labels)), np.ones(len(labels), dtype=np.bool_))


@given(LABELS)
def test_bouts_are_runs_of_one_label_and_cover_every_frame_once(labels):
    table = bouts.bouts(consecutive(labels, 30.0))
    expected, frame = [], 0
    for label, run in groupby(labels.tolist()):
        length = len(list(run))
        expected.append((label, frame, frame + length))
        frame += length
    assert list(table[["label", "start_frame", "stop_frame"]].itertuples(index=False, name=None)) == expected
    np.testing.assert_allclose(table["duration_s"].sum(), len(labels) / 30.0)


@given(LABELS, st.sampled_from([10.0, 29.97, 60.0]))
def test_expanding_the_bouts_restores_the_labels(labels, fps):
    table = bouts.bouts(consecutive(labels, fps))
    lengths = table["stop_frame"] - table["start_frame"]
    np.testing.assert_array_equal(np.repeat(table["label"], lengths), labels)
    np.testing.assert_allclose(table["stop_s"] - table["start_s"], table["duration_s"])
    np.testing.assert_allclose(table["duration_s"] * fps, lengths)


@given(LABELS)
def test_summary_has_the_durations_of_the_bouts(labels):
    table = bouts.summary(consecutive(labels, 30.0))
    assert table["label"].tolist() == sorted(set(labels.tolist()) - {-1}) + ([-1] if (labels == -1).any() else [])
    for row in table.itertuples():
        durations_s = [len(list(run)) / 30.0 for label, run in groupby(labels.tolist()) if label == row.label]
        assert row.mean_s == pytest.approx(np.mean(durations_s))
        quantiles = [row.q10_s, row.q25_s, row.median_s, row.q75_s, row.q90_s]
        assert quantiles == pytest.approx(np.quantile(durations_s, [0.1, 0.25, 0.5, 0.75, 0.9]))


@given(LABELS)
def test_shares_sum_to_1_and_bouts_are_counted(labels):
    table = bouts.summary(consecutive(labels, 30.0), 4)
    assert table["share"].sum() == pytest.approx(1)
    assert table["frames"].sum() == len(labels)
    assert table["bouts"].sum() == len(bouts.bouts(consecutive(labels, 30.0)))
    assert table["label"].tolist() == [0, 1, 2, 3] + ([-1] if (labels == -1).any() else [])
    assert table.loc[table["frames"] == 0, "mean_s"].isna().all()


@given(LABELS)
def test_transition_rows_sum_to_1_or_are_missing(labels):
    table = bouts.transitions(consecutive(labels, 10.0), 4)
    for label, row in table.iterrows():
        following = labels[1:][labels[:-1] == label]
        if len(following):
            assert row.sum() == pytest.approx(1)
            assert row[str(label)] == pytest.approx(np.mean(following == label))
        else:
            assert row.isna().all()


def test_no_transition_spans_a_gap():
    observed = np.array([True, True, True, True, False, True])
    session = bouts.Labels(np.array([0, 1, 0, 0, -1, 1]), 10.0, np.array([0, 1, 5, 6, 7, 8]), observed)
    table = bouts.transitions(session, 2)
    assert table.loc[0].tolist() == [0.5, 0.5]  # from frame 0 to 1, and from 5 to 6
    assert table.loc[1].isna().all()


def test_seven_frames_by_hand():
    labels = np.array([0, 0, 0, 1, 1, 0, -1])
    table = bouts.bouts(consecutive(labels, 10.0))
    assert table["label"].tolist() == [0, 1, 0, -1]
    assert table["stop_frame"].tolist() == [3, 5, 6, 7]  # with the last bout, at its full length
    assert table["duration_s"].tolist() == pytest.approx([0.3, 0.2, 0.1, 0.1])
    table = bouts.summary(consecutive(labels, 10.0), 2).set_index("label")
    assert table.loc[0, "mean_s"] == pytest.approx(0.2)
    assert table.loc[0, "median_s"] == pytest.approx(0.2)
    matrix = bouts.transitions(consecutive(labels, 10.0), 2)
    assert matrix.loc[0].tolist() == pytest.approx([0.5, 0.25, 0.25])
    assert matrix.loc[1].tolist() == pytest.approx([0.5, 0.5, 0])
    assert matrix.loc[-1].isna().all()


@pytest.mark.parametrize("label", [0, -1])
def test_one_frame_is_one_bout_without_transitions(label):
    labels = np.array([label])
    assert bouts.bouts(consecutive(labels, 10.0))[["start_frame", "stop_frame"]].to_numpy().tolist() == [[0, 1]]
    assert bouts.summary(consecutive(labels, 10.0))[["label", "share", "bouts"]].to_numpy().tolist() == [[label, 1, 1]]
    assert bouts.transitions(consecutive(labels, 10.0), 2).isna().all(axis=None)


def test_frames_without_confidence_are_one_bout():
    labels = np.full(5, -1)
    assert bouts.summary(consecutive(labels, 10.0), 2).set_index("label")["share"].to_dict() == {
        0: 0,
        1: 0,
        -1: 1,
    }
    assert bouts.transitions(consecutive(labels, 10.0), 2).loc[-1].tolist() == [0, 0, 1]


def test_no_frames_give_the_same_columns_and_no_rows():
    none = np.array([], dtype=np.int64)
    assert (
        bouts.bouts(consecutive(none, 10.0)).columns.tolist()
        == bouts.bouts(consecutive(np.array([0]), 10.0)).columns.tolist()
    )
    assert (
        bouts.summary(consecutive(none, 10.0)).columns.tolist()
        == bouts.summary(consecutive(np.array([0]), 10.0)).columns.tolist()
    )
    assert bouts.bouts(consecutive(none, 10.0)).empty
    assert bouts.summary(consecutive(none, 10.0)).empty
    assert bouts.summary(consecutive(none, 10.0), 2)["frames"].tolist() == [0, 0]
    assert bouts.transitions(consecutive(none, 10.0), 2).isna().all(axis=None)


@pytest.mark.parametrize("foreign", [2, 7, -2])
def test_a_label_that_is_not_of_the_model_is_refused(foreign):
    labels = np.array([0, foreign, 1, -1])
    with pytest.raises(BadInput, match=f"labels {foreign} are not labels of this model"):
        bouts.summary(consecutive(labels, 10.0), 2)
    with pytest.raises(BadInput, match=f"labels {foreign} are not labels of this model"):
        bouts.transitions(consecutive(labels, 10.0), 2)


def test_no_bout_spans_a_gap_and_frames_without_the_animal_are_in_none():
    """Frames 100 to 103 and 110 to 113 of the video; frames 102 and 103 do not show the animal."""
    labels = np.array([0, 0, -1, -1, 0, 0, 0, 1])
    number = np.array([100, 101, 102, 103, 110, 111, 112, 113])
    session = bouts.Labels(labels, 10.0, number, np.array([1, 1, 0, 0, 1, 1, 1, 1], dtype=bool), start_s=2.0)
    table = bouts.bouts(session)
    assert table[["label", "start_frame", "stop_frame"]].to_numpy().tolist() == [
        [0, 100, 102],
        [0, 110, 113],
        [1, 113, 114],
    ]
    assert table["start_s"].tolist() == pytest.approx([12.0, 13.0, 13.3])
    assert table["duration_s"].tolist() == pytest.approx([0.2, 0.3, 0.1])
    of_labels = bouts.summary(session, 2).set_index("label")
    assert of_labels["share"].tolist() == pytest.approx([5 / 6, 1 / 6])
    assert of_labels["bouts"].tolist() == [2, 1]
    matrix = bouts.transitions(session, 2)
    assert matrix.loc[0].tolist() == pytest.approx([3 / 4, 1 / 4])  # 100-101, 110-111, 111-112; 112-113
    assert matrix.loc[1].isna().all()


@given(LABELS, st.data())
def test_bouts_hold_every_observed_frame_once(labels, data):
    steps = data.draw(numpy_arrays(np.int64, len(labels), elements=st.integers(1, 3)))
    observed = data.draw(numpy_arrays(np.bool_, len(labels)))
    number = np.cumsum(steps)
    table = bouts.bouts(bouts.Labels(labels, 30.0, number, observed))
    frames = [frame for row in table.itertuples() for frame in range(row.start_frame, row.stop_frame)]
    assert frames == number[observed].tolist()
    lengths = table["stop_frame"] - table["start_frame"]
    assert np.repeat(table["label"], lengths).tolist() == labels[observed].tolist()
