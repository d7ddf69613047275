import json
import sys
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner
from quick import TINY

from bsoid_gpu import backends
from bsoid_gpu.backends import cuda_probe
from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.cli.main import main
from bsoid_gpu.doctor import proof, proof_builds, proof_steps, proof_worker
from bsoid_gpu.doctor.card_memory import NoMemory, Peak
from bsoid_gpu.doctor.proof_record import Record
from bsoid_gpu.doctor.proof_table import table
from bsoid_gpu.doctor.result import at_least, information
from bsoid_gpu.doctor.sessions import simulated
from bsoid_gpu.errors import BadInput
from bsoid_gpu.settings.toml import to_toml

BINS = 400
# writes the result of a worker whose models have the digests of the first argument
WORKER = """
import json, sys
runs = zip(("cold", "warm", "no seed"), sys.argv[1].split())
content = {name: {"model": model, "seconds": {"build": 2.0, "predict": 0.5}} for name, model in runs}
open(sys.argv[-1], "w").write(json.dumps(content))
"""
STEPS = ["features", "neighbours", "layout own", "tree of cuML", "classifier"]


class Broken(CpuBackend):
    """Computes nothing."""

    def asarray(self, values):
        msg = "no kernel image is available"
        raise RuntimeError(msg)


class Unrepeatable(CpuBackend):
    """Rounds differently each time."""

    def asarray(self, values):
        noise = np.random.default_rng().normal(1, 1e-3, size=values.shape)
        return values * noise if values.dtype.kind == "f" else values


class TwoGigabytes:
    """Device memory in which every computation needs 2 GB."""

    @contextmanager
    def peak(self):
        peak = Peak()
        yield peak
        peak.bytes = 2 * 10**9


@pytest.fixture
def record(tmp_path):
    return Record(tmp_path / "proof.json", {}, NoMemory())


def plan(models="a a b", **changes):
    worker = (sys.executable, "-c", WORKER, models)
    return proof.Plan(**{"sizes": (BINS,), "settings": TINY, "layouts": ("own",), "worker": worker} | changes)


def rows(report, verdict="FAILED"):
    return [row["name"] for row in report["rows"] if row["verdict"] == verdict]


def test_a_backend_proves_itself(tmp_path, cpu):
    report = proof.prove(tmp_path / "proof.json", cpu, cpu, plan(facts={"stand_ins": "none"}))
    assert rows(report) == []
    assert report["complete"]
    assert report["passed"]
    assert json.loads((tmp_path / "proof.json").read_text()) == json.loads(json.dumps(report))
    assert report["stand_ins"] == "none"
    assert {"machine", "versions", "card", "nvidia_smi", "survey", "sizes", "warm_up", "tolerances"} <= set(report)
    assert {row["data"] for row in report["rows"]} == {"400 bins"}
    measured = {row["name"]: row["measured"] for row in report["rows"]}
    assert measured["features: difference"] == measured["tree of cuML: heights"] == 0
    assert measured["layout own: agreement"] == measured["labels of frames: equal"] == 1
    assert measured["layout own: repeated"] == measured["build: repeated"] == 1


def test_a_broken_backend_fails_in_every_step_and_the_report_is_complete(tmp_path, cpu):
    report = proof.prove(tmp_path / "proof.json", cpu, Broken(), plan())
    assert rows(report) == [step for step in STEPS if step != "tree of cuML"]
    assert report["complete"]
    assert not report["passed"]
    assert "RuntimeError: no kernel image is available" in {row["text"] for row in report["rows"]}
    assert "build: repeated" in rows(report, "passed")


