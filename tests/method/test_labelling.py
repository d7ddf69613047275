import contextlib
from types import SimpleNamespace

import numpy as np

from bsoid_gpu.method.labelling import label_frames
from bsoid_gpu.method.preprocess import Filtered
from bsoid_gpu.pose import Pose
from bsoid_gpu.settings.schema import Features


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
