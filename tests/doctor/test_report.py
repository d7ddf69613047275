import json

import pytest
from click.testing import CliRunner

from bsoid_gpu import backends
from bsoid_gpu.backends import cuda_diagnosis, cuda_probe
from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.cli.main import main
from bsoid_gpu.doctor import report, selfcheck
from bsoid_gpu.doctor.result import at_least, at_most

GOOD = at_most("features", 0.0, 1e-9, "largest relative difference 0.0e+00")
BAD = at_least("labels", 0.97, 0.999, "97 % of the frames")


@pytest.fixture
def results(monkeypatch):
    """Results of the self-check of a machine on which CUDA works."""
    checked = [GOOD]
    working = cuda_diagnosis.Diagnosis("cuda", True, ("Tesla V100-PCIE-16GB: compute capability 7.0, 16.9 GB",))
    monkeypatch.setattr(report, "try_cuda", lambda _: (CpuBackend(), working))
    monkeypatch.setattr(selfcheck, "check", lambda *_: checked)
    return checked


def run(*arguments):
    return CliRunner().invoke(main, ["doctor", *arguments])


def test_a_self_check_that_agrees(results):
    done = run("--backend", "cuda")
    assert done.exit_code == 0
    assert "cuda: works" in done.stdout
    assert "self-check of cuda against cpu: passed" in done.stdout
    assert json.loads(run("--json").stdout)["self_check"] == [
        {"name": "features", "passed": True, "text": GOOD.text, "measured": 0.0, "bound": 1e-9, "sense": "at most"}
    ]


def test_a_self_check_that_does_not_agree_exits_with_3(results):
    results.append(BAD)
    for arguments in ([], ["--backend", "cuda"], ["--json"]):
        assert run(*arguments).exit_code == 3
    text = run().stdout
    assert "FAILED  labels: 97 % of the frames" in text
    assert "--backend cpu" in text
    assert run("--backend", "cpu").exit_code == 0
    assert run("--backend", "cuda", "--no-check").exit_code == 0


def test_nothing_is_checked_if_cuda_does_not_work(monkeypatch):
    monkeypatch.setattr(cuda_probe, "survey", cuda_probe.Survey)
    monkeypatch.setattr(selfcheck, "check", lambda *_: pytest.fail("there is nothing to check"))
    examined = json.loads(run("--json").stdout)
    assert examined["self_check"] is None
    assert cuda_probe.Survey.from_dict(examined["survey"]) == cuda_probe.Survey()
    assert run().exit_code == 0
    done = run("--backend", "cuda")
    assert done.exit_code == 3
    assert "cuda: does not work\n  no NVIDIA driver answers" in done.stdout
    assert "  try: " in done.stdout
    assert backends.try_cuda(cuda_probe.Survey())[0] is None
