"""cuML's t-SNE, on stand-ins."""

import fake_rapids
import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from bsoid_gpu.backends.cuda import CudaBackend
from bsoid_gpu.estimators import tsne
from bsoid_gpu.estimators.base import Monitor
from bsoid_gpu.estimators.tsne import TsneSettings

QUICK = TsneSettings(dimensions=2, perplexity=8.0, iterations=320)


class Heard(Monitor):
    def __init__(self):
        self.messages, self.warnings = [], []

    def message(self, text):
        self.messages.append(text)

    def warning(self, text):
        self.warnings.append(text)


@pytest.fixture(params=["23.12", "26.10"])
def release(request):
    return request.param


@pytest.fixture
def rapids(release, monkeypatch):
    return fake_rapids.install(monkeypatch, release)


@pytest.fixture
def columns():
    rng = np.random.default_rng(0)
    return rng.normal(0, 3, (5, 6))[rng.integers(5, size=120)] + rng.normal(size=(120, 6))


def test_two_dimensions_are_cumls_with_the_settings(rapids, release, columns):
    backend, monitor = CudaBackend(), Heard()
    positions = tsne.fit(backend.asarray(columns), QUICK, 5, backend, monitor)
    on_host = backend.to_host(positions)
    assert on_host.dtype == np.float32
    assert trustworthiness(columns, on_host) > 0.85
    (arguments,) = rapids.arguments_of("cuml.manifold.TSNE")
    assert (arguments["n_components"], arguments["perplexity"], arguments["n_neighbors"]) == (2, 8.0, 26)
    assert (arguments["learning_rate"], arguments["learning_rate_method"]) == (50.0, "none")
    assert arguments["n_iter" if release == "23.12" else "max_iter"] == 320
    assert arguments["init"] == ("random" if release == "23.12" else "pca")
    assert arguments["random_state"] == 5
    old = [text for text in monitor.warnings if "23.12" in text]
    assert len(old) == len(monitor.warnings) == (2 if release == "23.12" else 0)


def test_the_newest_release_repeats(monkeypatch, columns):
    fake_rapids.install(monkeypatch, "26.10")
    backend = CudaBackend()
    data = backend.asarray(columns)
    first, same = (backend.to_host(tsne.fit(data, QUICK, 5, backend)) for _ in range(2))
    assert np.array_equal(first, same)


def test_three_dimensions_are_those_of_the_host_and_said(rapids, columns, cpu):
    backend, monitor = CudaBackend(), Heard()
    settings = TsneSettings(perplexity=8.0, iterations=500)
    positions = tsne.fit(backend.asarray(columns), settings, 5, backend, monitor)
    assert "computed on the host" in monitor.messages[0]
    assert not rapids.arguments_of("cuml.manifold.TSNE")
    assert trustworthiness(columns, backend.to_host(positions)) > 0.8
