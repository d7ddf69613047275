"""What a proof has measured so far: a row for each result, in a file that is complete after each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from bsoid_gpu.doctor import tolerances
from bsoid_gpu.doctor.card_memory import Memory
from bsoid_gpu.doctor.result import Result, at_most, failed, information
from bsoid_gpu.files import write_json
from bsoid_gpu.log import logger, seconds_text

T = TypeVar("T")
PASSED, FAILED, INFORMATION = "passed", "FAILED", "information"


class Record:
    """Rows of a proof.

    Parameters
    ----------
    path
        File that is written after each row, so that a killed proof leaves what it has.
    head
        What stands beside the rows.
    memory
        Measures the device memory of the computations.
    """

    def __init__(self, path: Path, head: dict[str, Any], memory: Memory) -> None:
        self.report: dict[str, Any] = head | {"complete": False, "passed": False, "rows": []}
        self.data, self._step = "", ""
        self._path, self._memory = path, memory
        self._write()

    @contextmanager
    def step(self, data: str, step: str) -> Iterator[None]:
        """A step on some data: an error is a failed row, and what comes after the block still runs."""
        self.data, self._step = data, step
        logger.info("%s: %s", data, step)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the libraries below raise anything
            self.add(failed(self._step, error))

    def computed(self, name: str, function: Callable[[], T], estimated_bytes: float | None = None) -> T:
        """Result of a computation; its row has the seconds, and the peak memory with its estimate as the bound."""
        self._step = name
        with self._memory.peak() as peak:
            started = time.perf_counter()
            result = function()
            seconds = time.perf_counter() - started
        peak_gb, estimated_gb = (None if size is None else size / 1e9 for size in (peak.bytes, estimated_bytes))
        text = f"took {seconds_text(seconds)}"
        if peak_gb is None or estimated_gb is None:
            row = information(name, text)
        else:
            text += f", {peak_gb:.2f} GB of device memory, {estimated_gb:.2f} GB estimated"
            if estimated_gb > tolerances.ESTIMATE.value * peak_gb:
                text += f", more than {tolerances.ESTIMATE.value:g} times as much"
            row = at_most(name, peak_gb, estimated_gb, text)
        self._append(row, seconds=round(seconds, 3), peak_gb=peak_gb, estimated_gb=estimated_gb)
        return result

    def add(self, *results: Result, **more: Any) -> None:
        """Append results, each as a row, with more fields."""
        for result in results:
            self._append(result, **more)

    def finish(self) -> dict[str, Any]:
        """The complete report."""
        self.report["complete"] = True
        self.report["passed"] = all(row["verdict"] != FAILED for row in self.report["rows"])
        self._write()
        return self.report

    def _append(self, result: Result, **more: Any) -> None:
        row = asdict(result)
        verdict = PASSED if row.pop("passed") else FAILED
        if verdict == PASSED and result.bound is None:
            verdict = INFORMATION
        self.report["rows"].append({"data": self.data, "verdict": verdict} | row | more)
        if verdict == FAILED:
            logger.warning("%s: %s: %s", self.data, result.name, result.text)
        self._write()

    def _write(self) -> None:
        write_json(self._path, self.report)
