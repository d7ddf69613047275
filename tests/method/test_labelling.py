import contextlib
from types import SimpleNamespace

import numpy as np
import pytest

from bsoid_gpu.method.columns import feature_names
from bsoid_gpu.method.labelling import label_frames
from bsoid_gpu.method.preprocess import Filtered
from bsoid_gpu.pose import Pose
from bsoid_gpu.settings.schema import Features, LabelSettings
from bsoid_gpu.statistics.agreement import best_lag


def test_only_frames_below_the_smallest_confidence_have_no_label(arrays):
    probabilities = np.asarray([[0.75, 0.25, 0.0], [0.25, 0.25, 0.5], [0.375, 0.3125, 0.3125]], dtype=np.float32)
    position = np.random.default_rng(0).normal(size=(3, 1, 2, 2))
    pose = Pose("m", arrays.asarray(position), arrays.asarray(np.ones((3, 1, 2))), ("mouse",), ("a", "b"), 30.0)
    session = Filtered(pose, (range(3),), (pose.position[:, 0, :, :],), arrays.asarray(np.zeros(2)), "m")
    classifier = SimpleNamespace(predict_proba=lambda _: arrays.asarray(probabilities))
    backend = SimpleNamespace(to_host=arrays.to_host, repeatable=contextlib.nullcontext)
    labels = {
        limit: label_frames(session, classifier, Features(), backend, limit).labels.tolist() for limit in (0, 0.5, 1)
    }
    assert labels == {0: [0, 2, 0], 0.5: [0, 2, -1], 1: [-1, -1, -1]}


def labelled(probabilities, smoothing, segments, fps=30.0, limit=0.0):
    frames = len(probabilities)
    pose = Pose("m", np.zeros((frames, 1, 2, 2)), np.ones((frames, 1, 2)), ("mouse",), ("a", "b"), fps)
    parts = tuple(np.random.default_rng(0).normal(size=(len(part), 2, 2)) for part in segments)
    session = Filtered(pose, segments, parts, np.zeros(2), "m")
    remaining = [probabilities[part.start : part.stop] for part in segments]
    classifier = SimpleNamespace(predict_proba=lambda _: remaining.pop(0))
    backend = SimpleNamespace(to_host=np.asarray, repeatable=contextlib.nullcontext)
    return label_frames(session, classifier, Features(), backend, limit, smoothing=smoothing)


def test_labels_are_smoothed_at_the_frame_rate_and_within_segments():
    likely, unlikely = [0.9, 0.1], [0.1, 0.9]
    # a switch costs 3.48; at 30 fps a frame has a third of the evidence of a bin, log(9) / 3 = 0.73: there and back
    # takes 10 frames, at the end of a segment 5
    rows = np.array([likely] * 20 + [unlikely] * 9 + [likely] * 11 + [unlikely] * 9, dtype=np.float32)
    whole = (range(49),)
    assert labelled(rows, LabelSettings(), whole).labels.tolist() == [0] * 40 + [1] * 9
    assert labelled(rows, None, whole).labels.tolist() == labelled(rows, LabelSettings(stay=0.0), whole).labels.tolist()
    assert labelled(rows, LabelSettings(stay=0.0), whole).labels.tolist() == rows.argmax(axis=1).tolist()
    assert labelled(rows, LabelSettings(), whole, fps=15.0).labels.tolist() == rows.argmax(axis=1).tolist()
    assert labelled(rows, LabelSettings(evidence=0.6), whole).labels.tolist() == [0] * 40 + [1] * 9
    assert labelled(rows, LabelSettings(evidence=0.3), whole).labels.tolist() == [0] * 49

    cut = labelled(rows, LabelSettings(), (range(22), range(23, 49)))
    assert cut.labels.tolist() == [0] * 22 + [-1] + [1] * 6 + [0] * 11 + [1] * 9
    assert np.flatnonzero(cut.smoothed).tolist() == [20, 21]
    assert cut.confidence.tolist() == [np.float32(0.9)] * 22 + [0.0] + [np.float32(0.9)] * 26


def test_a_frame_below_the_smallest_confidence_is_not_smoothed_to_a_label():
    rows = np.array([[0.9, 0.1]] * 20 + [[0.4, 0.6]] * 2 + [[0.9, 0.1]] * 20, dtype=np.float32)
    prediction = labelled(rows, LabelSettings(), (range(42),), limit=0.7)
    assert prediction.labels.tolist() == [0] * 20 + [-1] * 2 + [0] * 20
    assert not prediction.smoothed.any()
    assert np.flatnonzero(labelled(rows, LabelSettings(), (range(42),)).smoothed).tolist() == [20, 21]


RATES = [10, 15, 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 75, 100, 120, 200]


@pytest.mark.parametrize("smoothing", [None, LabelSettings()], ids=["plain", "smoothed"])
@pytest.mark.parametrize("fps", RATES)
def test_labels_neither_lag_nor_lead_at_any_frame_rate(fps, smoothing):
    """Two keypoints are 10 or 20 px apart, for 0.7 to 1.3 s each; the classifier knows the distance of its window."""
    durations = np.round(np.random.default_rng(0).uniform(0.7, 1.3, size=30) * fps).astype(int)
    truth = np.repeat(np.arange(30) % 2, durations)
    position = np.zeros((len(truth), 1, 2, 2))
    position[:, 0, 1, 0] = 10 + 10 * truth
    pose = Pose("m", position, np.ones((len(truth), 1, 2)), ("mouse",), ("a", "b"), fps)
    session = Filtered(pose, (range(len(truth)),), (position[:, 0],), np.zeros(2), "m")
    distance = feature_names(("a", "b"), Features()).index("distance a - b")

    def predict_proba(features):
        far = 1 / (1 + np.exp(-(features[:, distance] - 15)))
        return np.stack([1 - far, far], axis=1).astype(np.float32)

    backend = SimpleNamespace(to_host=np.asarray, repeatable=contextlib.nullcontext)
    classifier = SimpleNamespace(predict_proba=predict_proba)
    labels = label_frames(session, classifier, Features(), backend, smoothing=smoothing).labels
    changes = np.flatnonzero(np.diff(labels))
    assert len(changes) == 29
    assert np.abs(changes - np.flatnonzero(np.diff(truth))).max() <= 1
    assert abs(best_lag(labels, truth, reach=max(3, round(0.2 * fps)))) <= 1
