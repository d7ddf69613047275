"""Build and predict on both backends: seconds per stage, peak device memory, and agreement of the results.

    python benchmarks/gpu.py SESSIONS FPS RESULT.json [--repeats 3]

The first time on each backend compiles kernels and is not counted.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from judge import agreement, trustworthiness
from measuring import circumstances, seconds_by_kind, write

import bsoid_gpu
from bsoid_gpu import Prediction, Run, log
from bsoid_gpu.backends import get_backend

SAMPLING_S = 0.02


class DeviceMemory:
    """Peak device memory while the context lasts, sampled 50 times a second."""

    def __enter__(self) -> "DeviceMemory":
        import cupy

        self._memory_info = cupy.cuda.runtime.memGetInfo
        self.before = self.peak = self._used()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _used(self) -> int:
        free, total = self._memory_info()
        return int(total - free)

    def _watch(self) -> None:
        while not self._done.wait(SAMPLING_S):
            self.peak = max(self.peak, self._used())


class Job(NamedTuple):
    """A run, the labels of the first session, and the seconds of each stage, of the build and of the prediction."""

    run: Run
    labels: Prediction
    seconds: dict[str, float]


def timed(backend: str, sessions: Sequence[Path], fps: float, out: Path) -> Job:
    """Build on all sessions, and predict the first."""
    started = time.perf_counter()
    run = bsoid_gpu.build(sessions, fps=fps, out=out, backend=backend)
    built = time.perf_counter()
    labels = bsoid_gpu.predict(run.model, sessions[0], backend=backend)[0]
    seconds = {"build": built - started, "predict": time.perf_counter() - built}
    manifest = json.loads((out / "manifest.json").read_text())
    return Job(run, labels, seconds | seconds_by_kind(manifest["stages"]))


def quality(run: Run) -> dict[str, Any]:
    """Clusters and accuracies of a run, and trustworthiness of its embedding."""
    return {
        "trustworthiness": trustworthiness(run.scaled_features, run.embedding),
        "clusters": run.model.labels,
        "noise_share": run.scores["noise_share"],
        "held_out_random": run.scores["held_out_random"],
        "held_out_blocks": run.scores["held_out_blocks"],
    }


def measured(backend: str, sessions: Sequence[Path], fps: float, repeats: int) -> tuple[Job, dict[str, Any]]:
    """The last of several jobs, and the medians over all but the first."""
    with tempfile.TemporaryDirectory() as scratch, DeviceMemory() as memory:
        jobs = [timed(backend, sessions, fps, Path(scratch) / str(i)) for i in range(repeats + 1)]
    kinds = jobs[0].seconds
    report = {
        "seconds_median": {kind: statistics.median(job.seconds[kind] for job in jobs[1:]) for kind in kinds},
        "quality": quality(jobs[-1].run),
        "same_bytes_each_time": len({job.run.model.to_bytes() for job in jobs}) == 1,
    }
    if backend == "cuda":
        report["peak_device_memory_gb"] = (memory.peak - memory.before) / 1e9
    return jobs[-1], report


def comparison(on_gpu: Job, on_cpu: Job, session: Path) -> dict[str, float]:
    """Agreement of the results of the two backends; ``session`` is the one whose labels the jobs hold."""
    scale = np.abs(on_cpu.run.features).max(axis=0)
    moved = bsoid_gpu.predict(on_gpu.run.model, session, backend="cpu")[0]
    return {
        "features_largest_difference": float(np.max(np.abs(on_gpu.run.features - on_cpu.run.features) / scale)),
        "labels_nmi": agreement(on_gpu.run.hard_labels, on_cpu.run.hard_labels),
        "frames_labelled_alike_by_one_model": float(np.mean(moved.labels == on_gpu.labels.labels)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sessions", type=Path)
    parser.add_argument("fps", type=float)
    parser.add_argument("result", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    log.to_stderr()
    sessions = sorted(arguments.sessions.glob("*.csv"))
    report = {
        "what": __doc__.splitlines()[0],
        **circumstances(),
        "card": get_backend("cuda").describe(),
        "sessions": len(sessions),
        "repeats": {"warm_up": 1, "counted": arguments.repeats},
    }
    on_gpu, report["cuda"] = measured("cuda", sessions, arguments.fps, arguments.repeats)
    on_cpu, report["cpu"] = measured("cpu", sessions, arguments.fps, arguments.repeats)
    report["agreement"] = comparison(on_gpu, on_cpu, sessions[0])
    write(report, arguments.result)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
