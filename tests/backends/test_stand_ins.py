"""The stand-ins of RAPIDS are as wrong as cuML: each test states one thing that code on a device must bear."""

import sys
import warnings

import fake_rapids
import numpy as np
import pandas as pd
import pytest
from fake_rapids.distances import blocks
from fake_rapids.fake_cudf import digit_by_digit
from scipy.spatial.distance import cdist

from bsoid_gpu.estimators import hdbscan_tree

RELEASES = ["23.12", "26.10"]


@pytest.fixture(params=RELEASES)
def release(request):
    return request.param


@pytest.fixture
def rapids(release, monkeypatch):
    return fake_rapids.install(monkeypatch, release)


@pytest.fixture
def imported(rapids):
    """The ledger, with all libraries imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import cuml  # noqa: F401
    return rapids


def clouds(size=300, number=6, scale=1.0):
    rng = np.random.default_rng(0)
    parts = [rng.normal(scale * rng.uniform(0, 20, 3), scale * rng.uniform(0.1, 0.5), (size, 3)) for _ in range(number)]
    return np.concatenate(parts).astype(np.float32)


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


# imports and memory


def test_libraries_warn_when_they_are_imported(rapids):
    for name, category in (("cupy", DeprecationWarning), ("cudf", FutureWarning), ("cuml", UserWarning)):
        with pytest.warns(category):
            __import__(name)
        __import__(name)  # once


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_imported_before_it_is_asked_for(imported):
    assert "cuml.neighbors" in sys.modules
    with pytest.MonkeyPatch.context() as patch:
        fake_rapids.install(patch, "23.12")
        assert not {name.split(".")[0] for name in sys.modules} & {"cupy", "cudf", "cuml", "rmm"}
        with pytest.raises(ModuleNotFoundError):
            import cuml.dask  # noqa: F401
    assert "cuml.neighbors" in sys.modules


@pytest.mark.filterwarnings("ignore")
def test_the_import_of_cudf_gives_cupys_allocations_to_rmm(rapids):
    import cupy

    ours = cupy.get_default_memory_pool().malloc
    assert cupy.cuda.get_allocator() == ours
    cupy.zeros(3)
    assert rapids.driver_allocations == 0
    import cudf  # noqa: F401
    from rmm.allocators.cupy import rmm_cupy_allocator

    assert cupy.cuda.get_allocator() == rmm_cupy_allocator
    a = cupy.zeros(3)
    assert rapids.driver_allocations == 1
    assert (a + a)[1:].shape == (2,)  # a sum is a new array, a slice is none
    assert rapids.driver_allocations == 2
    cupy.cuda.set_allocator(ours)
    cupy.zeros(3)
    assert (rapids.driver_allocations, rapids.arrays) == (2, 4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("release", ["26.10"])
def test_the_import_of_cuml_gives_them_to_rmm_again(rapids):
    import cudf  # noqa: F401
    import cupy

    ours = cupy.get_default_memory_pool().malloc
    cupy.cuda.set_allocator(ours)
    import cuml  # noqa: F401

    assert cupy.cuda.get_allocator() != ours


@pytest.mark.filterwarnings("ignore")
def test_a_pool_of_rmm_starts_once_and_before_any_array(rapids):
    import cudf  # noqa: F401
    import cupy
    import rmm

    rmm.reinitialize(pool_allocator=True)
    assert rapids.free_bytes == 7 * 10**9  # without a size, half of the card
    cupy.zeros(3)
    assert rapids.driver_allocations == 0
    with pytest.raises(RuntimeError, match="memory in use"):
        rmm.reinitialize(pool_allocator=True, initial_pool_size=10**9)


@pytest.mark.filterwarnings("ignore")
def test_a_pool_of_rmm_cannot_replace_memory_in_use(rapids):
    import cupy
    import rmm

    cupy.zeros(3)
    with pytest.raises(RuntimeError, match="memory in use"):
        rmm.reinitialize(pool_allocator=True, initial_pool_size=10**9)


# tables


def test_a_table_is_made_from_a_device_array(imported):
    import cudf
    import cupy

    values = np.array([[1.0, np.nan], [2.0, 3.0]])
    frame = cudf.DataFrame(cupy.asarray(values), columns=["a", "b"])
    assert list(frame.columns) == ["a", "b"]
    np.testing.assert_array_equal(frame.to_cupy().get(), values)
    pd.testing.assert_frame_equal(frame.to_pandas(), pd.DataFrame(values, columns=["a", "b"]))
    assert imported.to_host[-1] == values.nbytes
    with pytest.raises(TypeError):
        np.asarray(frame)


def test_the_reader_does_not_round_correctly():
    texts = [f"{number:.17g}" for number in np.random.default_rng(0).uniform(-600, 600, 1000)]
    read, exact = np.array([digit_by_digit(text) for text in texts]), np.array([float(text) for text in texts])
    assert np.mean(read != exact) > 0.3
    np.testing.assert_allclose(read, exact, rtol=1e-14)
    assert [digit_by_digit(text) for text in ("-4e-3", " 12 ", "1.5", "inf")] == [-0.004, 12, 1.5, np.inf]


# neighbours


def neighbours(points, number):
    import cupy
    from cuml.neighbors import NearestNeighbors

    model = NearestNeighbors(algorithm="brute", metric="euclidean", output_type="cupy")
    return model.fit(cupy.asarray(points)).kneighbors(cupy.asarray(points), number)


def test_distances_lose_what_lies_far_from_the_origin():
    points = clouds()
    exact = cdist(points.astype(np.float64), points.astype(np.float64))
    near = (exact > 0) & (exact < 0.1)

    def error(points):
        computed = np.vstack([distances for _, distances in blocks(points)])
        assert np.all(np.diag(computed) == 0)
        return np.max(np.abs(computed - exact)[near] / exact[near])

    assert 1e-3 < error(points) < 1
    assert error(points - points.mean(axis=0)) < error(points)


def test_neighbours_stay_on_the_device(imported):
    import cupy

    points = clouds(100)
    distances, indices = neighbours(points, 10)
    assert isinstance(distances, cupy.ndarray)
    assert (distances.dtype, indices.dtype) == (np.float32, np.int64)
    exact = np.sort(cdist(points, points), axis=1)[:, :10]
    np.testing.assert_allclose(distances.get(), exact, atol=0.02)
    for wrong in (points.astype(np.float64), np.asfortranarray(points)):
        with pytest.raises(AssertionError):
            neighbours(wrong, 10)
    with pytest.raises(ValueError, match="number of samples"):
        neighbours(points, len(points) + 1)


@pytest.mark.parametrize(("number", "repeats"), [(256, True), (257, False)])
def test_which_of_equal_distances_is_taken_is_fixed_up_to_256_neighbours(number, repeats, imported):
    points = np.repeat(np.arange(3, dtype=np.float32)[:, None], 400, axis=0) @ np.ones((1, 3), dtype=np.float32)
    first, second = (neighbours(points, number)[1].get() for _ in range(2))
    assert np.array_equal(first, second) == repeats
    assert not np.array_equal(np.sort(first[0]), np.arange(number))  # nor by index
    assert np.mean(first[:, 0] == np.arange(len(points))) < 0.1  # the point itself is not the first


# HDBSCAN


def test_trees_cannot_be_shown_without_the_package_hdbscan(imported):
    model = fitted(clouds(100))
    for attribute in ("single_linkage_tree_", "condensed_tree_"):
        with pytest.raises(ImportError, match="hdbscan"):
            getattr(model, attribute)


@pytest.mark.filterwarnings("ignore")
def test_with_the_package_hdbscan_they_can(release, monkeypatch):
    pytest.importorskip("hdbscan")
    fake_rapids.install(monkeypatch, release, with_hdbscan=True)
    model = fitted(clouds(100))
    np.testing.assert_allclose(model.single_linkage_tree_.to_numpy(), linkage(model), rtol=1e-6)


def test_the_tree_is_there_without_it(imported, release):
    points = clouds(100)
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


def test_heights_of_the_tree_are_off(imported):
    points = clouds()
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


def test_clusters_come_in_another_order_and_memberships_with_them(imported, release):
    import cupy
    from cuml.cluster.hdbscan import all_points_membership_vectors

    points = clouds()
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
