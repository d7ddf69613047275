"""Clusters as components of a Gaussian mixture."""

import numpy as np
import pytest
from conftest import NumpyArrays
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators import expectation_maximisation as em
from bsoid_gpu.estimators import gaussian_mixture
from bsoid_gpu.estimators.base import JobSize, Monitor
from bsoid_gpu.estimators.gaussian_mixture import GaussianMixtureSettings
from bsoid_gpu.method.clustering import cluster
from bsoid_gpu.settings.schema import Settings


class Kept(Monitor):
    """Keeps the warnings and checkpoints; resumes from one."""

    def __init__(self, checkpoint=None):
        self.warnings, self.checkpoints, self.first = [], [], checkpoint or {}

    def warning(self, text):
        self.warnings.append(text)

    def read(self):
        return self.first

    def save(self, gather):
        self.checkpoints.append(gather())


def islands(bins=900, number=5, seed=0):
    rng = np.random.default_rng(seed)
    label = rng.integers(number, size=bins)
    centres = 10 * np.eye(5, 3) + 20 * np.eye(5, 3, -3)
    return (centres[label] + rng.normal(0, 1, (bins, 3))).astype(np.float32), label


def fitted(embedding, backend, monitor=None, seed=3, **settings):
    settings = GaussianMixtureSettings(**{"components": 5, "starts": 4, **settings})
    return gaussian_mixture.fit(embedding, settings, seed, backend, monitor or Monitor())


def test_islands_are_the_clusters_and_shares_sum_to_one(cpu):
    embedding, label = islands()
    fit = fitted(embedding, cpu)
    assert adjusted_rand_score(label, fit.hard) > 0.999
    assert fit.membership.shape == (900, 5)
    assert fit.membership.dtype == np.float64
    np.testing.assert_allclose(fit.membership.sum(axis=1), 1, atol=1e-12)
    assert np.array_equal(fit.hard, np.argmax(fit.membership, axis=1))


def test_the_likeliest_start_is_used(cpu):
    embedding, _ = islands()
    fit = fitted(embedding, cpu, components=7, starts=6)
    chosen = [row for row in fit.sweep if row["chosen"]]
    assert [row["start"] for row in fit.sweep] == list(range(6))
    assert len(chosen) == 1
    assert chosen[0]["log_likelihood"] == max(row["log_likelihood"] for row in fit.sweep)
    assert chosen[0]["clusters"] == fit.membership.shape[1]
    assert len({row["log_likelihood"] for row in fit.sweep}) > 1
    # the same start by scikit-learn's own words
    points = embedding.astype(np.float64) - embedding.astype(np.float64).mean(axis=0)
    regularisation = 1e-6 * points.var(axis=0).mean()
    first = gaussian_mixture.first_mixture(points, 7, regularisation, (3, chosen[0]["start"]))
    model = GaussianMixture(
        7, reg_covar=regularisation, weights_init=first.weights, means_init=first.means, max_iter=200,
        precisions_init=np.linalg.inv(first.covariances),
    ).fit(points)  # fmt: skip
    assert chosen[0]["log_likelihood"] == pytest.approx(model.lower_bound_, abs=1e-6)
    if fit.membership.shape[1] == 7:
        np.testing.assert_allclose(fit.membership, model.predict_proba(points), atol=1e-6)


def test_neither_the_unit_nor_the_origin_of_the_embedding_matters(cpu):
    embedding, _ = islands()
    one, other = fitted(embedding, cpu), fitted(1000 * embedding + 5000, cpu)
    assert np.array_equal(one.hard, other.hard)
    np.testing.assert_allclose(one.membership, other.membership, atol=1e-3)  # the shift rounds float32


