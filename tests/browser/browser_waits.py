"""Waiting for a page whose policy forbids Playwright's own way, which evaluates text within the page."""

import time

PATIENCE_S = 10.0


def wait_until(tab, function, arg=None):
    """Ask a function of the page until its answer is true; return the answer."""
    end = time.monotonic() + PATIENCE_S
    while True:
        answer = tab.evaluate(function, arg)
        if answer:
            return answer
        assert time.monotonic() < end, f"{function} did not become true"
        tab.wait_for_timeout(40)
