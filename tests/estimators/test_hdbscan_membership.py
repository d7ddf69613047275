from types import SimpleNamespace

import numpy as np
import pytest

from bsoid_gpu.estimators import hdbscan_membership, hdbscan_tree
from bsoid_gpu.estimators.hdbscan_membership import membership_vectors, same_clusters


def clouds(seed=0):
    """Three pairs of neighbouring clouds, and points far from all."""
    rng = np.random.default_rng(seed)
    parts = [rng.normal([10 * pair, 3 * side, 0], 0.7, size=(150, 3)) for pair in range(3) for side in range(2)]
    return np.concatenate([*parts, rng.uniform(-15, 35, size=(60, 3))]).astype(np.float32)


def by_hdbscan(points, cut):
    """Soft clustering of the same cut by hdbscan."""
    from hdbscan.prediction import PredictionData, all_points_membership_vectors

    fields = [("parent", np.intp), ("child", np.intp), ("lambda_val", np.float64), ("child_size", np.intp)]
    raw = np.empty(len(cut.condensed.parent), dtype=fields)
    for name, _ in fields:
        raw[name] = getattr(cut.condensed, name)
    condensed = SimpleNamespace(_raw_tree=raw, _select_clusters=lambda: [int(node) for node in cut.selected])
    data = PredictionData(points.astype(float), condensed, 10)
    with np.errstate(all="ignore"):
        return all_points_membership_vectors(SimpleNamespace(condensed_tree_=condensed, prediction_data_=data))


@pytest.mark.parametrize("selection", ["eom", "leaf"])
@pytest.mark.parametrize("size", [12, 40, 120])
def test_memberships_equal_those_of_hdbscan(cpu, selection, size):
    points = clouds()
    cut = hdbscan_tree.cut(hdbscan_tree.single_linkage(points, 10), size, selection)
    assert len(cut.selected) > 1
    np.testing.assert_allclose(membership_vectors(points, cut), by_hdbscan(points, cut), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("size", [5, 60])
def test_memberships_do_not_depend_on_the_search_or_the_batches(cpu, monkeypatch, size):
    points = clouds()
    cut = hdbscan_tree.cut(hdbscan_tree.single_linkage(points, 5), size, "leaf")
    vectors = []
    for few, entries in ((1, 1000), (10**6, 1000), (10**6, 10**10), (10**6, 1)):  # trees, then all distances
        monkeypatch.setattr(hdbscan_membership, "FEW", few)
        monkeypatch.setattr(hdbscan_membership, "ENTRIES", entries)
        vectors.append(membership_vectors(points, cut).tobytes())
    assert len(set(vectors)) == 1


# nodes 5 and 6 leave the root 4 at density 1, bin 2 leaves earlier; bins 0 and 3 leave node 5, bin 1 node 6
CONDENSED = tuple(
    np.asarray(values) for values in ([4, 4, 4, 5, 6, 5], [5, 6, 2, 0, 1, 3], [1.0, 1.0, 0.5, 4.0, 2.0, 3.0])
)  # parent, child, density
POSITIONS = np.asarray([[0.0], [4.0], [1.0], [0.5]], dtype=np.float32)


def test_four_bins_and_two_clusters_by_hand():
    vectors = membership_vectors(POSITIONS, hdbscan_tree.Cut(np.asarray([0, 1, -1, 0]), CONDENSED, np.asarray([5, 6])))
    near = np.asarray([1 / 1.0, 1 / 3.0])  # from bin 2 to the exemplars, bins 0 and 1
    late = np.exp(np.exp(-1.0 / 0.5)) * np.ones(2)  # it leaves the root at 0.5; the root splits at 1
    share = near * late / np.sum(near * late)
    np.testing.assert_allclose(vectors[2], share * 0.5 / 4.0, rtol=1e-6)
    late = np.exp(np.exp(-4.0 / np.asarray([3.0, 1.0])))  # bin 3 leaves node 5 at 3; nodes 5 and 6 separate at 1
    share = np.asarray([1 / 0.5, 1 / 3.5]) * late
    np.testing.assert_allclose(vectors[3], share / share.sum() * 3.0 / 4.0, rtol=1e-6)


def test_four_bins_and_one_cluster_by_hand():
    """Membership is the density at which a bin leaves the cluster or separates from it, divided by the largest."""
    vectors = membership_vectors(POSITIONS, hdbscan_tree.Cut(np.asarray([0, -1, -1, 0]), CONDENSED, np.asarray([5])))
    np.testing.assert_allclose(vectors, [[4 / 4], [1 / 4], [0.5 / 4], [3 / 4]])


def test_same_clusters_ignores_the_order_of_clusters():
    labels = np.asarray([0, 0, 0, 1, 1, 2, 2, 2, -1])
    assert same_clusters(labels, np.asarray([2, 2, 2, 0, 0, 1, 1, -1, -1])).tolist() == [2, 0, 1]
    assert same_clusters(labels, np.asarray([0, 0, 0, 0, 0, 1, 1, 1, -1])) is None
    assert same_clusters(labels, np.asarray([0, 0, 1, 1, 1, 2, 2, 2, 0])) is not None
    assert same_clusters(labels, np.asarray([0, 1, 2, 0, 1, 2, 0, 1, 2])) is None


def test_a_cluster_of_which_the_other_has_half_or_less_is_not_the_same():
    assert same_clusters(np.asarray([0, 0, 0, 0, 1, 1]), np.asarray([0, -1, -1, -1, 1, 1])) is None
    assert same_clusters(np.asarray([0, 0, 1, 1]), np.asarray([0, -1, 1, 1])) is None
    assert same_clusters(np.asarray([0, 0, 0, 1, 1]), np.asarray([0, 0, -1, 1, 1])).tolist() == [0, 1]