def test_what_is_measured_stays_when_the_proof_is_killed(tmp_path, cpu, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(proof_steps, "tree", killed)
    with pytest.raises(KeyboardInterrupt):
        proof.prove(tmp_path / "proof.json", cpu, cpu, plan())
    report = json.loads((tmp_path / "proof.json").read_text())
    assert not report["complete"]
    assert not report["passed"]
    assert "layout own: agreement" in rows(report, "passed")
    assert table(report).endswith("not complete")


def test_a_job_that_the_cpu_cannot_compute_is_a_failure_and_the_next_one_runs(tmp_path, cpu):
    class Fails(CpuBackend):
        calls = 0

        def map(self, jobs):
            Fails.calls += 1
            if Fails.calls == 1:
                msg = "no memory"
                raise MemoryError(msg)
            return super().map(jobs)

    report = proof.prove(tmp_path / "proof.json", Fails(), cpu, plan(sizes=(BINS, BINS + 1)))
    assert [row["name"] for row in report["rows"] if row["data"] == "400 bins"] == ["the job on cpu"]
    assert rows(report) == ["the job on cpu"]


def test_an_embedding_that_differs_each_time_is_a_failure(job, record):
    proof_steps.layout(job, Unrepeatable(), record, "own")
    assert "layout own: repeated" in rows(record.report)


def test_wrong_features_neighbours_and_classifiers_are_failures(job, record):
    for step in (proof_steps.features, proof_steps.neighbours, proof_steps.classifier):
        step(job, Unrepeatable(), record)
    assert {"features: difference", "neighbours: recall"} <= set(rows(record.report))


def test_more_memory_than_estimated_is_a_failure(tmp_path):
    record = Record(tmp_path / "proof.json", {}, TwoGigabytes())
    assert record.computed("enough", lambda: 3, 3e9) == 3
    record.computed("too much", lambda: 3, 1e9)
    record.computed("far too much", lambda: 3, 20e9)
    record.computed("unknown", lambda: 3)
    assert [row["verdict"] for row in record.report["rows"]] == ["passed", "FAILED", "passed", "information"]
    assert [row["peak_gb"] for row in record.report["rows"]] == [2, 2, 2, 2]
    assert "more than 4 times as much" in record.report["rows"][2]["text"]


def test_a_model_that_differs_each_time_is_a_failure(job, record, cpu):
    for models, failed in (("a a b", []), ("a b b", ["build: repeated"])):
        record.report["rows"].clear()
        proof_builds.builds(job, cpu, record, ["cupy", "rmm"], plan(models).worker)
        assert rows(record.report) == failed
    (row,) = (row for row in record.report["rows"] if row["name"] == "build, rmm, no seed")
    assert row["seconds"] == 2
    assert row["text"] == "build 2.0 s, predict 0.5 s"


def test_an_error_in_a_worker_is_its_last_line(job, record, cpu):
    failing = (sys.executable, "-c", "import sys; sys.exit('first\\nout of memory')")
    proof_builds.builds(job, cpu, record, ["rmm"], failing)
    (failure,) = record.report["rows"]
    assert failure["verdict"] == "FAILED"
    assert failure["text"] == "RuntimeError: the worker ended with 1: out of memory"


def test_a_worker_builds_three_times(tmp_path, tiny, monkeypatch):
    monkeypatch.delenv(proof_worker.POOL, raising=False)
    monkeypatch.setenv(proof_worker.POOL, "")  # undone after the test
    sessions, settings, result = tmp_path / "sessions", tmp_path / "settings.toml", tmp_path / "result.json"
    sessions.mkdir()
    for content in simulated(BINS):
        (sessions / f"{content.name}.csv").write_bytes(content.data)
    settings.write_text(to_toml(tiny))
    proof_worker.main([str(sessions), str(settings), "cpu", "rmm", str(result)])
    runs = json.loads(result.read_text())
    assert set(runs) == {"cold", "warm", "no seed"}
    assert runs["cold"]["model"] == runs["warm"]["model"]
    assert set(runs["cold"]["seconds"]) == {"build", "predict", "features", "embedding", "clusters", "classifier"}


def test_real_recordings_are_one_more_job(tmp_path, cpu):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for content in simulated(BINS, seed=3):
        (folder / f"{content.name}.csv").write_bytes(content.data)
    report = proof.prove(tmp_path / "proof.json", cpu, cpu, plan(sizes=(), recordings=folder, fps="60"))
    assert report["passed"]
    assert {row["data"] for row in report["rows"]} == {"recordings"}


def test_sizes_are_numbers_of_bins():
    assert proof.sizes_from("3000, 30000") == (3000, 30000)
    for text in ("", "3000,", "many", "20", "-3000"):
        with pytest.raises(BadInput, match="expected numbers of bins"):
            proof.sizes_from(text)


@pytest.mark.parametrize("passed", [True, False])
def test_the_command_writes_the_proof_and_says_whether_it_passed(tmp_path, cpu, monkeypatch, passed):
    def prove(path, reference, other, plan):
        assert (reference.name, other.name) == ("cpu", "cpu")
        assert (plan.sizes, plan.recordings, plan.fps) == ((600, 700), tmp_path, "30")
        return {"rows": [], "complete": True, "passed": passed}

    monkeypatch.setattr(proof, "prove", prove)
    monkeypatch.setattr(backends, "get_backend", {"cuda": cpu}.get)
    path = str(tmp_path / "proof.json")
    arguments = ["--proof", path, "--sizes", "600,700", "--recordings", str(tmp_path), "--fps", "30"]
    done = CliRunner().invoke(main, ["doctor", *arguments])
    assert done.exit_code == (0 if passed else 3)
    assert done.stdout == f"{path}\n"
    assert done.stderr.startswith("data ")


def test_without_a_card_there_is_no_proof(tmp_path, monkeypatch):
    monkeypatch.setattr(cuda_probe, "survey", cuda_probe.Survey)
    done = CliRunner().invoke(main, ["doctor", "--proof", str(tmp_path / "proof.json")])
    assert done.exit_code == 3
    assert not (tmp_path / "proof.json").exists()


def test_the_table_has_every_row_and_explains_failures(record):
    with record.step("3,000 bins", "neighbours"):
        record.add(at_least("neighbours: recall", 0.98, 1.0, "98 % of the neighbours are the same"))
        record.add(information("build", "build 2.0 s"), seconds=2.0)
    lines = table(record.finish()).splitlines()
    assert [" ".join(line.split()) for line in lines[:3]] == [
        "data step measured bound verdict seconds peak GB estimated GB",
        "3,000 bins neighbours: recall 0.98 at least 1 FAILED",
        "3,000 bins build information 2.0",
    ]
    assert lines[3] == "FAILED  3,000 bins: neighbours: recall: 98 % of the neighbours are the same"
    assert lines[4] == "2 rows, 1 failed"


def test_nothing_of_other_people_is_reported(monkeypatch):
    text = "| Tesla V100 |\n+-----+\n\n+-----+\n| Processes: |\n|  0  1234  C  python secret.py |"
    done = partial(proof.subprocess.CompletedProcess, [], 0, text, "")
    monkeypatch.setattr(proof.subprocess, "run", lambda *_, **__: done())
    assert proof.nvidia_smi() == "| Tesla V100"
