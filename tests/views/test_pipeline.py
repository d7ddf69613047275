"""Items made ahead, and calls made behind."""

import threading

import pytest

from bsoid_gpu.views.pipeline import Behind, ahead


def test_items_keep_their_order():
    assert list(ahead(range(1000), 3)) == list(range(1000))
    assert list(ahead([])) == []


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        yield 2
        raise ValueError("broken")

    stream = ahead(items())
    assert [next(stream), next(stream)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(stream)


def test_no_more_than_so_many_are_made_ahead_and_none_after_the_end():
    made, before = [], threading.active_count()

    def items():
        for number in range(1000):
            made.append(number)
            yield number

    stream = ahead(items(), 4)
    assert [next(stream) for _ in range(3)] == [0, 1, 2]
    stream.close()
    assert len(made) <= 3 + 4 + 2
    assert threading.active_count() == before


def test_calls_are_made_in_order_and_all_of_them():
    got = []
    with Behind(got.append, 3) as call:
        for number in range(100):
            call(number)
    assert got == list(range(100))


def test_an_error_of_a_call_is_raised():
    def fails(number):
        if number == 5:
            raise ValueError("broken")

    def calls(count):
        with Behind(fails, 2) as call:
            for number in range(count):
                call(number)

    calls(5)
    for count in (6, 100):  # the error is in the last call, or before
        with pytest.raises(ValueError, match="broken"):
            calls(count)
