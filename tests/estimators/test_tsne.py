"""t-SNE by scikit-learn, on exact neighbours and from principal components."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_info, threadpool_limits

from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.estimators import tsne
from bsoid_gpu.estimators.base import JobSize
from bsoid_gpu.estimators.tsne import TsneSettings

QUICK = TsneSettings(dimensions=2, perplexity=8.0, iterations=320)


class OneCore(CpuBackend):
    threads = 1


class TwoCores(CpuBackend):
    threads = 2


@pytest.fixture(scope="module")
def clouds():
    """Overlapping clouds of 120 bins in six columns, two bins of them equal."""
    rng = np.random.default_rng(0)
    scaled = rng.normal(0, 3, (5, 6))[rng.integers(5, size=120)] + rng.normal(size=(120, 6))
    scaled[17] = scaled[90]
    return scaled


@pytest.fixture(scope="module")
def embedded(clouds):
    return tsne.fit(clouds, QUICK, 1, CpuBackend())


def test_the_embedding_has_the_neighbours_of_the_features_as_scikit_learns_own(clouds, embedded):
    assert embedded.dtype == np.float32
    assert embedded.shape == (120, 2)
    iterations = tsne.most_iterations(TSNE, 320)
    model = TSNE(2, perplexity=8.0, init="pca", learning_rate="auto", random_state=0, **iterations)
    with threadpool_limits(1):
        theirs = model.fit_transform(clouds.astype(np.float32))
    of_theirs = trustworthiness(clouds, theirs)
    assert of_theirs > 0.95
    assert trustworthiness(clouds, embedded) > of_theirs - 0.02


def test_three_dimensions(clouds):
    positions = tsne.fit(clouds, replace(QUICK, dimensions=3, iterations=500), 1, CpuBackend())
    assert positions.shape == (120, 3)
    assert trustworthiness(clouds, positions) > 0.8


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_cores(clouds, embedded):
    assert tsne.fit(clouds, QUICK, 1, OneCore()).tobytes() == embedded.tobytes()
    assert tsne.fit(clouds, QUICK, 1, TwoCores()).tobytes() == embedded.tobytes()
    assert tsne.fit(clouds, QUICK, 2, OneCore()).tobytes() != embedded.tobytes()


def test_neighbours_are_passed_with_each_bin_as_its_own(clouds, monkeypatch):
    graphs = []
    monkeypatch.setattr(TSNE, "fit_transform", lambda self, graph: graphs.append((self, graph)) or np.zeros((120, 2)))
    tsne.fit(clouds, QUICK, 1, OneCore())
    model, graph = graphs[0]
    distance = squareform(pdist(clouds.astype(np.float32).astype(np.float64)))
    assert graph.indices.reshape(120, -1).shape == (120, 26)  # three times the perplexity, one more, and itself
    assert np.array_equal(graph.indices.reshape(120, -1)[:, 0], np.arange(120))
    np.testing.assert_allclose(graph.data.reshape(120, -1), np.sort(distance, axis=1)[:, :26], atol=1e-5)
    assert model.init.std(axis=0)[0] == pytest.approx(1e-4, rel=1e-4)
    assert model.learning_rate == 50.0


@pytest.mark.parametrize(("repeatable", "threads"), [(True, 1), (False, 2)])
def test_sums_have_one_order_unless_the_embedding_need_not_repeat(clouds, monkeypatch, repeatable, threads):
    used = []

    def fit_transform(self, graph):
        used.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp")
        return np.zeros((120, 2))

    monkeypatch.setattr(TSNE, "fit_transform", fit_transform)
    with threadpool_limits(2):
        tsne.fit(clouds, replace(QUICK, repeatable=repeatable), 1, TwoCores())
    assert set(used) == {threads}


def test_settings_that_cannot_be_used_have_a_sentence_and_a_smallest_job():
    assert tsne.problems(TsneSettings()) == tsne.problems(TsneSettings(iterations=250)) == []
    assert "250 or more" in tsne.problems(TsneSettings(iterations=249))[0]
    assert tsne.smallest_job(TsneSettings(perplexity=100.0), 300) == (302, "perplexity = 100")
    assert TsneSettings().step_size(4800) == 100.0
    assert TsneSettings(learning_rate=7.0).step_size(4800) == 7.0


def test_clear_clouds_stay_apart():
    rng = np.random.default_rng(0)
    label = np.arange(120) % 3
    scaled = 20.0 * np.eye(3)[label] + rng.normal(size=(120, 3))
    assert silhouette_score(tsne.fit(scaled, QUICK, 0, CpuBackend()), label) > 0.5


# measured on one core, three dimensions and 1,000 iterations, at about 0.8 of the speed of the reference machine
@pytest.mark.parametrize(("bins", "seconds"), [(2_000, 41.2), (6_000, 202.3), (12_000, 652.2)])
def test_the_cost_is_near_the_measured_one(bins, seconds):
    assert 0.5 < tsne.cost(JobSize(bins, 36, 30), TsneSettings()).serial_s / (0.8 * seconds) < 2