def test_components_that_are_the_likeliest_of_no_bin_or_light_are_dropped(cpu, monkeypatch):
    embedding = np.repeat([[-5.0], [5.0]], [95, 5], axis=0).astype(np.float32)
    # the third lies below the first everywhere
    mixture = em.Mixture(np.array([0.9, 0.05, 0.05]), np.array([[-0.5], [9.5], [-0.5]]), np.ones((3, 1, 1)))
    done = em.Maximised(mixture, -1.0, 3, True)
    monkeypatch.setattr(gaussian_mixture, "by_scikit_learn", lambda *_: done)
    fit = fitted(embedding, cpu, components=3, starts=1)
    assert fit.membership.shape == (100, 2)
    assert np.bincount(fit.hard).tolist() == [95, 5]
    np.testing.assert_allclose(fit.membership.sum(axis=1), 1, atol=1e-12)
    light = fitted(embedding, cpu, components=3, starts=1, smallest_share=0.06)
    assert light.membership.tolist() == [[1.0]] * 100
    assert light.sweep[0]["clusters"] == 1
    monkeypatch.setattr(gaussian_mixture, "by_scikit_learn", lambda *_: done._replace(mixture=mixture._replace(
        weights=np.full(3, 1 / 3))))  # fmt: skip
    with pytest.raises(BadInput, match="smallest_share"):
        fitted(embedding, cpu, components=3, starts=1, smallest_share=0.5)


def test_bins_without_a_clear_cluster_are_noise_on_request(cpu):
    rng = np.random.default_rng(0)
    overlapping = (rng.normal(0, 1, (600, 2)) + 3.0 * rng.integers(2, size=(600, 1))).astype(np.float32)
    fit = fitted(overlapping, cpu, components=2, min_probability=0.9)
    unclear = fit.membership.max(axis=1) < 0.9
    assert 10 < unclear.sum() < 200
    assert np.array_equal(fit.hard < 0, unclear)
    np.testing.assert_allclose(fit.membership.sum(axis=1), 1, atol=1e-12)
    assert (fitted(overlapping, cpu, components=2).hard >= 0).all()


def test_starts_that_do_not_converge_are_reported_by_the_monitor(cpu):
    monitor = Kept()
    fitted(islands()[0], cpu, monitor, max_iterations=1, components=8)
    (text,) = monitor.warnings
    assert "4 of 4 starts" in text
    assert "max_iterations" in text


def test_the_same_seed_gives_the_same_bytes_and_resumes_from_any_start(cpu):
    embedding, _ = islands()
    monitor = Kept()
    whole = fitted(embedding, cpu, monitor, components=8)
    assert whole.membership.tobytes() == fitted(embedding, cpu, components=8).membership.tobytes()
    assert fitted(embedding, cpu, components=8, seed=4).sweep != whole.sweep
    assert len(monitor.checkpoints) == 4
    for checkpoint in monitor.checkpoints:
        rest = Kept(checkpoint)
        resumed = fitted(embedding, cpu, rest, components=8)
        assert resumed.membership.tobytes() == whole.membership.tobytes()
        assert resumed.sweep == whole.sweep
        assert len(rest.checkpoints) == 4 - len(checkpoint) // 4


def test_equal_positions_have_a_mixture(cpu):
    fit = fitted(np.zeros((50, 2), dtype=np.float32), cpu, components=1)
    assert fit.hard.tolist() == [0] * 50


def test_a_mixture_by_array_code_gives_the_same_clusters(cpu, monkeypatch):
    embedding, _ = islands()
    expected = fitted(embedding, cpu, components=7)

    def array_code(points, first, settings, regularisation):
        rules = settings.tolerance, settings.max_iterations, NumpyArrays().to_host
        return em.maximised(points, first, regularisation, *rules)

    monkeypatch.setattr(gaussian_mixture, "by_scikit_learn", array_code)
    same = fitted(embedding, cpu, components=7)
    assert same.sweep == expected.sweep
    np.testing.assert_allclose(same.membership, expected.membership, atol=1e-6)


def test_it_is_a_step_of_the_method_and_needs_a_bin_for_each_component(cpu):
    settings = Settings(clusters=GaussianMixtureSettings(components=6, starts=2))
    clusters = cluster(islands()[0], 0.1, settings, cpu)
    sizes = np.bincount(clusters.soft)
    assert sizes.tolist() == sorted(sizes, reverse=True)
    assert list(clusters.sweep.columns) == ["start", "clusters", "log_likelihood", "iterations", "chosen"]
    assert gaussian_mixture.ESTIMATOR.smallest_job(settings.clusters, 500) == (6, "components = 6")
    few, many = (gaussian_mixture.cost(JobSize(bins, 36, 30), settings.clusters).parallel_s for bins in (1e3, 1e4))
    assert many == pytest.approx(10 * few)
