"""The benchmarks fit the present interface: each is run on a job that is as small as can be."""

import functools
import importlib
import importlib.util
import json
import sys
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from quick import TINY

import bsoid_gpu
from bsoid_gpu.cli.main import main as cli
from bsoid_gpu.io import read_pose
from bsoid_gpu.settings.toml import to_toml
from bsoid_gpu.synthetic.sessions import simulate

FPS = 30.0
FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
MODULES = sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.fixture(scope="module", autouse=True)
def benchmark():
    """Imports a benchmark by its name."""
    threads = numba.get_num_threads()
    numba.set_num_threads(1)  # on a busy machine, threads that wait for each other take most of the time
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield importlib.import_module
    numba.set_num_threads(threads)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("sessions"), sessions=2, minutes=0.7, fps=FPS, seed=1)


@pytest.fixture(scope="module")
def built(sessions, tmp_path_factory):
    """A run and its folder."""
    folder = tmp_path_factory.mktemp("built") / "run"
    return bsoid_gpu.build(sessions, fps=FPS, out=folder, settings=TINY, backend="cpu"), folder


@pytest.fixture
def tiny_builds(monkeypatch):
    monkeypatch.setattr(bsoid_gpu, "build", functools.partial(bsoid_gpu.build, settings=TINY))


