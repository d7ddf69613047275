"""What is said while it works, and to whom."""

from pathlib import Path

import pytest

from bsoid_gpu import log


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("size", [10, 100_000])
def test_a_log_file_that_cannot_be_written_stops_nothing(size, capsys):
    handler = log.to_file(Path("/dev/full"))
    try:
        log.logger.warning("x" * size)
    finally:
        log.logger.removeHandler(handler)
        handler.close()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (75.4, "75 s"), (720, "12 min"), (3600 * 3.14, "3.1 h")]
)
def test_durations_read_as_people_write_them(seconds, text):
    assert log.seconds_text(seconds) == text
