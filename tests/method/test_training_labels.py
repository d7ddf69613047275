import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.method.training_labels import training_labels


def test_hard_training_leaves_out_the_bins_that_are_noise_by_hand():
    hard, soft = np.array([0, -1, 2, -1, 0]), np.array([0, 1, 2, 2, 1])
    rows, labels = training_labels(hard, soft, "hard")
    assert (rows.tolist(), labels.tolist()) == ([0, 2, 4], [0, 2, 0])
    rows, labels = training_labels(hard, soft, "soft")
    assert (rows.tolist(), labels.tolist()) == ([0, 1, 2, 3, 4], [0, 1, 2, 2, 1])
    with pytest.raises(BadInput, match="every bin is noise"):
        training_labels(np.full(5, -1), soft, "hard")
