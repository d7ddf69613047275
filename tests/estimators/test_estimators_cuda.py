"""The mixture and the support vector machine on the stand-ins of a device."""

import fake_rapids
import numpy as np
import pytest

from bsoid_gpu.backends.cuda import CudaBackend
from bsoid_gpu.errors import OutOfMemory
from bsoid_gpu.estimators import gaussian_mixture, svm
from bsoid_gpu.estimators.gaussian_mixture import GaussianMixtureSettings
from bsoid_gpu.estimators.svm import SvmSettings


@pytest.fixture(params=["23.12", "26.10"])
def rapids(request, monkeypatch):
    return fake_rapids.install(monkeypatch, request.param)


def clouds():
    rng = np.random.default_rng(0)
    label = rng.integers(4, size=500)
    return (4 * rng.normal(size=(4, 3))[label] + rng.normal(size=(500, 3))).astype(np.float32), label


def test_the_mixture_is_that_of_the_host(rapids, cpu):
    embedding, _ = clouds()
    settings = GaussianMixtureSettings(components=6, starts=3)
    there, here = (gaussian_mixture.fit(embedding, settings, 3, backend) for backend in (CudaBackend(), cpu))
    assert there.sweep == here.sweep
    assert isinstance(there.membership, np.ndarray)
    np.testing.assert_allclose(there.membership, here.membership, atol=1e-6)
    assert rapids.to_device


def test_a_mixture_that_does_not_fit_is_refused(rapids):
    backend = CudaBackend()
    rapids.free_bytes = 10**5
    with pytest.raises(OutOfMemory, match="a mixture of 6 components on 500 bins"):
        gaussian_mixture.fit(clouds()[0], GaussianMixtureSettings(components=6, starts=1), 3, backend)


def test_the_machine_predicts_on_the_device_as_on_the_host(rapids, cpu):
    features, label = clouds()
    backend = CudaBackend()
    device, host = (svm.fit(b.asarray(features), b.asarray(label), 5, SvmSettings(), 0, b) for b in (backend, cpu))
    for name, array in host.arrays().items():
        np.testing.assert_allclose(backend.to_host(device.arrays()[name]), array, atol=1e-12, err_msg=name)
    probabilities = backend.to_host(device.predict_proba(backend.asarray(features)))
    np.testing.assert_allclose(probabilities, host.predict_proba(features), atol=1e-6)
