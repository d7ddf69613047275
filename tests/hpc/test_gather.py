from __future__ import annotations

import json
import re

import dlc
import pytest
from click.testing import CliRunner

from bsoid_gpu import files
from bsoid_gpu.cli.main import main


def hpc(*arguments: object):
    return CliRunner().invoke(main, ["hpc", *map(str, arguments)], catch_exceptions=False)


@pytest.mark.parametrize(
    ("kind", "again"),
    [
        ("sbatch", "cd {jobs}/logs && sbatch --array=1%8 ../predict.sbatch"),
        ("swarm", "swarm -f again.swarm"),
        ("local", "bash {jobs}/run.sh"),
    ],
)
def test_recordings_without_labels_are_named(tmp_path, kind, again):
    sessions = [dlc.write(tmp_path / f"mouse {number}.csv", dlc.wander(seed=number)) for number in (1, 2)]
    jobs = tmp_path / "jobs"
    hpc(kind, *sessions, "--fps", 20, "--out", jobs, "--bundle", 1)
    done = hpc("gather", jobs)
    assert done.exit_code == 4
    assert "there is no model" in done.stderr
    assert re.search(rf"bash {jobs}/(submit|run).sh", done.stderr)

    (jobs / "run").mkdir()
    (jobs / "run" / "model.safetensors").write_bytes(b"model")
    record = {
        "asked": {"model": files.digest(b"model")},
        "sessions": {"mouse 1": {"files": {"mouse 1.labels.csv": ""}}},
    }
    (jobs / "labels" / "records").mkdir(parents=True)
    (jobs / "labels" / "mouse 1.labels.csv").touch()
    for session in sessions[:1]:
        (jobs / "labels" / "records" / f"{session.stem}.json").write_text(json.dumps(record))
    done = hpc("gather", jobs)
    assert done.exit_code == 4
    assert "1 of 2 recordings have no labels: 'mouse 2'" in done.stderr
    assert again.format(jobs=jobs) in done.stderr

    (jobs / "labels" / "records" / "mouse 2.json").write_text(json.dumps(record))
    done = hpc("gather", jobs)
    assert (done.exit_code, done.stdout) == (0, f"{jobs}/labels\n")
    (jobs / "run" / "model.safetensors").write_bytes(b"another model")
    assert "2 of 2" in hpc("gather", jobs).stderr
    assert hpc("gather", tmp_path).exit_code == 4
