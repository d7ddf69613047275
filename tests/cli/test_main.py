import json
import subprocess
import sys

import dlc
import pytest
from click.testing import CliRunner

from bsoid_gpu.cli.main import main
from bsoid_gpu.settings import toml
from bsoid_gpu.settings.schema import Settings

tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
COMMANDS = [
    "simulate",
    "build",
    "predict",
    "info",
    "names",
    "report",
    "view",
    "clips",
    "video",
    "doctor",
    "config",
    "hpc",
]


def test_help_of_every_command_shows_an_example():
    assert sorted(main.commands) == sorted(COMMANDS)
    for command in COMMANDS:
        result = CliRunner().invoke(main, [command, "--help"])
        assert result.exit_code == 0
        assert f"bsoid-gpu {command}" in result.stdout


def test_every_command_is_in_the_documentation(pytestconfig):
    pages = [pytestconfig.rootpath / "README.md", *(pytestconfig.rootpath / "docs").glob("*.md")]
    text = "\n".join(page.read_text() for page in pages)
    for command in COMMANDS:
        assert f"bsoid-gpu {command}" in text


def test_config_reads_what_it_prints(tmp_path):
    printed = CliRunner().invoke(main, ["config"]).stdout
    assert toml.from_mapping(tomllib.loads(printed)) == Settings()
    (tmp_path / "s.toml").write_text("seed = 5\n")
    printed = CliRunner().invoke(main, ["config", str(tmp_path / "s.toml")]).stdout
    assert toml.from_mapping(tomllib.loads(printed)).seed == 5


def test_doctor_reports_which_backends_work():
    examined = json.loads(CliRunner().invoke(main, ["doctor", "--json"]).stdout)
    assert {backend["backend"]: backend["usable"] for backend in examined["backends"]}["cpu"]
    text = CliRunner().invoke(main, ["doctor"])
    assert text.exit_code == 0
    assert "cpu: works" in text.stdout


def test_cuda_never_falls_back(tmp_path):
    out = tmp_path / "run"
    file = dlc.write(tmp_path / "a.csv")
    result = CliRunner().invoke(main, ["build", str(file), "--fps", "20", "--out", str(out), "--backend", "cuda"])
    assert result.exit_code == 3
    assert "--backend cpu" in result.stderr
    assert not out.exists()
    assert CliRunner().invoke(main, ["doctor", "--backend", "cuda"]).exit_code == 3


def test_wrong_usage_exits_with_2():
    assert CliRunner().invoke(main, ["build"]).exit_code == 2
    assert CliRunner().invoke(main, ["nothing"]).exit_code == 2


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), MemoryError(), KeyboardInterrupt()])
def test_no_user_sees_a_traceback(monkeypatch, tmp_path, error):
    from bsoid_gpu.workflows import build

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(build, "build", fails)
    arguments = ["build", "a.csv", "--fps", "20", "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(main, arguments)
    assert (
        result.exit_code == {"ZeroDivisionError": 1, "MemoryError": 5, "KeyboardInterrupt": 130}[type(error).__name__]
    )
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.output
    if not isinstance(error, KeyboardInterrupt):
        shown = CliRunner().invoke(main, [*arguments, "--debug"])
        assert shown.exception is error


def test_a_real_process_without_a_traceback(tmp_path):
    arguments = [sys.executable, "-m", "bsoid_gpu", "predict", tmp_path / "none", "x.csv", "--out", tmp_path / "out"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 4
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "there is no model" in done.stderr
