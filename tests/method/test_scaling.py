import numpy as np
import pytest

from bsoid_gpu.method.scaling import standardise_sessions


def test_sessions_of_one_recording_share_a_scale(arrays):
    features = np.asarray([[0.0], [2.0], [100.0], [300.0], [4.0]])
    scaled, scales = standardise_sessions(arrays.asarray(features), [2, 2, 1], ["a", "b", "a"], "session")
    deviation = np.sqrt(8 / 3)  # of 0, 2 and 4
    np.testing.assert_allclose(
        arrays.to_host(scaled)[:, 0], [-2 / deviation, 0, -1, 1, 2 / deviation], rtol=1e-12, atol=1e-12
    )
    assert {name: [float(arrays.to_host(part)[0]) for part in scale] for name, scale in scales.items()} == {
        "a": pytest.approx([2.0, deviation]),
        "b": [200.0, 100.0],
    }


def test_a_global_scale_has_no_name_and_a_session_without_bins_has_no_scale(arrays):
    features = np.asarray([[0.0], [2.0], [4.0]])
    scaled, scales = standardise_sessions(arrays.asarray(features), [2, 0, 1], ["a", "b", "c"], "global")
    assert list(scales) == [""]
    np.testing.assert_allclose(arrays.to_host(scaled)[:, 0], np.asarray([-2, 0, 2]) / np.sqrt(8 / 3))
    scaled, scales = standardise_sessions(arrays.asarray(features), [2, 0, 1], ["a", "b", "c"], "session")
    assert list(scales) == ["a", "c"]
    assert arrays.to_host(scaled)[:, 0].tolist() == [-1, 1, 0]
