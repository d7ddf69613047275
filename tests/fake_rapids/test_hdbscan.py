"""The tree of HDBSCAN, and what comes from it."""

import numpy as np
import pytest

import fake_rapids
from bsoid_gpu.estimators import hdbscan_tree


def fitted(points, **more):
    import cupy
    from cuml.cluster import HDBSCAN

    return HDBSCAN(min_samples=10, min_cluster_size=60, output_type="cupy", **more).fit(cupy.asarray(points))


def linkage(model):
    """The tree as far as cuML shows it without the package hdbscan."""
    if hasattr(model, "_single_linkage_tree"):
        return model._single_linkage_tree
    merges = model.n_leaves_ - 1
    columns = [*model.children_.get(), model.lambdas_.get(), model.sizes_.get()]
    return np.column_stack([column[:merges] for column in columns]).astype(np.float64)


def test_trees_cannot_be_shown_without_the_package_hdbscan(imported, points):
    model = fitted(points)
    for attribute in ("single_linkage_tree_", "condensed_tree_"):
        with pytest.raises(ImportError, match="hdbscan"):
            getattr(model, attribute)


@pytest.mark.filterwarnings("ignore")
def test_with_the_package_hdbscan_they_can(release, monkeypatch, points):
    pytest.importorskip("hdbscan")
    fake_rapids.install(monkeypatch, release, with_hdbscan=True)
    model = fitted(points)
    np.testing.assert_allclose(model.single_linkage_tree_.to_numpy(), linkage(model), rtol=1e-6)


def test_the_tree_is_there_without_it(imported, release, points):
    model = fitted(points)
    tree = linkage(model)
    assert (tree.shape, tree.dtype) == ((len(points) - 1, 4), np.float64)
    assert tree[-1, 3] == len(points)
    assert np.all(np.diff(tree[:, 2]) >= 0)
    if release == "23.12":
        assert (model.children_.shape, model.children_.dtype) == ((2, len(points)), np.int32)
        assert model.lambdas_.shape == model.sizes_.shape == (len(points),)
        assert model.sizes_.get()[-1] != len(points)  # the last entry is not part of the tree
        assert not hasattr(model, "_single_linkage_tree")
    else:
        assert not tree.flags.c_contiguous
        assert not hasattr(model, "children_")


def test_heights_of_the_tree_are_off(imported, points):
    heights = np.sort(linkage(fitted(points))[:, 2])
    exact = np.sort(hdbscan_tree.single_linkage(points, 10)[:, 2])
    off = np.abs(heights / exact - 1)
    assert 1e-4 < off.max() < 0.2
    centred = np.sort(linkage(fitted(points - points.mean(axis=0)))[:, 2])
    assert np.median(np.abs(centred / exact - 1)) < np.median(off)


def test_equal_distances_join_in_an_order_of_their_own(imported):
    grid = np.stack(np.meshgrid(*[np.arange(12.0)] * 2, [0.0]), axis=-1).reshape(-1, 3).astype(np.float32)
    tree, ours = linkage(fitted(grid)), hdbscan_tree.single_linkage(grid, 10)
    np.testing.assert_allclose(tree[:, 2], ours[:, 2], rtol=1e-3)
    assert not np.array_equal(tree[:, :2], ours[:, :2])
    assert np.array_equal(tree, linkage(fitted(grid)))  # but the same each time


def test_distant_clusters_are_joined_after_the_tree_of_the_graph(imported):
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(50 * place, 1, (100, 3)) for place in range(4)]).astype(np.float32)
    heights = linkage(fitted(points))[:, 2]
    exact = hdbscan_tree.single_linkage(points, 10)[:, 2]
    assert np.sum(heights > 40) == np.sum(exact > 40) == 3
    np.testing.assert_allclose(heights[-3:], exact[-3:], rtol=1e-4)


def test_clusters_come_in_another_order_and_memberships_with_them(imported, release, points):
    import cupy
    from cuml.cluster.hdbscan import all_points_membership_vectors

    model = fitted(points, prediction_data=True)
    cut = hdbscan_tree.cut(hdbscan_tree.single_linkage(points, 10), 60, "eom")
    labels = model.labels_.get()
    assert labels.max() == cut.labels.max() == 5
    both = (labels >= 0) & (cut.labels >= 0)
    assert np.mean(both) > 0.8
    assert not np.any(labels[both] == cut.labels[both])
    vectors = all_points_membership_vectors(model)
    assert isinstance(vectors, np.ndarray if release == "23.12" else cupy.ndarray)
    assert vectors.dtype == np.float32
    values = vectors if release == "23.12" else vectors.get()
    assert np.mean(np.argmax(values, axis=1)[both] == labels[both]) > 0.99
    with pytest.raises(ValueError, match="rediction data"):
        all_points_membership_vectors(fitted(points))
