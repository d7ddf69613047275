from importlib import metadata

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import cdist, squareform

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


@pytest.mark.parametrize("min_samples", [1, 10])
def test_ten_dimensions_have_the_exact_tree_and_memberships(cpu, min_samples):
    if min_samples == 1 and metadata.version("fast-hdbscan") == hdbscan.WRONG_FOR_ONE:
        pytest.skip("this release computes a wrong tree")
    rng = np.random.default_rng(0)
    points = (rng.normal(0, 2, (6, 10))[rng.integers(6, size=700)] + rng.normal(size=(700, 10))).astype(np.float32)
    tree = hdbscan.single_linkage(points, HdbscanSettings(min_samples=min_samples), cpu)
    distance = cdist(points, points)
    core = np.sort(distance, axis=1)[:, min_samples]
    reachability = squareform(np.maximum(distance, np.maximum(core, core[:, None])), checks=False)
    np.testing.assert_allclose(tree[:, 2], hierarchy.linkage(reachability, "single")[:, 2], rtol=1e-6)
    settings = HdbscanSettings(min_samples=min_samples, smallest=0.02, largest=0.06, step=0.02, selection="eom")
    fitted = hdbscan.fit(points, settings, 0, cpu)
    assert fitted.membership.shape == (700, fitted.hard.max() + 1)
    inside = fitted.hard >= 0
    assert inside.sum() > 100
    assert np.mean(np.argmax(fitted.membership[inside], axis=1) == fitted.hard[inside]) > 0.95
