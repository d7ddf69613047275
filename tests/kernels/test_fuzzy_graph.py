import numpy as np
import pytest
from scipy.sparse import csr_matrix
from umap.umap_ import fuzzy_simplicial_set

from bsoid_gpu.kernels.fuzzy_graph import fuzzy_graph
from bsoid_gpu.kernels.neighbours import nearest


def matrix(graph):
    points = len(graph.offsets) - 1
    return csr_matrix((graph.weights, graph.columns, graph.offsets), shape=(points, points))


@pytest.fixture(scope="module", params=["normal", "with equal points"])
def points(request):
    values = np.random.default_rng(0).normal(size=(1500, 6)).astype(np.float32)
    if request.param != "normal":
        values[200:230] = values[3]
    return values


def test_graph_equals_that_of_umap_learn(points):
    distances, indices = nearest(points, 40)
    graph = matrix(fuzzy_graph(distances.copy(), indices.copy()))
    expected, _, _ = fuzzy_simplicial_set(
        points, 40, np.random.RandomState(0), "euclidean", knn_indices=indices, knn_dists=distances
    )
    assert abs(graph - expected).max() < 1e-4
    assert abs(graph - graph.T).max() == 0
    assert graph.max() == 1
    assert graph.has_sorted_indices


def test_smallest_bandwidth_equals_that_of_umap_learn():
    """If many neighbours are as near as the nearest, no bandwidth is small enough for the sum of memberships."""
    n, equal, beyond = 100, 12, 8
    rng = np.random.default_rng(0)
    steps = np.concatenate([np.ones(equal), 1 + 0.002 * np.sort(rng.uniform(size=beyond))])
    distances = (np.concatenate([[0], steps]) * rng.uniform(1, 3, size=(n, 1))).astype(np.float32)
    indices = ((np.arange(n)[:, None] + np.arange(1 + equal + beyond)) % n).astype(np.int32)
    graph = matrix(fuzzy_graph(distances.copy(), indices.copy()))
    expected, _, _ = fuzzy_simplicial_set(
        np.empty((n, 1)), 21, np.random.RandomState(0), "euclidean", knn_indices=indices, knn_dists=distances
    )
    assert np.ptp(graph.data) > 0.5
    assert abs(graph - expected).max() < 1e-4


def test_edges_below_the_minimum_weight_are_dropped(points):
    expected, strong = (matrix(fuzzy_graph(*nearest(points, 40), least=least)) for least in (0.0, 0.2))
    expected.data[expected.data < np.float32(0.2)] = 0
    expected.eliminate_zeros()
    assert (expected != strong).nnz == 0


def test_three_points_by_hand():
    # each point has a nearer and a farther neighbour; log2(3) = 1 + exp(-(d2 - d1) / sigma) for all of them
    graph = matrix(fuzzy_graph(*nearest(np.asarray([[0.0], [1.0], [3.0]], dtype=np.float32), 3))).toarray()
    weak = np.log2(3) - 1
    both = 1 + weak - weak
    np.testing.assert_allclose(
        graph, [[0, 1, 2 * weak - weak**2], [1, 0, both], [2 * weak - weak**2, both, 0]], atol=1e-4
    )
