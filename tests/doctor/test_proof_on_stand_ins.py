"""The proof and the self-check on the stand-ins of RAPIDS: they run, and notice what cuML did wrong."""

import json
from dataclasses import replace

import pytest
from fake_rapids import proof as on_stand_ins
from quick import TINY

from bsoid_gpu.backends import get_backend
from bsoid_gpu.doctor import selfcheck
from bsoid_gpu.doctor.job import run
from bsoid_gpu.estimators import umap_cuda

pytestmark = pytest.mark.slow  # minutes, most of them to compile what stands in for cuML
RELEASES = ["23.12", "26.10"]


@pytest.fixture(scope="module")
def job(cpu):
    return run(selfcheck.recordings(), cpu)


@pytest.fixture
def seeded_as_before(monkeypatch):
    """Give cuML 23.12 the seed, with which it applies the forces of a whole epoch at once."""
    arguments = umap_cuda.arguments
    monkeypatch.setattr(
        umap_cuda,
        "arguments",
        lambda initial, settings, seed, *rest: arguments(initial, settings, seed, *rest) | {"random_state": seed},
    )


@pytest.mark.parametrize("release", RELEASES)
def test_the_self_check_passes(job, release, monkeypatch):
    on_stand_ins.install(monkeypatch, release)
    results = selfcheck.compare(job, get_backend("cuda"))
    assert all(result.passed for result in results), [result.text for result in results]


@pytest.mark.usefixtures("seeded_as_before")
def test_the_self_check_notices_the_seeded_layout_of_older_releases(job, monkeypatch):
    on_stand_ins.install(monkeypatch, "23.12")
    settings = replace(job.settings, embedding=replace(job.settings.embedding, layout="cuml"))
    forced = replace(job, recordings=replace(job.recordings, settings=settings))
    failed = {result.name for result in selfcheck.compare(forced, get_backend("cuda")) if not result.passed}
    assert "embedding" in failed
    assert failed <= {"embedding", "clusters", "agreement"}


@pytest.mark.parametrize("release", RELEASES)
def test_the_proof_runs_from_end_to_end(release, tmp_path, monkeypatch):
    on_stand_ins.install(monkeypatch, release)
    report = on_stand_ins.prove(release, tmp_path / "proof.json", "400", TINY, allocators=("rmm",))
    assert report["complete"]
    assert json.loads((tmp_path / "proof.json").read_text())["stand_ins"] == release
    rows = {row["name"]: row for row in report["rows"]}
    quality = {"embedding", "clusters", "agreement"}  # of so small a job they say little
    failed = {name for name, row in rows.items() if row["verdict"] == "FAILED"}
    assert {name.rpartition(": ")[2] for name in failed} <= quality
    assert rows["neighbours: recall"]["measured"] == 1
    assert 1e-4 < rows["tree of cuML: heights"]["measured"] < 0.25
    verdict = "passed" if release == "26.10" else "information"
    assert rows["layout cuml: repeated"]["verdict"] == verdict
    assert "build, rmm, warm" in rows
