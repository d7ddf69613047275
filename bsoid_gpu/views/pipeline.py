"""Pictures are read while others are written: PyAV computes outside of Python's lock."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")
AHEAD = 6  # pictures that wait; each may have several MB


def ahead(items: Iterable[T], size: int = AHEAD) -> Generator[T, None, None]:
    """The items, made in a thread up to ``size`` ahead; what fails there is raised here. Closing it ends the thread."""
    waiting: queue.Queue[tuple[str, Any]] = queue.Queue(size)
    ended = threading.Event()

    def put(what: str, value: Any) -> bool:
        while not ended.is_set():
            try:
                waiting.put((what, value), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def make() -> None:
        try:
            for item in items:
                if not put("item", item):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again by the reader
            put("error", error)
        else:
            put("end", None)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            what, value = waiting.get()
            if what == "end":
                return
            if what == "error":
                raise value
            yield value
    finally:
        ended.set()
        thread.join()


class Behind:
    """Calls that are made in a thread, in order, while the caller goes on; at most ``size`` wait.

    What fails there is raised by a later call or at the end of the block.
    """

    def __init__(self, function: Callable[..., object], size: int = AHEAD) -> None:
        self._function, self._size = function, size
        self._pool = ThreadPoolExecutor(1)
        self._waiting: deque[Future[object]] = deque()

    def __enter__(self) -> Behind:
        return self

    def __call__(self, *arguments: object) -> None:
        """Call the function with these arguments, soon."""
        while len(self._waiting) >= self._size or (self._waiting and self._waiting[0].done()):
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self._function, *arguments))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=error is not None)
        while error is None and self._waiting:
            self._waiting.popleft().result()
