"""The container: built by the real Apptainer, tested by its %test section, and run as a Slurm job.

It has no RAPIDS (10 GB): BSOID_TEST_BASE is a small base, a folder or an image of Debian; by default
`docker://debian:12`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hpc.test_slurm import hpc, logs, submitted

pytestmark = [
    pytest.mark.hpc,
    pytest.mark.skipif(shutil.which("apptainer") is None, reason="Apptainer is not installed"),
]
DEFINITION = Path(__file__).resolve().parents[2] / "apptainer.def"


def apptainer(*arguments: object, **options) -> subprocess.CompletedProcess:
    return subprocess.run(["apptainer", *map(str, arguments)], capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    base = os.environ.get("BSOID_TEST_BASE", "docker://debian:12")
    kind, _, source = base.partition("://") if "://" in base else ("localimage", "", base)
    folder = tmp_path_factory.mktemp("container")
    text = re.sub(r"^Bootstrap:.*", f"Bootstrap: {kind}", DEFINITION.read_text(), flags=re.MULTILINE)
    (folder / "local.def").write_text(re.sub(r"^From:.*", f"From: {source}", text, flags=re.MULTILINE))
    built = apptainer(
        "build", "--build-arg", "GPU=no", "--sandbox", folder / "image", folder / "local.def", cwd=DEFINITION.parent
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "image"


def test_its_test_section_passes(image):
    done = apptainer("test", image)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_has_help_and_labels_and_returns_the_exit_code(image):
    assert "--nv --cleanenv --bind" in apptainer("run-help", image).stdout
    assert "BSD-3-Clause" in apptainer("inspect", image).stdout
    refused = apptainer("run", "--cleanenv", image, "build", "/nowhere", "--fps", "60", "--out", "/tmp/run")
    assert refused.returncode == 4
    assert "does not exist" in refused.stderr
    assert apptainer("run", "--nv", "--cleanenv", image, "doctor", "--backend", "cuda").returncode == 3


def test_it_writes_only_to_bound_folders(image, tmp_path):
    bound = tmp_path / "bound"
    bound.mkdir()
    refused = apptainer("run", "--cleanenv", image, "simulate", "/opt/sessions")
    assert refused.returncode == 4
    assert "read-only" in refused.stderr
    assert apptainer("run", "--cleanenv", "--bind", bound, image, "simulate", bound / "sessions").returncode == 0


def test_a_job_labels_in_the_container(slurm, image, recordings_60, tmp_path):
    jobs = tmp_path / "jobs"
    resources = ["--gpu", "p100", "--backend", "auto", "--mem", "4g", "--cpus", "2", "--bundle", "3"]
    hpc("sbatch", recordings_60, "--fps", 60, "--out", jobs, "--container", image, *resources)
    numbers = submitted(slurm, jobs)
    assert slurm.wait(numbers["gather"], 400) == "COMPLETED", logs(jobs)
    assert len(list((jobs / "labels").glob("*.labels.csv"))) == 3
    assert slurm.in_home() == []