@pytest.fixture
def run_script(benchmark, monkeypatch):
    """Runs a benchmark with the arguments of a command line."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        benchmark(name).main()

    return run


@pytest.mark.parametrize("name", MODULES)
def test_every_benchmark_imports_what_is_there(name, benchmark):
    assert benchmark(name).__doc__


def test_the_judge(benchmark, built):
    judge = benchmark("judge")
    run, folder = built
    scaled, positions = judge.stored_embedding(folder)
    np.testing.assert_array_equal(scaled, run.scaled_features)
    np.testing.assert_array_equal(positions, run.embedding)
    assert judge.trustworthiness(scaled, scaled) == 1
    assert judge.trustworthiness(scaled, positions) > 0.8
    labels = np.array([0, 0, 1, 1, -1, 2])
    assert judge.agreement(labels, np.array([7, 7, 3, 3, 3, -1])) == 1
    assert judge.agreement(labels, np.array([0, 1, 0, 1, 1, -1])) == 0


def test_seconds_are_medians_and_reports_name_no_host(benchmark, monkeypatch):
    measuring = benchmark("measuring")
    clock = iter([0.0, 1.0, 1.0, 11.0, 11.0, 13.0])
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: next(clock))
    assert measuring.timed(max, 2, 3, repeats=3, key=abs) == (3, 2.0)
    stages = {"features a": {"seconds": 1.0}, "features b": {"seconds": 2.0}, "clusters": {"seconds": 4.0}}
    assert measuring.seconds_by_kind(stages) == {"features": 3.0, "clusters": 4.0}
    report = measuring.circumstances("hypothesis")
    assert set(report["machine"]) == {"system", "cores", "memory_gb"}
    assert {"bsoid_gpu", "numpy", "hypothesis"} <= set(report["versions"])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not count memory like this")
def test_time_and_memory_of_a_command(benchmark):
    processes = benchmark("processes")
    seconds, megabytes = processes.timed("--version")
    assert seconds > 0
    assert 5 < megabytes < 2_000
    with pytest.raises(SystemExit, match=r"(?i)no such command"):  # what the command says
        processes.timed("unknown")


def test_sessions_of_a_size(benchmark, sessions, tmp_path, cpu):
    benchmark("cost_against_size").write_sessions(sessions, 3, 1 / 2, tmp_path)
    first, second = (read_pose(path, FPS, cpu).position for path in sessions)
    one, other, again = (read_pose(path, FPS, cpu).position for path in sorted(tmp_path.iterdir()))
    np.testing.assert_array_equal(one, first[: len(first) // 2])
    np.testing.assert_array_equal(other, second[: len(second) // 2])
    assert again.shape == one.shape
    assert not np.array_equal(again, one)


def test_cost_against_size(benchmark, sessions, tmp_path, run_script, monkeypatch):
    cost_against_size = benchmark("cost_against_size")
    (tmp_path / "tiny.toml").write_text(to_toml(TINY))

    def in_this_process(command, *arguments):
        config = ("--config", tmp_path / "tiny.toml") if command == "build" else ()
        done = CliRunner().invoke(cli, [command, *map(str, (*arguments, *config))])
        assert done.exit_code == 0, done.stderr
        return 1.0, 100.0

    monkeypatch.setattr(cost_against_size, "timed", in_this_process)
    monkeypatch.setattr(cost_against_size, "SIZES", {"tiny": (2, 1)})
    monkeypatch.setattr(cost_against_size, "warm_up", lambda *_: None)
    monkeypatch.setattr(cost_against_size, "plot", lambda *_: None)
    result = tmp_path / "result.json"
    run_script("cost_against_size", sessions[0].parent, FPS, result, "--only", "tiny", "--repeats", 1)
    (job,) = json.loads(result.read_text())["jobs"].values()
    assert (job["sessions"], job["frames"], job["repeats"]) == (2, 2 * 1260, 1)
    assert job["training_bins"] == job["bins"] == 2 * 419
    assert set(job["stages_median_s"]) == {"features", "embedding", "clusters", "classifier"}


def test_the_plans_of_a_report_are_computed_again(tmp_path, run_script):
    stored = json.loads((FOLDER / "results" / "scale.json").read_text())
    result = tmp_path / "scale.json"
    spoilt = {name: job | {"planned": {}} for name, job in stored["jobs"].items()}
    result.write_text(json.dumps(stored | {"jobs": spoilt}))
    run_script("cost_against_size", tmp_path, 60, result, "--plan")
    again = json.loads(result.read_text())
    for name, job in stored["jobs"].items():
        planned = again["jobs"][name].pop("planned")
        assert set(planned["stages_s"]) == set(job["planned"]["stages_s"])
        assert again["jobs"][name] == {of: job[of] for of in job if of != "planned"}


def test_the_figure_of_cost_takes_the_stored_results(benchmark, tmp_path):
    pytest.importorskip("matplotlib")
    stored = json.loads((FOLDER / "results" / "scale.json").read_text())
    benchmark("cost_against_size").plot(stored, tmp_path / "scale.png")
    assert (tmp_path / "scale.png").stat().st_size > 10_000


def test_repeated_rows(benchmark, tmp_path, run_script):
    repeated_rows = benchmark("repeated_rows")
    rows = np.arange(2_000, dtype=np.float32)[:, None]
    one, stretches = (repeat(rows, 0.3, np.random.default_rng(0)) for repeat in repeated_rows.KINDS.values())
    assert np.sum(one == rows[0]) == 1 + 600
    lengths = np.unique(stretches, return_counts=True)[1]
    assert set(lengths) == {1, repeated_rows.STRETCH}
    assert len(lengths) == pytest.approx(0.7 * len(rows), abs=repeated_rows.STRETCH / 2)
    run_script("repeated_rows", tmp_path / "result.json", "--rows", 500, "--neighbours", 20, "--repeats", 1)
    report = json.loads((tmp_path / "result.json").read_text())["repeated_rows"]
    assert set(report) == set(repeated_rows.KINDS)
    assert [at["different_rows"] for at in report["one row"].values()] == [500, 350, 200]


def test_the_steps_are_those_of_the_build(benchmark, built):
    steps = benchmark("steps")
    run, folder = built
    job = steps.job_of(folder)
    steps.compile_kernels(job)
    known, of_neighbours = steps.neighbours(job, repeats=1)
    assert of_neighbours["recall"] == 1
    positions, of_umap = steps.our_umap(job, known, repeats=2)
    assert of_umap["same_bytes_as_the_build"]
    labelled, of_clusters = steps.clusterings(job, {"ours": positions, "the build's": run.embedding})
    assert of_clusters["agreement"] == {"ours / the build's": 1}
    assert of_clusters["quality"]["ours"]["clusters"] == run.model.labels
    blobs = np.random.default_rng(0).normal(size=(300, 3)) + 20 * np.repeat(np.eye(3), 100, axis=0)
    assert steps.memberships(job, blobs.astype(np.float32), min_cluster_size=30, repeats=1)["bins_alike"] == 1
    x, labels = steps.training_features(folder)
    np.testing.assert_allclose(x, run.features, atol=1e-6)
    np.testing.assert_array_equal(labels, labelled["ours"].soft)
    scores = steps.perceptrons(x, labels, job.settings)
    assert 1 / run.model.labels < scores["ours"] <= 1
    assert 1 / run.model.labels < scores["scikit-learn"] <= 1


def test_profile_of_a_build(sessions, tmp_path, run_script, tiny_builds):
    run_script("profile_build", sessions[0].parent, FPS, tmp_path / "profile.txt")
    assert "umap_layout.py" in (tmp_path / "profile.txt").read_text()


def test_recordings(benchmark, sessions, tmp_path, tiny_builds, capsys):
    recordings = benchmark("recordings")
    recordings.job("freezing", sessions[:1], sessions[:1], FPS, tmp_path)
    (tmp_path / "freezing" / "labels" / "mouse1.labels.csv").rename(
        tmp_path / "freezing" / "labels" / "demo1_tracking.labels.csv"
    )
    truth = pd.read_csv(sessions[0].parent / "truth" / "mouse1.truth.csv")["behaviour"]
    human = pd.DataFrame({"freezing": (truth == "still").astype(int)})
    human.to_csv(tmp_path / "demo1_freezing_human_frames.DERIVED.csv")
    recordings.freezing(tmp_path, tmp_path)
    printed = capsys.readouterr().out
    assert "freezing: 419 bins" in printed
    assert "majority accuracy" in printed


@pytest.mark.slow
def test_every_step_against_its_library(built, tmp_path, run_script):
    run_script("steps", built[1], tmp_path / "steps.json", "--repeats", 1)
    report = json.loads((tmp_path / "steps.json").read_text())
    assert set(report["graph_s"]) == set(report["graph_memory_mb"]) == {"ours", "umap-learn"}
    assert report["same_bytes_as_the_build"]
    assert set(report["quality"]) == {"ours", "umap-learn, seed 23", "umap-learn, seed 24"}


@pytest.mark.slow
def test_the_demo_and_its_figure(tmp_path, run_script, capfd):
    run_script("demo", tmp_path)
    assert "homogeneity" in capfd.readouterr().out
    if importlib.util.find_spec("matplotlib"):
        run_script("figure", tmp_path, tmp_path / "demo.png")
        assert (tmp_path / "demo.png").stat().st_size > 10_000
