from bsoid_gpu.estimators import hdbscan
from bsoid_gpu.estimators.hdbscan import HdbscanSettings


def test_minimum_cluster_sizes_are_rounded_to_whole_bins():
    # 2.7, 5.4 and 8.1 bins; 1.9999999999999998 steps count as two
    assert hdbscan.sizes(27, HdbscanSettings(smallest=0.1, largest=0.3, step=0.1), 1.0) == [3, 5, 8]
    # 0.3, 1.5 and 2.7 bins, at least 2
    assert hdbscan.sizes(3, HdbscanSettings(smallest=0.1, largest=0.9, step=0.4), 1.0) == [2, 3]


def test_a_library_that_computes_a_wrong_tree_is_not_used(monkeypatch):
    monkeypatch.setattr(hdbscan.metadata, "version", lambda _: hdbscan.WRONG_FOR_ONE)
    assert hdbscan.problems(HdbscanSettings(min_samples=2)) == []
    (problem,) = hdbscan.problems(HdbscanSettings(min_samples=1))
    assert "min_samples = 1" in problem
    monkeypatch.setattr(hdbscan.metadata, "version", lambda _: "0.3.4")
    assert hdbscan.problems(HdbscanSettings(min_samples=1)) == []
