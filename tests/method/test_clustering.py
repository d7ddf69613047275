from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators import hdbscan, hdbscan_tree, registry
from bsoid_gpu.estimators.base import ClusterFit
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.method import clustering
from bsoid_gpu.settings.schema import Settings

BIN_S = 0.1


def blobs(seed=0, sizes=(400, 300, 200, 100), noise=50):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-20, 20, size=(len(sizes), 3))
    points = [rng.normal(centre, 0.5, size=(size, 3)) for centre, size in zip(centres, sizes, strict=True)]
    truth = np.repeat(np.arange(len(sizes)), sizes)
    return np.concatenate([*points, rng.uniform(-25, 25, size=(noise, 3))]).astype(np.float32), truth


@pytest.mark.parametrize("selection", ["eom", "leaf"])
def test_a_cut_of_the_tree_equals_hdbscan_fitted_at_that_size(cpu, selection):
    import hdbscan as library

    points, _ = blobs()
    linkage = hdbscan_tree.single_linkage(points, 10)
    for size in (15, 40, 90):
        fitted = library.HDBSCAN(
            min_cluster_size=size, min_samples=10, cluster_selection_method=selection,
            approx_min_span_tree=False, prediction_data=True,
        ).fit(points.astype(float))  # fmt: skip
        cut = hdbscan_tree.cut(linkage, size, selection)
        assert adjusted_rand_score(fitted.labels_, cut.labels) > 0.99
        vectors = hdbscan.membership_vectors(points, cut, size, HdbscanSettings(selection=selection), cpu)
        expected = library.all_points_membership_vectors(fitted)
        assert vectors.shape == expected.shape
        assert np.mean(np.argmax(vectors, 1) == np.argmax(expected, 1)) > 0.99


def test_labels_are_numbered_by_size_and_every_bin_has_one(cpu):
    points, truth = blobs()
    result = clustering.cluster(
        points, BIN_S, Settings(clusters=HdbscanSettings(smallest=0.02, largest=0.06, step=0.01)), cpu
    )
    counts = np.bincount(result.soft)
    assert (np.diff(counts) <= 0).all()
    assert counts.sum() == len(points)
    assert (result.hard == -1).any()
    assert adjusted_rand_score(result.soft[: len(truth)], truth) > 0.99
    clustered = result.hard >= 0
    assert (result.hard[clustered] == result.soft[clustered]).mean() > 0.99
    assert np.array_equal(np.argmax(result.membership, 1), result.soft)


def test_the_cut_with_the_most_clusters_is_used_the_first_in_a_tie(cpu):
    points, _ = blobs()
    result = clustering.cluster(
        points, BIN_S, Settings(clusters=HdbscanSettings(smallest=0.01, largest=0.3, step=0.01)), cpu
    )
    chosen = result.sweep[result.sweep["chosen"]]
    assert len(chosen) == 1
    most = result.sweep["clusters"].max()
    assert (
        chosen.iloc[0]["min_cluster_size"] == result.sweep[result.sweep["clusters"] == most]["min_cluster_size"].min()
    )


def test_sizes_by_hand():
    assert hdbscan.sizes(10_000, HdbscanSettings(), BIN_S) == [10 * tenth for tenth in range(6, 21)]
    assert hdbscan.sizes(300, HdbscanSettings(smallest_s=0.0), BIN_S) == [2, 3, 4, 5, 6]


