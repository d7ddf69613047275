import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from bsoid_gpu import cluster, tree
from bsoid_gpu.config import Clusters
from bsoid_gpu.errors import BadInput


def blobs(seed=0, sizes=(400, 300, 200, 100), noise=50):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-20, 20, size=(len(sizes), 3))
    points = [rng.normal(centre, 0.5, size=(size, 3)) for centre, size in zip(centres, sizes, strict=True)]
    truth = np.repeat(np.arange(len(sizes)), sizes)
    return np.concatenate([*points, rng.uniform(-25, 25, size=(noise, 3))]).astype(np.float32), truth


@pytest.mark.parametrize("selection", ["eom", "leaf"])
def test_one_tree_cut_at_any_size_is_hdbscan_fitted_at_that_size(cpu, selection):
    import hdbscan

    points, _ = blobs()
    linkage = cpu.single_linkage(points, 10)
    for size in (15, 40, 90):
        fitted = hdbscan.HDBSCAN(
            min_cluster_size=size, min_samples=10, cluster_selection_method=selection,
            approx_min_span_tree=False, prediction_data=True,
        ).fit(points.astype(float))  # fmt: skip
        cut = tree.cut(linkage, size, selection)
        assert adjusted_rand_score(fitted.labels_, cut.labels) > 0.99
        vectors = cpu.membership_vectors(points, linkage, size, Clusters(selection=selection))
        expected = hdbscan.all_points_membership_vectors(fitted)
        assert vectors.shape == expected.shape
        assert np.mean(np.argmax(vectors, 1) == np.argmax(expected, 1)) > 0.99


def test_labels_are_numbered_by_size_and_every_bin_has_one(cpu):
    points, truth = blobs()
    clustering = cluster.cluster(points, Clusters(smallest=0.02, largest=0.06, step=0.01), cpu)
    counts = np.bincount(clustering.soft)
    assert (np.diff(counts) <= 0).all()
    assert counts.sum() == len(points)
    assert (clustering.hard == -1).any()
    assert adjusted_rand_score(clustering.soft[: len(truth)], truth) > 0.99
    sure = clustering.hard >= 0
    assert (clustering.hard[sure] == clustering.soft[sure]).mean() > 0.99
    assert np.array_equal(np.argmax(clustering.membership, 1), clustering.soft)


def test_the_run_with_the_most_clusters_is_kept_the_first_of_several(cpu):
    points, _ = blobs()
    clustering = cluster.cluster(points, Clusters(smallest=0.01, largest=0.3, step=0.01), cpu)
    chosen = clustering.sweep[clustering.sweep["chosen"]]
    assert len(chosen) == 1
    most = clustering.sweep["clusters"].max()
    assert (
        chosen.iloc[0]["min_cluster_size"]
        == clustering.sweep[clustering.sweep["clusters"] == most]["min_cluster_size"].min()
    )


def test_sizes_by_hand():
    assert cluster.sizes(10_000, Clusters()) == [10 * tenth for tenth in range(6, 21)]
    assert cluster.sizes(300, Clusters()) == [2, 3, 4, 5, 6]


def test_no_cluster_says_what_to_change(cpu):
    points = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    with pytest.raises(BadInput, match=r"\[clusters\] selection"):
        cluster.cluster(points, Clusters(smallest=0.4, largest=0.5, step=0.1), cpu)


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
def test_points_that_never_split_in_two_are_no_cluster(cpu, points, selection):
    points = points.astype(np.float32)
    linkage = cpu.single_linkage(points, 10)
    for size in (2, len(points), len(points) + 1, 10 * len(points)):
        cut = tree.cut(linkage, size, selection)
        assert (cut.labels == -1).all()
        assert len(cut.selected) == 0
    with pytest.raises(BadInput, match=f"no clusters in {len(points)} bins"):
        cluster.cluster(points, Clusters(selection=selection), cpu)


@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_two_clouds_on_a_line_are_two_clusters_even_of_equal_points(cpu, spread):
    places = np.repeat([0.0, 5.0], [40, 30]) + spread * np.random.default_rng(0).uniform(size=70)
    clustering = cluster.cluster(places[:, None].astype(np.float32), Clusters(smallest=0.3, largest=0.4, step=0.1), cpu)
    assert clustering.soft.tolist() == clustering.hard.tolist() == [0] * 40 + [1] * 30


def test_equal_points_give_the_same_tree_every_time(cpu):
    points = np.repeat(np.random.default_rng(1).normal(size=(100, 3)), 7, axis=0).astype(np.float32)
    first = cpu.single_linkage(points, 10)
    assert all(np.array_equal(cpu.single_linkage(points, 10), first) for _ in range(100))
