"""`bsoid-gpu view`, started and stopped as users do."""

import os
import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="Windows interrupts otherwise")
def test_it_prints_its_address_answers_and_ends_quietly(reported):
    command = [sys.executable, "-m", "bsoid_gpu", "view", str(reported / "run")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes, start_new_session=True) as view:
        address = view.stdout.readline().strip()
        with urlopen(address) as answer:
            assert b'id="data"' in answer.read()
        os.killpg(view.pid, signal.SIGINT)  # as a terminal does
        try:
            out, messages = view.communicate(timeout=60)
        finally:
            view.kill()
    assert (view.returncode, out, messages) == (0, "", "")
