import numpy as np
import pytest

from bsoid_gpu.method import clustering
from bsoid_gpu.method.embedding import resolved, standardised
from bsoid_gpu.settings.schema import Clusters, Embedding


@pytest.mark.parametrize(("bins", "epochs"), [(300, 500), (9_999, 500), (10_000, 500), (10_001, 200), (10**6, 200)])
def test_epochs_follow_the_number_of_bins(bins, epochs):
    assert resolved(Embedding(), bins).epochs == epochs
    assert resolved(Embedding(epochs=7), bins).epochs == 7


@pytest.mark.parametrize(
    ("bins", "neighbours"), [(306, 17), (307, 18), (10_000, 100), (1023**2, 1023), (1024**2, 1023), (10**7, 1023)]
)
def test_neighbours_are_the_square_root_of_the_number_of_bins(bins, neighbours):
    assert resolved(Embedding(), bins).neighbours == neighbours  # 17.49 and 17.52 are rounded
    assert resolved(Embedding(neighbours=40), bins).neighbours == 40


def test_sessions_of_one_recording_share_a_scale(arrays):
    features = np.asarray([[0.0], [2.0], [100.0], [300.0], [4.0]])
    scaled, scales = standardised(arrays.asarray(features), [2, 2, 1], ["a", "b", "a"])
    deviation = np.sqrt(8 / 3)  # of 0, 2 and 4
    np.testing.assert_allclose(
        arrays.to_host(scaled)[:, 0], [-2 / deviation, 0, -1, 1, 2 / deviation], rtol=1e-12, atol=1e-12
    )
    assert {name: [float(arrays.to_host(part)[0]) for part in scale] for name, scale in scales.items()} == {
        "a": pytest.approx([2.0, deviation]),
        "b": [200.0, 100.0],
    }


def test_minimum_cluster_sizes_are_the_nearest_whole_numbers():
    # 2.7, 5.4 and 8.1 bins; a quotient of 1.9999999999999998 steps is two
    assert clustering.sizes(27, Clusters(smallest=0.1, largest=0.3, step=0.1)) == [3, 5, 8]
    assert clustering.sizes(3, Clusters(smallest=0.1, largest=0.9, step=0.4)) == [2, 3]  # 0.3, 1.5 and 2.7, at least 2
