"""Messages and progress, and where they appear."""

import io
import logging
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
def test_durations_as_people_write_them(seconds, text):
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


def in_another_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


@pytest.mark.parametrize(("level", "shown"), [("INFO", ["information", "warning"]), ("WARNING", ["warning"])])
def test_a_thread_that_captures_nothing_logs_as_before(level, shown, caplog):
    def work():
        log.logger.info("information")
        log.logger.warning("warning")

    log.logger.setLevel(level)
    with log.captured() as records:
        in_another_thread(work)
    assert records == []
    assert caplog.messages == shown


def test_a_level_that_is_set_during_a_capture_stays():
    with log.captured():
        log.logger.setLevel("ERROR")
    assert log.logger.level == logging.ERROR


def test_a_capture_inside_another_leaves_the_rest_to_it(caplog):
    with log.captured() as outer:
        log.logger.info("before")
        with log.captured() as inner:
            log.logger.info("inside")
        log.logger.info("after")
    log.logger.warning("outside")
    assert [record.getMessage() for record in outer] == ["before", "after"]
    assert [record.getMessage() for record in inner] == ["inside"]
    assert caplog.messages == ["outside"]


@pytest.mark.parametrize(("level", "shown"), [("INFO", ["information", "warning"]), ("WARNING", ["warning"])])
def test_captured_messages_are_shown_as_if_logged_here(level, shown, caplog):
    with log.captured() as records:
        log.logger.info("information")
        log.logger.warning("warning")
    log.logger.setLevel(level)
    log.show(records)
    assert caplog.messages == shown


class Clock:
    """The time that progress sees."""

    now = 1000.0

    def __call__(self):
        return self.now

    def tick(self, seconds, items):
        for item in items:
            self.now += seconds
            yield item


@pytest.fixture
def clock(monkeypatch, caplog):
    caplog.set_level("INFO", "bsoid_gpu")
    clock = Clock()
    monkeypatch.setattr("tqdm.std.time", clock)
    return clock


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_batch_log_gets_a_line_of_progress_every_30_s(clock, caplog, capsys):
    assert list(log.progress(clock.tick(10, range(12)), "sessions", 12)) == list(range(12))
    assert caplog.messages == [
        "sessions: 3 of 12, 10.00s/it, 01:30 left",
        "sessions: 6 of 12, 10.00s/it, 01:00 left",
        "sessions: 9 of 12, 10.00s/it, 00:30 left",
        "sessions: 12 of 12, 10.00s/it, 00:00 left",
    ]
    assert capsys.readouterr() == ("", "")


def test_a_short_job_logs_no_progress(clock, caplog, capsys):
    assert len(list(log.progress(clock.tick(1, range(29)), "sessions", 29))) == 29
    report = log.progress_callback("epochs")
    for done in clock.tick(1, range(30)):
        report(done, 29)
    assert caplog.messages == []
    assert capsys.readouterr() == ("", "")


def test_a_callback_shows_progress_and_its_rate_leaves_out_what_was_done_before(clock, caplog):
    report = log.progress_callback("epochs")
    for done in clock.tick(20, range(100, 151, 10)):
        report(done, 150)
    assert caplog.messages == [
        "epochs: 120 of 150, 2.00s/it, 01:00 left",
        "epochs: 140 of 150, 2.00s/it, 00:20 left",
    ]
    report(0, 4)  # the next loop
    clock.now += 40
    report(2, 4)
    assert caplog.messages[2:] == ["epochs: 2 of 4, 20.00s/it, 00:40 left"]


def test_a_callback_from_threads_that_overtake_each_other_never_goes_back(clock, caplog):
    report = log.progress_callback("blocks")
    report(0, 10)
    for done in (5, 3, 6):
        clock.now += 31
        in_another_thread(lambda done=done: report(done, 10))
    assert [message.partition(",")[0] for message in caplog.messages] == ["blocks: 5 of 10", "blocks: 6 of 10"]


def test_a_terminal_gets_a_bar_that_is_cleared(clock, caplog, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    log.to_stderr()
    for item in log.progress(clock.tick(1, range(3)), "sessions", 3):
        if item == 1:
            log.logger.info("a message")
    before, _, after = terminal.getvalue().partition("a message\n")
    assert "sessions:  33%" in before
    assert before.rpartition("\r")[0].endswith(" ")  # the bar was cleared from the line of the message
    assert "sessions:  67%" in after
    assert after.rpartition("\r")[0].endswith(" ")
    assert "sessions" not in after.split("\r")[-1]
    assert caplog.messages == []  # the logger has a handler of its own


def test_a_captured_job_shows_no_progress(clock, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with log.captured() as records:
        list(log.progress(clock.tick(100, range(5)), "sessions", 5))
    assert records == []
    assert terminal.getvalue() == ""


def test_progress_without_any_stderr(clock, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    assert list(log.progress(clock.tick(100, range(3)), "sessions", 3)) == [0, 1, 2]


def test_progress_of_an_abandoned_loop(clock, caplog):
    loop = log.progress(clock.tick(100, range(3)), "sessions", 3)
    next(loop)
    loop.close()
    assert caplog.messages == []
