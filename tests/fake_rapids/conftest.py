"""Fixtures: the stand-ins of each release."""

import warnings

import numpy as np
import pytest

import fake_rapids


@pytest.fixture(params=["23.12", "26.10"])
def release(request):
    return request.param


@pytest.fixture
def rapids(release, monkeypatch):
    """The ledger of the release; nothing is imported yet."""
    return fake_rapids.install(monkeypatch, release)


@pytest.fixture
def imported(rapids):
    """The ledger, with all libraries imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import cuml  # noqa: F401
    return rapids


@pytest.fixture
def points():
    """Clouds in three dimensions, up to 20 from the origin."""
    rng = np.random.default_rng(0)
    parts = [rng.normal(rng.uniform(0, 20, 3), rng.uniform(0.1, 0.5), (300, 3)) for _ in range(6)]
    return np.concatenate(parts).astype(np.float32)
