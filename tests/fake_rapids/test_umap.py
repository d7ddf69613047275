"""The layouts of UMAP."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.estimators import umap
from bsoid_gpu.estimators.initialisation import principal_components
from bsoid_gpu.estimators.umap import UmapSettings
from fake_rapids import cuml_umap
from fake_rapids.cuml_layout import batches, grid
from fake_rapids.cuml_neighbours import brute_force

NEIGHBOURS, EPOCHS, SEED = 60, 100, 23


@pytest.fixture(scope="module")
def columns():
    """Overlapping clouds of a thousand points, in ten dimensions."""
    rng = np.random.default_rng(0)
    cloud = rng.integers(8, size=1000)
    centre, width = rng.normal(0, 3, (8, 10)), rng.uniform(0.3, 1.5, (8, 1))
    return (centre[cloud] + width[cloud] * rng.normal(0, 1, (1000, 10))).astype(np.float32)


@pytest.fixture(scope="module")
def ours(columns):
    """Our own embedding of the points."""
    return umap.fit(columns, UmapSettings(neighbours=NEIGHBOURS, epochs=EPOCHS), SEED, CpuBackend())


def embedded(columns, init="random", knn_graph=None, **more):
    import cupy
    from cuml.manifold import UMAP

    if not isinstance(init, str):
        init = cupy.asarray(init)
    model = UMAP(
        n_neighbors=NEIGHBOURS, n_components=3, n_epochs=EPOCHS, min_dist=0.0, init=init, output_type="cupy", **more
    )
    return model.fit_transform(cupy.asarray(columns), knn_graph=knn_graph).get()


def test_a_seed_makes_the_layout_repeat(imported, columns):
    first, second, other = (embedded(columns, random_state=seed) for seed in (SEED, SEED, SEED + 1))
    assert first.dtype == np.float32
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_without_a_seed_every_run_differs(imported, columns):
    first, second = (embedded(columns) for _ in range(2))
    assert not np.array_equal(first, second)
    assert trustworthiness(columns, first) > 0.96


def test_old_releases_move_all_points_at_once_and_lose_by_it(ours, imported, release, columns):
    lost = trustworthiness(columns, ours) - trustworthiness(columns, embedded(columns, random_state=SEED))
    if release == "23.12":
        assert lost > 0.01
    else:
        assert abs(lost) < 0.01


def test_initial_positions_are_taken_by_new_releases_only(imported, release, columns):
    start = principal_components(columns, 3, SEED)
    if release == "23.12":
        with pytest.raises(TypeError, match="not supported"):
            embedded(columns, start, random_state=SEED)
        return
    still = embedded(columns, start, random_state=SEED, learning_rate=1e-6)
    np.testing.assert_allclose(still, start, atol=0.01)
    with pytest.raises(ValueError, match="shape"):
        embedded(columns, start[:, :2], random_state=SEED)


def test_given_neighbours_are_used(imported, release, columns):
    distances, indices = brute_force(columns, NEIGHBOURS)
    own = embedded(columns, random_state=SEED)
    assert np.array_equal(own, embedded(columns, random_state=SEED, knn_graph=(indices, distances)))
    assert np.array_equal(own, embedded(columns, random_state=SEED, precomputed_knn=(indices, distances)))
    others = np.roll(indices, 1, axis=1)  # the point itself is not the first
    if release == "23.12":
        embedded(columns, random_state=SEED, knn_graph=(others, distances))
    else:
        with pytest.raises(ValueError, match="self references"):
            embedded(columns, random_state=SEED, knn_graph=(others, distances))
    with pytest.raises(ValueError, match="shape"):
        embedded(columns, knn_graph=(indices[:-1], distances[:-1]))


def test_many_points_without_a_seed_get_approximate_neighbours(imported, release, columns, monkeypatch):
    monkeypatch.setattr(cuml_umap, "APPROXIMATE_ABOVE", len(columns) - 1)
    searched, missed = [], cuml_umap.some_missed
    monkeypatch.setattr(cuml_umap, "some_missed", lambda *arguments: searched.append(1) or missed(*arguments))
    embedded(columns)
    assert len(searched) == (release != "23.12")
    embedded(columns, random_state=SEED)
    assert len(searched) == (release != "23.12")
    if release != "23.12":
        embedded(columns, build_algo="brute_force_knn")
        assert len(searched) == 1


def test_an_approximate_search_misses_some_neighbours(columns):
    distances, indices = brute_force(columns, NEIGHBOURS)
    farther, places = cuml_umap.some_missed(*brute_force(columns, 2 * NEIGHBOURS), NEIGHBOURS)
    assert np.array_equal(places[:, 0], np.arange(len(columns)))
    assert np.all(np.diff(farther, axis=1) >= 0)
    shared = np.mean([len(np.intersect1d(*rows)) for rows in zip(places, indices, strict=True)]) / NEIGHBOURS
    assert 0.9 < shared < 0.99
    assert farther.mean() > distances.mean()


def test_batches_of_an_epoch():
    edges, most = 6_000_000, 900  # of a graph of 27,000 points and 164 neighbours
    assert batches((23, 12), edges, most, seeded=True).edges == edges
    assert batches((23, 12), edges, most, seeded=False).edges == 0
    assert batches((26, 10), edges, most, seeded=True).edges == 100_000
    assert batches((26, 10), edges, most, seeded=False).edges == 0
    assert batches((26, 10), edges, 100, seeded=True).edges == edges / 4


def test_summands_are_cut_to_a_grid():
    spacing = np.spacing(grid(900, 1.0))
    assert 1e-4 < spacing < 1e-3
    assert (grid(900, 1.0) + spacing / np.float32(3)) - grid(900, 1.0) == 0
