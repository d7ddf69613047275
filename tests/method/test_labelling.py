import contextlib
from types import SimpleNamespace

import numpy as np

from bsoid_gpu.method.labelling import label_frames
from bsoid_gpu.method.preprocess import Filtered
from bsoid_gpu.pose import Pose
from bsoid_gpu.settings.schema import Features, Labels


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
    assert labelled(rows, Labels(), whole).labels.tolist() == [0] * 40 + [1] * 9
    assert labelled(rows, None, whole).labels.tolist() == labelled(rows, Labels(stay=0.0), whole).labels.tolist()
    assert labelled(rows, Labels(stay=0.0), whole).labels.tolist() == rows.argmax(axis=1).tolist()
    assert labelled(rows, Labels(), whole, fps=15.0).labels.tolist() == rows.argmax(axis=1).tolist()
    assert labelled(rows, Labels(evidence=0.6), whole).labels.tolist() == [0] * 40 + [1] * 9
    assert labelled(rows, Labels(evidence=0.3), whole).labels.tolist() == [0] * 49

    cut = labelled(rows, Labels(), (range(22), range(23, 49)))
    assert cut.labels.tolist() == [0] * 22 + [-1] + [1] * 6 + [0] * 11 + [1] * 9
    assert np.flatnonzero(cut.smoothed).tolist() == [20, 21]
    assert cut.confidence.tolist() == [np.float32(0.9)] * 22 + [0.0] + [np.float32(0.9)] * 26


def test_a_frame_below_the_smallest_confidence_is_not_smoothed_to_a_label():
    rows = np.array([[0.9, 0.1]] * 20 + [[0.4, 0.6]] * 2 + [[0.9, 0.1]] * 20, dtype=np.float32)
    prediction = labelled(rows, Labels(), (range(42),), limit=0.7)
    assert prediction.labels.tolist() == [0] * 20 + [-1] * 2 + [0] * 20
    assert not prediction.smoothed.any()
    assert np.flatnonzero(labelled(rows, Labels(), (range(42),)).smoothed).tolist() == [20, 21]
