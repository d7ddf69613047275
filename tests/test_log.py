"""What is said while it works, and to whom."""

import threading
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


def test_messages_of_threads_that_overlap_are_captured_apart_and_the_logger_is_as_before():
    before = log.logger.level, log.logger.propagate
    first_has_ended, both_capture = threading.Event(), threading.Barrier(2)
    captured = {}

    def work(name):
        with log.captured() as records:
            both_capture.wait()
            log.logger.info("from %s", name)
            if name == "second":
                first_has_ended.wait()
                log.logger.info("from second again")
        captured[name] = [record.getMessage() for record in records]
        if name == "first":
            first_has_ended.set()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert captured == {"first": ["from first"], "second": ["from second", "from second again"]}
    assert (log.logger.level, log.logger.propagate) == before


def test_a_thread_that_captures_nothing_is_heard(caplog):
    caplog.set_level("INFO", "bsoid_gpu")
    with log.captured() as records:
        other = threading.Thread(target=lambda: log.logger.info("of another thread"))
        other.start()
        other.join()
    assert records == []
    assert caplog.messages == ["of another thread"]
