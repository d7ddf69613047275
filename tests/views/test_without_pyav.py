"""Without PyAV and Pillow everything else works, and videos say what to install."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from bsoid_gpu.cli.main import main
from bsoid_gpu.errors import BadInput
from bsoid_gpu.views.drawing import pillow
from bsoid_gpu.views.pyav import pyav

BLOCKED = """
import importlib, pkgutil, sys
sys.modules["av"] = sys.modules["PIL"] = None
import bsoid_gpu.views, bsoid_gpu.workflows.movies, bsoid_gpu.workflows.report, bsoid_gpu.cli.main
for module in pkgutil.iter_modules(bsoid_gpu.views.__path__):
    importlib.import_module(f"bsoid_gpu.views.{module.name}")
"""


@pytest.fixture
def _blocked(monkeypatch):
    for name in ("av", "PIL"):
        monkeypatch.setitem(sys.modules, name, None)
    pillow.cache_clear()
    yield
    pillow.cache_clear()


def test_every_module_can_be_imported():
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.usefixtures("_blocked")
@pytest.mark.parametrize("library", [pyav, pillow])
def test_the_message_says_what_to_type(library):
    with pytest.raises(BadInput, match=r"pip install 'bsoid-gpu\[video\]'"):
        library()


@pytest.mark.usefixtures("_blocked")
@pytest.mark.parametrize(
    "command",
    [
        ["clips", "run", "labels", "--out", "movies"],
        ["video", "run", "labels", "--session", "m", "--video", "m.mp4", "--out", "o.mp4"],
    ],
)
def test_commands_that_write_movies_are_refused_at_once(command):
    result = CliRunner().invoke(main, command)
    assert result.exit_code == BadInput.exit_code
    assert "pip install 'bsoid-gpu[video]'" in result.output
