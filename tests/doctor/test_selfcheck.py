import numpy as np

from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.doctor import selfcheck

NAMES = ["features: difference", "neighbours: recall", "embedding", "clusters", "agreement", "labels"]


class Wrong(CpuBackend):
    """Wrong in every step, without errors."""

    name = "wrong"

    def asarray(self, values):
        return np.random.default_rng(0).permutation(values)


class Broken(CpuBackend):
    """Raises in every step."""

    name = "broken"

    def asarray(self, values):
        msg = "no kernel image is available\nfor execution on the device"
        raise RuntimeError(msg)


def test_a_backend_agrees_with_itself(job, cpu):
    results = selfcheck.compare(job, cpu)
    assert [result.name for result in results] == NAMES
    assert all(result.passed for result in results), results
    assert results[0].measured == 0


def test_each_check_can_fail(job):
    results = selfcheck.compare(job, Wrong())
    assert [result.name for result in results] == NAMES
    assert [result.name for result in results if result.passed] in ([], ["clusters"])  # as many, of other bins
    assert all(result.measured is not None for result in results)


def test_an_error_is_a_failed_check(job):
    results = selfcheck.compare(job, Broken())
    assert [result.name for result in results if not result.passed] == ["features", "neighbours", "embedding", "labels"]
    assert results[0].text == "RuntimeError: no kernel image is available for execution on the device"
