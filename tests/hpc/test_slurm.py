"""Generated files on a real Slurm with simulated GPUs: jobs run with ``--backend auto``."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hpc.cluster import BIN

pytestmark = pytest.mark.hpc

SMALL = ["--gpu", "p100", "--backend", "auto", "--mem", "4g", "--cpus", "2"]
SWARM = """#!/bin/bash
# as NIH's swarm: one command per line, '#' begins a comment, options on #SWARM lines; prints the job number
set -euo pipefail
set -- $(sed -n 's/^#SWARM //p' "$2") "$@"
options=()
while [ $# -gt 0 ]; do
  case $1 in
    -g) options+=("--mem=$2g"); shift 2 ;;
    -t) options+=("--cpus-per-task=$2"); shift 2 ;;
    --time | --partition) options+=("$1=$2"); shift 2 ;;
    --sbatch) options+=("$2"); shift 2 ;;
    --gres=* | --dependency=*) options+=("$1"); shift ;;
    -f) sed 's/#.*//; /^ *$/d' "$2" >"$PWD/commands"; shift 2 ;;
    -b | --logdir) shift 2 ;;
    *) echo "unknown option $1" >&2; exit 1 ;;
  esac
done
last=$(($(wc -l <"$PWD/commands") - 1))
printf '#!/bin/bash\\nbash -c "$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" %q)"\\n' "$PWD/commands" |
  sbatch --parsable --array="0-$last" --output='%x.%A_%a.out' "${options[@]}"
"""


def hpc(*arguments: object) -> None:
    subprocess.run([BIN / "bsoid-gpu", "hpc", *map(str, arguments)], check=True, capture_output=True)


def submitted(slurm, jobs: Path) -> dict[str, str]:
    """Numbers of the jobs that submit.sh prints."""
    return dict(line.split() for line in slurm.run("bash", jobs / "submit.sh").splitlines())


def logs(jobs: Path) -> str:
    return "\n".join(f"{log.name}:\n{log.read_text()}" for log in sorted((jobs / "logs").iterdir()))


@pytest.fixture(scope="module")
def chain(slurm, recordings_60, tmp_path_factory) -> Path:
    """Folder of jobs that have ended."""
    jobs = tmp_path_factory.mktemp("chain") / "the jobs"
    hpc("sbatch", recordings_60, "--fps", 60, "--out", jobs, "--bundle", 1, *SMALL)
    numbers = submitted(slurm, jobs)
    assert slurm.wait(numbers["gather"], 300) == "COMPLETED", logs(jobs)
    assert slurm.state(numbers["build"]) == slurm.state(numbers["predict"]) == "COMPLETED"
    return jobs


def tables(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.labels.csv"))


def test_the_jobs_build_label_and_gather(slurm, chain):
    assert tables(chain / "labels") == ["mouse1.labels.csv", "mouse2.labels.csv", "mouse3.labels.csv"]
    assert len((chain / "labels" / "mouse1.labels.csv").read_text().splitlines()) == 1 + 5400
    [log] = (chain / "logs").glob("bsoid-gather.*.out")
    lines = log.read_text().splitlines()
    assert f"{chain}/labels" in lines
    assert lines[-1] == f"{chain}/labels/report.html"
    assert slurm.in_home() == []  # no cache


def test_missing_recordings_are_named_and_labelled_again(slurm, chain):
    (chain / "labels" / "mouse2.labels.csv").unlink()
    gather = slurm.submit("../gather.sbatch", cwd=chain / "logs")
    assert slurm.wait(gather) == "FAILED"
    assert slurm.field(gather, "ExitCode") == "4:0"
    log = (chain / "logs" / f"bsoid-gather.{gather}.out").read_text()
    assert "1 of 3 recordings have no labels: 'mouse2'" in log
    again = log.splitlines()[-1]
    number = re.search(r"\d+", slurm.run("bash", "-c", again)).group()
    assert slurm.wait(number) == "COMPLETED", logs(chain)
    assert len(tables(chain / "labels")) == 3
    assert slurm.wait(slurm.submit("../gather.sbatch", cwd=chain / "logs")) == "COMPLETED"


def test_a_swarm_labels_with_an_existing_model(slurm, chain, recordings_60, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "swarm").write_text(SWARM)
    (tmp_path / "bin" / "swarm").chmod(0o755)
    monkeypatch.setitem(slurm.env, "PATH", f"{tmp_path / 'bin'}:{slurm.env['PATH']}")
    jobs = tmp_path / "jobs"
    hpc("swarm", "--predict", recordings_60, "--run", chain / "run", "--out", jobs, "--bundle", 2, *SMALL)
    numbers = submitted(slurm, jobs)
    assert sorted(numbers) == ["gather", "predict"]
    assert slurm.wait(numbers["gather"]) == "COMPLETED", logs(jobs)
    for name in tables(chain / "labels"):
        assert (jobs / "labels" / name).read_bytes() == (chain / "labels" / name).read_bytes()


def test_a_job_without_a_working_gpu_stops_with_the_reason(slurm, recordings_60, tmp_path):
    jobs = tmp_path / "jobs"
    hpc("sbatch", recordings_60, "--fps", 60, "--out", jobs, *SMALL, "--backend", "cuda")
    numbers = submitted(slurm, jobs)
    assert slurm.wait(numbers["gather"]) == "FAILED"
    assert slurm.field(numbers["build"], "ExitCode") == "3:0"
    assert slurm.state(numbers["predict"]) == "CANCELLED"  # it does not wait for a GPU
    assert slurm.field(numbers["gather"], "ExitCode") == "4:0"
    log = (jobs / "logs" / f"bsoid-build.{numbers['build']}.out").read_text()
    assert re.search("error: no NVIDIA driver answers: .*; try: .*--backend cpu", log)


def test_the_module_file_is_loaded_in_a_job(slurm, module_init, tmp_path):
    file = tmp_path / "modules" / "bsoid-gpu" / "1.0"
    hpc("module", "--out", file, "--data", tmp_path / "sample recordings")
    script = f"""#!/bin/bash
. {module_init}
module use {tmp_path}/modules
before=$PATH
module load bsoid-gpu && bsoid-gpu --version && printf '%s\\n' "$BSOID_HOME" "$BSOID_BIN" "$BSOID_SRC" "$BSOID_DATA"
ls "$BSOID_SRC/__main__.py" "$BSOID_DATA"/mouse1.csv
module unload bsoid-gpu
[ "$PATH" = "$before" ] && echo "${{BSOID_HOME-as before}}"
"""
    (tmp_path / "job").write_text(script)
    path = "/usr/bin:/bin"  # without the program
    job = slurm.submit(f"--export=PATH={path},HOME={slurm.home}", f"--output={tmp_path}/out", tmp_path / "job")
    assert slurm.wait(job) == "COMPLETED"
    version, home, program, source, data, *files, after = (tmp_path / "out").read_text().splitlines()
    assert version.startswith("bsoid-gpu, version")
    assert Path(home, "bin") == Path(program) == BIN
    assert Path(data) == tmp_path / "sample recordings"
    assert sorted(files) == sorted([f"{source}/__main__.py", f"{data}/mouse1.csv"])
    assert after == "as before"