def test_without_clusters_the_error_names_the_settings_to_change(cpu):
    points, _ = blobs(sizes=(100, 100, 100, 100), noise=0)
    text = (
        r"no clusters in 400 bins at any minimum size from 240 to 280 bins: try a smaller \[clusters\] smallest and sma"
    )
    with pytest.raises(BadInput, match=text):
        clustering.cluster(points, BIN_S, Settings(clusters=HdbscanSettings(smallest=0.6, largest=0.7, step=0.1)), cpu)
    smaller = Settings(clusters=HdbscanSettings(smallest=0.1, largest=0.2, step=0.1))  # what the error says to try
    assert clustering.cluster(points, BIN_S, smaller, cpu).soft.max() == 3


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(np.asarray([[0.0, 0.0], [1.0, 1.0]]), id="two points"),
        pytest.param(np.ones((50, 3)), id="equal points"),
        pytest.param(np.arange(20.0)[:, None] ** 2, id="one dimension without a gap"),
        pytest.param(np.random.default_rng(0).normal(size=(9, 3)), id="fewer points than core points need"),
    ],
)
@pytest.mark.parametrize("selection", ["eom", "leaf"])
def test_points_that_never_split_give_no_cluster(cpu, points, selection):
    points = points.astype(np.float32)
    linkage = hdbscan_tree.single_linkage(points, 10)
    for size in (2, len(points), len(points) + 1, 10 * len(points)):
        cut = hdbscan_tree.cut(linkage, size, selection)
        assert (cut.labels == -1).all()
        assert len(cut.selected) == 0
    with pytest.raises(BadInput, match=f"no clusters in {len(points)} bins"):
        clustering.cluster(points, BIN_S, Settings(clusters=HdbscanSettings(selection=selection)), cpu)


@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_two_clouds_on_a_line_are_two_clusters_even_if_their_points_are_equal(cpu, spread):
    positions = np.repeat([0.0, 5.0], [40, 30]) + spread * np.random.default_rng(0).uniform(size=70)
    settings = Settings(clusters=HdbscanSettings(smallest=0.3, largest=0.4, step=0.1))
    result = clustering.cluster(positions[:, None].astype(np.float32), BIN_S, settings, cpu)
    assert result.soft.tolist() == result.hard.tolist() == [0] * 40 + [1] * 30


def test_equal_points_give_the_same_tree_every_time(cpu):
    points = np.repeat(np.random.default_rng(1).normal(size=(100, 3)), 7, axis=0).astype(np.float32)
    first = hdbscan_tree.single_linkage(points, 10)
    assert all(np.array_equal(hdbscan_tree.single_linkage(points, 10), first) for _ in range(100))


def labelled(monkeypatch, backend, hard, membership, places):
    """Clustering of bins on a line from the labels and memberships of a clusterer."""
    fitted = ClusterFit(np.asarray(hard), np.asarray(membership), [])
    monkeypatch.setattr(registry, "of", lambda *_: SimpleNamespace(fit=lambda *_: fitted))
    return clustering.cluster(np.asarray(places, dtype=np.float32)[:, None], BIN_S, Settings(), backend)


def test_a_cluster_without_soft_bins_is_dropped_by_hand(monkeypatch, cpu):
    # the largest membership is that of cluster 2 in three bins, of cluster 1 in two, of cluster 0 in none
    membership = [[0.1, 0.2, 0.7], [0.3, 0.4, 0.3], [0.2, 0.3, 0.5], [0.1, 0.9, 0.0], [0.4, 0.1, 0.5]]
    result = labelled(monkeypatch, cpu, [2, 1, 0, 1, -1], membership, range(5))
    assert result.soft.tolist() == [0, 1, 0, 1, 0]
    assert result.hard.tolist() == [0, 1, -1, 1, -1]
    np.testing.assert_allclose(result.membership, np.asarray(membership)[:, [2, 1]], rtol=1e-6)


def test_a_bin_without_membership_keeps_its_cluster_or_gets_that_of_the_nearest_bin(monkeypatch, cpu):
    membership = [[0.9, 0.1], [0.2, 0.8], [np.nan, np.nan], [0.0, 0.0]]
    result = labelled(monkeypatch, cpu, [0, 1, -1, 1], membership, [0.0, 10.0, 8.0, 1.0])
    assert result.soft.tolist() == [1, 0, 0, 0]  # cluster 1 is the larger one
    assert result.hard.tolist() == [1, 0, -1, 0]
    assert result.membership[2:].tolist() == [[0, 0]] * 2
