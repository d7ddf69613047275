from importlib import metadata
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.cluster import hierarchy
from scipy.spatial.distance import cdist, squareform

from bsoid_gpu.estimators import hdbscan_tree
from bsoid_gpu.estimators.hdbscan import WRONG_FOR_ONE
from bsoid_gpu.estimators.hdbscan_membership import membership_vectors

# the root 10 has the children 11 and 12, node 11 has 13 and 14
TREE = SimpleNamespace(parent=np.array([10, 10, 11, 11]), child=np.array([11, 12, 13, 14]))


@pytest.mark.parametrize(
    ("scores", "selected"),
    [
        pytest.param({11: 3.0, 12: 1.0, 13: 1.0, 14: 1.5}, [11, 12], id="a parent has more mass than its children"),
        pytest.param({11: 2.0, 12: 1.0, 13: 1.0, 14: 1.5}, [12, 13, 14], id="the children have more mass"),
        pytest.param({11: 2.5, 12: 1.0, 13: 1.0, 14: 1.5}, [11, 12], id="a tie selects the parent"),
        pytest.param({11: 2.0, 12: -1e-7, 13: 2.5, 14: -1e-7}, [12, 13, 14], id="a rounded 0 counts as 0"),
    ],
)
def test_the_clusters_with_the_most_mass_are_selected(scores, selected):
    assert hdbscan_tree._most_mass(TREE, {10: 9.0, **scores}).tolist() == selected


def test_a_lattice_whose_clusters_have_no_mass_is_cut(cpu):
    points = np.stack(np.meshgrid(*[np.arange(9.0)] * 3), -1).reshape(-1, 3).astype(np.float32)
    cut = hdbscan_tree.cut(hdbscan_tree.single_linkage(points, 10), 5, "eom")
    assert sorted(set(cut.labels.tolist()) - {-1}) == list(range(len(cut.selected)))


def test_edges_of_equal_length_are_ordered_by_their_ends():
    edges = np.asarray([[2.0, 1.0, 1.0], [3.0, 0.0, 2.0], [1.0, 0.0, 1.0]])
    linkage = hdbscan_tree.linkage(edges)
    assert np.sort(linkage[:, :2], axis=1).tolist() == [[0, 1], [2, 4], [3, 5]]
    assert linkage[:, 2:].tolist() == [[1, 2], [1, 3], [2, 4]]


def test_the_tree_does_not_depend_on_the_order_of_edges_or_of_their_ends():
    rng = np.random.default_rng(0)
    nodes = np.arange(1, 40)
    edges = np.column_stack([rng.integers(nodes), nodes, rng.integers(1, 3, size=39)]).astype(float)
    expected = hdbscan_tree.linkage(edges)
    for _ in range(20):
        shuffled = rng.permutation(edges)
        reversed_edges = rng.random(39) < 0.5
        shuffled[reversed_edges, :2] = shuffled[reversed_edges, 1::-1]
        assert np.array_equal(hdbscan_tree.linkage(shuffled), expected)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 30).flatmap(lambda n: arrays(np.int8, st.tuples(st.just(n), st.integers(1, 3)))),
    st.sampled_from([1, 2, 10]),
    st.integers(2, 40),
    st.sampled_from(["eom", "leaf"]),
)
def test_any_points_give_the_exact_tree_and_clusters_of_at_least_the_minimum_size(
    cpu, points, min_samples, size, selection
):
    wrong = metadata.version("fast-hdbscan") == WRONG_FOR_ONE
    assume(not wrong or min(min_samples, len(points) - 1) > 1)
    linkage = hdbscan_tree.single_linkage(points.astype(np.float32), min_samples)
    distance = cdist(points, points)
    core = np.sort(distance, axis=1)[:, min(min_samples, len(points) - 1)]  # the point itself does not count
    reachability = squareform(np.maximum(distance, np.maximum(core, core[:, None])), checks=False)
    np.testing.assert_allclose(linkage[:, 2], hierarchy.linkage(reachability, "single")[:, 2])
    assert linkage[-1, 3] == len(points)
    cut = hdbscan_tree.cut(linkage, size, selection)
    assert len(cut.selected) != 1  # the root is never a cluster
    counts = np.bincount(cut.labels + 1, minlength=len(cut.selected) + 1)
    assert len(counts) == len(cut.selected) + 1
    assert (counts[1:] >= size).all()
    if len(cut.selected):
        assert membership_vectors(points.astype(np.float32), cut).shape == (len(points), len(cut.selected))


def test_of_edges_of_one_length_that_with_the_lowest_end_is_first():
    linkage = hdbscan_tree.linkage(np.asarray([[1.0, 2.0, 1.0], [3.0, 0.0, 1.0], [2.0, 3.0, 5.0]]))
    assert np.sort(linkage[:, :2], axis=1).tolist() == [[0, 3], [1, 2], [4, 5]]
