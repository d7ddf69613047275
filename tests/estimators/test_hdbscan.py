from bsoid_gpu.estimators import hdbscan
from bsoid_gpu.estimators.hdbscan import HdbscanSettings


def test_minimum_cluster_sizes_are_the_nearest_whole_numbers():
    # 2.7, 5.4 and 8.1 bins; a quotient of 1.9999999999999998 steps is two
    assert hdbscan.sizes(27, HdbscanSettings(smallest=0.1, largest=0.3, step=0.1)) == [3, 5, 8]
    assert hdbscan.sizes(3, HdbscanSettings(smallest=0.1, largest=0.9, step=0.4)) == [
        2,
        3,
    ]  # 0.3, 1.5 and 2.7, at least 2
