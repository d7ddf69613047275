import numpy as np
import pytest
from sklearn.decomposition import PCA

from bsoid_gpu.estimators import umap
from bsoid_gpu.estimators.base import JobSize, Monitor
from bsoid_gpu.estimators.umap import UmapSettings, resolved


@pytest.mark.parametrize(("bins", "epochs"), [(300, 500), (9_999, 500), (10_000, 500), (10_001, 200), (10**6, 200)])
def test_epochs_follow_the_number_of_bins(bins, epochs):
    assert resolved(UmapSettings(), bins).epochs == epochs
    assert resolved(UmapSettings(epochs=7), bins).epochs == 7


@pytest.mark.parametrize(
    ("bins", "neighbours"), [(306, 17), (307, 18), (10_000, 100), (1023**2, 1023), (1024**2, 1023), (10**7, 1023)]
)
def test_neighbours_are_the_square_root_of_the_number_of_bins(bins, neighbours):
    assert resolved(UmapSettings(), bins).neighbours == neighbours  # 17.49 and 17.52 are rounded
    assert resolved(UmapSettings(neighbours=40), bins).neighbours == 40


class Messages(Monitor):
    def __init__(self):
        self.messages = []

    def message(self, text):
        self.messages.append(text)


def test_the_variance_chooses_the_dimensions(cpu):
    # six columns with variances 32, 16, 8, 4, 2, 1 of 63: 48/63 = 0.762, 56/63 = 0.889
    rng = np.random.default_rng(0)
    independent = np.linalg.qr(rng.normal(size=(800, 6)) - 0.5)[0]
    scaled = (independent - independent.mean(axis=0)) * np.sqrt([32.0, 16, 8, 4, 2, 1])
    for variance, dimensions in ((0.1, 2), (0.7, 2), (0.85, 3), (1.0, 6)):
        monitor = Messages()
        settings = umap.with_dimensions(UmapSettings(dimensions=0, variance=variance), scaled, cpu, monitor)
        assert settings.dimensions == dimensions
        assert f"the embedding has {dimensions} dimensions" in monitor.messages[0]
    assert umap.with_dimensions(UmapSettings(dimensions=4), scaled, cpu).dimensions == 4
    many = rng.normal(size=(200, 60))
    assert umap.with_dimensions(UmapSettings(dimensions=0, variance=1.0), many, cpu).dimensions == 50


def test_an_embedding_has_the_dimensions_that_the_variance_chooses(cpu):
    scaled = np.random.default_rng(0).normal(size=(320, 7))
    settings = UmapSettings(dimensions=0, variance=0.7, neighbours=10, epochs=20)
    positions = umap.fit(scaled, settings, 1, cpu)
    assert positions.shape == (320, PCA(0.7, svd_solver="full").fit(scaled).n_components_)
    assert np.isfinite(positions).all()
    assert positions.tobytes() == umap.fit(scaled, settings, 1, cpu).tobytes()


def test_one_dimension_is_refused_and_a_chosen_number_has_a_cost():
    assert [umap.problems(UmapSettings(dimensions=number)) for number in (0, 2)] == [[], []]
    assert "dimensions = 1" in umap.problems(UmapSettings(dimensions=1))[0]
    size = JobSize(10_000, 36, 30)
    assert umap.cost(size, UmapSettings(dimensions=0)) == umap.cost(size, UmapSettings(dimensions=6))
