import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import pdist

from bsoid_gpu.estimators import hdbscan_tree
from bsoid_gpu.estimators.hdbscan_cuda import canonical_edges


def test_edges_of_a_tree_by_hand():
    """Points 0 and 3 merge at 1, 2 and 4 at 1, these two at 2, and then point 1, also at 2."""
    merges = np.array([[3, 0, 1, 2], [4, 2, 1, 2], [6, 5, 2, 4], [1, 7, 2, 5]], dtype=float)
    assert canonical_edges(merges).tolist() == [[0, 3, 1], [2, 4, 1], [0, 2, 2], [0, 1, 2]]


@given(st.integers(2, 40), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_the_order_of_equal_merges_changes_nothing(n, seed, order_seed):
    points = np.random.default_rng(seed).integers(0, 6, size=(n, 2)).astype(float)
    order = np.random.default_rng(order_seed).permutation(n)
    merges, others = linkage(pdist(points)), linkage(pdist(points[order]))
    leaves = others[:, :2] < n
    others[:, :2] = np.where(leaves, order[np.where(leaves, others[:, :2], 0).astype(int)], others[:, :2])
    tree, other = (hdbscan_tree.linkage(canonical_edges(part)) for part in (merges, others))
    np.testing.assert_array_equal(tree, other)
    np.testing.assert_array_equal(cophenet(tree), cophenet(merges))
