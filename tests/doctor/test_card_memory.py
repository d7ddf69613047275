import os
import sys
import threading
from types import SimpleNamespace

import pytest

from bsoid_gpu.doctor import card_memory
from bsoid_gpu.doctor.card_memory import CardMemory

ANSWERS = """
import sys
for _, answer in zip(sys.stdin, ("700 500", "900 600")):
    print(answer, flush=True)
"""


@pytest.fixture
def backend():
    """A backend whose card has an address."""
    runtime = SimpleNamespace(deviceGetPCIBusId=lambda device: "0000:3B:00.0")
    return SimpleNamespace(cupy=SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)), free_bytes=lambda: 0)


@pytest.fixture
def measured(backend):
    """Peak of a block, with a program that answers in place of NVML."""

    def measure(program):
        memory = CardMemory(backend, (sys.executable, "-c", program))
        with memory.peak() as peak:
            assert peak.bytes is None
        memory.close()
        return peak.bytes

    return measure


def test_a_peak_is_what_was_used_beyond_what_was_used_before(measured):
    assert measured(ANSWERS) == 900 - 500


def test_without_numbers_a_peak_is_unknown(measured):
    assert measured("print('no permission')") is None
    assert measured("raise SystemExit(1)") is None


@pytest.mark.skipif(os.name == "nt", reason="CUDA runs on Linux")
def test_each_question_is_answered_by_the_peak_since_the_last_one():
    used = iter([5, 9, 7, 3])
    sampled = threading.Event()

    def sample():
        number = next(used, None)
        if number == 7:
            sampled.set()
        return 3 if number is None else number

    questions, ask = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), "rw", strict=True))
    answers, answer = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), "rw", strict=True))
    watching = threading.Thread(target=card_memory.watch, args=(sample, questions, answer))
    watching.start()
    assert sampled.wait(10)
    received = []
    for _ in range(2):
        ask.write("\n")
        ask.flush()
        received.append(answers.readline().split())
    ask.close()
    watching.join(10)
    assert not watching.is_alive()
    for end in (questions, answers, answer):
        end.close()
    assert received == [["9", "3"], ["3", "3"]]
