"""Jobs that a cluster interrupts: each ends complete, with the bytes of an undisturbed job."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from hpc.cluster import BIN
from hpc.test_slurm import hpc, logs, submitted

pytestmark = pytest.mark.hpc

LONG = """
[embedding]
epochs = 6000
[classifier]
max_epochs = 40
patience = 40
[validation]
folds = 25
stability = false
"""
RESOURCES = ["--gpu", "none", "--mem", "4g", "--cpus", "2"]
REWRITTEN = {"manifest.json", "log.txt", ".lock"}


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in REWRITTEN
    }


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Path:
    """A job of about 20 s, longer than the time limit of a test; its long stages resume from checkpoints."""
    file = tmp_path_factory.mktemp("settings") / "long.toml"
    file.write_text(LONG)
    return file


@pytest.fixture(scope="module")
def undisturbed(slurm, recordings_60, settings, tmp_path_factory) -> dict[str, bytes]:
    """Files of such a job; it compiles for the others, which have too little time for that."""
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    options = ["--fps", "60", "--config", settings, "--backend", "cpu", "--no-report", "--out", run]
    command = [BIN / "bsoid-gpu", "build", recordings_60, *options]
    subprocess.run(command, check=True, capture_output=True, env=slurm.env)
    return content(run)


@pytest.fixture
def build(slurm, recordings_60, settings, tmp_path):
    """A running build in the stage of the embedding: folder of its jobs, and its number."""
    jobs = tmp_path / "jobs"
    hpc("sbatch", recordings_60, "--fps", 60, "--config", settings, "--out", jobs, *RESOURCES)
    number = slurm.submit(f"--output={jobs}/logs/build.%j.out", "--open-mode=append", jobs / "build.sbatch")
    slurm._until(lambda: (jobs / "run" / "stages" / "features mouse3").exists(), 90)
    return jobs, number


def finished(slurm, jobs: Path, number: str) -> str:
    """Log of an interrupted build, once it is complete."""
    assert slurm.wait(number, 400, {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"}) == "COMPLETED", logs(jobs)
    assert int(slurm.field(number, "Restarts")) >= 1
    return logs(jobs)


def test_a_job_that_is_requeued(slurm, build, undisturbed):
    jobs, number = build
    slurm.run("scontrol", "requeue", number)
    assert "features mouse3: resumed from the run folder" in finished(slurm, jobs, number)
    assert content(jobs / "run") == undisturbed


def test_a_job_that_gets_a_signal(slurm, build, undisturbed):
    jobs, number = build
    slurm.run("scancel", "--batch", "--signal=USR1", number)
    log = finished(slurm, jobs, number)
    assert "stopped by SIGTERM; run the same command again to resume" in log
    assert f"job {number} is requeued" in log
    assert content(jobs / "run") == undisturbed


def test_a_node_that_fails(slurm, build, undisturbed):
    jobs, number = build
    node = slurm.field(number, "BatchHost")
    slurm.fail(node, number)
    try:
        assert "features mouse3: resumed from the run folder" in finished(slurm, jobs, number)
        assert slurm.field(number, "BatchHost") != node
        assert content(jobs / "run") == undisturbed
    finally:
        slurm.restore(node)


def test_a_time_limit(slurm, recordings_60, settings, undisturbed, tmp_path):
    jobs = tmp_path / "jobs"
    hpc("sbatch", recordings_60, "--fps", 60, "--config", settings, "--out", jobs, *RESOURCES)
    number = slurm.submit(
        "--time=2",
        "--signal=B:USR1@75",
        f"--output={jobs}/logs/build.%j.out",
        "--open-mode=append",
        jobs / "build.sbatch",
    )
    log = finished(slurm, jobs, number)
    assert f"job {number} is requeued" in log
    assert content(jobs / "run") == undisturbed


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """Forty short sessions."""
    folder = tmp_path_factory.mktemp("many")
    options = ["--sessions", "40", "--minutes", "1", "--fps", "60", "--seed", "5"]
    subprocess.run([BIN / "bsoid-gpu", "simulate", folder, *options], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def on_one_machine(many, recordings_60, tmp_path_factory) -> tuple[Path, dict[str, bytes]]:
    """A model, and its labels of the forty sessions."""
    folder = tmp_path_factory.mktemp("one machine")
    (folder / "settings.toml").write_text("[validation]\nstability = false\n")
    options = ["--fps", "60", "--config", folder / "settings.toml", "--backend", "cpu", "--out", folder / "run"]
    subprocess.run([BIN / "bsoid-gpu", "build", recordings_60, *options], check=True, capture_output=True)
    command = [BIN / "bsoid-gpu", "predict", folder / "run", many, "--backend", "cpu", "--out", folder / "labels"]
    subprocess.run(command, check=True, capture_output=True)
    labels = content(folder / "labels")
    assert len(labels) == 40 * 6 + 1  # four tables, a track and a record of each, and the page
    return folder / "run", labels


def test_forty_sessions_over_two_nodes_by_an_array(slurm, many, on_one_machine, tmp_path):
    run, expected = on_one_machine
    jobs = tmp_path / "jobs"
    hpc("sbatch", "--predict", many, "--run", run, "--out", jobs, "--bundle", 10, *RESOURCES[:-1], "16")
    numbers = submitted(slurm, jobs)
    assert slurm.wait(numbers["gather"], 300) == "COMPLETED", logs(jobs)
    assert content(jobs / "labels") == expected
    assert {slurm.field(f"{numbers['predict']}_{i}", "BatchHost") for i in range(4)} == {"node1", "node2"}


@pytest.mark.parametrize("lost", [False, True])
def test_forty_sessions_over_two_nodes_by_dask(slurm, many, on_one_machine, tmp_path, lost):
    run, expected = on_one_machine
    options = {"INTERFACE": "lo", "JOB_CPU": "16", "LOG_DIRECTORY": str(tmp_path / "dask-logs"), "MEMORY": "2GB"}
    environment = slurm.env | {f"DASK_JOBQUEUE__SLURM__{name}": value for name, value in options.items()}
    labels = tmp_path / "labels"
    command = [BIN / "bsoid-gpu", "predict", run, many, "--backend", "cpu", "--out", labels]
    process = subprocess.Popen(
        [*command, "--scheduler", "slurm", "--workers", "2"],
        env=environment,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    jobs = "squeue", "-h", "-t", "RUNNING", "-n", "dask-worker", "-o", "%i %N"
    slurm._until(lambda: len(slurm.run(*jobs).splitlines()) == 2 or process.poll() is not None, 120)
    working = dict(line.split() for line in slurm.run(*jobs).splitlines())
    if lost:
        slurm._until(lambda: len(list((labels / "records").glob("*.json"))) > 1, 60)
        slurm.run("scancel", next(iter(working)))
    _, log = process.communicate(timeout=300)
    assert process.returncode == 0, log
    assert content(labels) == expected
    assert set(working.values()) == {"node1", "node2"}


def test_jobs_that_slurm_refuses_are_reported(slurm, many, on_one_machine, tmp_path):
    run, _ = on_one_machine
    environment = slurm.env | {"DASK_JOBQUEUE__SLURM__INTERFACE": "lo", "DASK_JOBQUEUE__SLURM__QUEUE": "nowhere"}
    command = [BIN / "bsoid-gpu", "predict", run, many, "--backend", "cpu", "--out", tmp_path / "labels"]
    done = subprocess.run(
        [*command, "--scheduler", "slurm"], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 3
    assert "Slurm refuses the workers' jobs: " in done.stderr
    assert "partition" in done.stderr


def test_a_killed_scheduler_leaves_no_jobs_for_long(slurm, many, on_one_machine, tmp_path):
    """Workers end when their scheduler is gone, so that they occupy no GPU."""
    run, _ = on_one_machine
    options = {"INTERFACE": "lo", "MEMORY": "2GB", "DEATH_TIMEOUT": "10"}
    environment = slurm.env | {f"DASK_JOBQUEUE__SLURM__{name}": value for name, value in options.items()}
    command = [BIN / "bsoid-gpu", "predict", run, many, "--backend", "cpu", "--out", tmp_path / "labels"]
    process = subprocess.Popen(
        [*command, "--scheduler", "slurm", "--workers", "1"],
        env=environment,
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    jobs = "squeue", "-h", "-n", "dask-worker", "-o", "%i"
    slurm._until(lambda: slurm.run(*jobs), 120)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(1)
    slurm._until(lambda: not slurm.run(*jobs), 120)
