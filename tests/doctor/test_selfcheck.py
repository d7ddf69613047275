import numpy as np

from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.doctor import selfcheck

STEPS = ["features", "embedding", "clusters", "memberships", "labels"]


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


def test_a_backend_agrees_with_itself(cpu):
    results = selfcheck.check(cpu, cpu, minutes=1)
    assert [result.name for result in results] == STEPS
    assert all(result.passed for result in results), results
    assert results[0].measured == 0


def test_each_check_can_fail(cpu):
    results = selfcheck.check(cpu, Wrong(), minutes=1)
    assert [result.name for result in results if not result.passed] == STEPS
    assert all(result.measured is not None for result in results)


def test_an_error_is_a_failed_check(cpu, monkeypatch):
    job = selfcheck.run(cpu, minutes=1)
    monkeypatch.setattr(selfcheck, "run", lambda *_: job)
    results = selfcheck.check(cpu, Broken())
    assert [result.name for result in results if not result.passed] == STEPS
    assert results[0].text == "RuntimeError: no kernel image is available for execution on the device"
