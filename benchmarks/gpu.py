"""Run one job on both backends: seconds per stage, peak device memory, and agreement of the results.

    python benchmarks/gpu.py SESSIONS FPS RESULT.json [RUNS]

A first run on each backend compiles kernels and is not counted.
"""

import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from judge import agreement, trustworthiness

import bsoid_gpu
from bsoid_gpu import log
from bsoid_gpu.backends import get_backend
from bsoid_gpu.machine import machine, versions


class DeviceMemory:
    """Peak device memory while the context lasts, sampled 50 times a second."""

    def __enter__(self):
        import cupy

        self._memory_info = cupy.cuda.runtime.memGetInfo
        self.before = self.peak = self._used()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _used(self):
        free, total = self._memory_info()
        return total - free

    def _watch(self):
        while not self._done.wait(0.02):
            self.peak = max(self.peak, self._used())


def timed(backend, sessions, fps, out):
    """Run, labels of the first session, and seconds of each stage, of the build and of the prediction."""
    started = time.perf_counter()
    run = bsoid_gpu.build(sessions, fps=fps, out=out, backend=backend)
    built = time.perf_counter()
    (labels, *_) = bsoid_gpu.predict(run.model, sessions[0], backend=backend)
    seconds = {"build": built - started, "predict": time.perf_counter() - built}
    stages = json.loads((out / "manifest.json").read_text())["stages"]
    return run, labels, seconds | {name: stage["seconds"] for name, stage in stages.items()}


def quality(run):
    """Clusters and accuracies of a run, and trustworthiness of its embedding."""
    return {
        "trustworthiness": trustworthiness(run.scaled_features, run.embedding),
        "clusters": run.model.labels,
        "noise_share": run.scores["noise_share"],
        "held_out_random": run.scores["held_out_random"],
        "held_out_blocks": run.scores["held_out_blocks"],
    }


def main() -> None:
    folder, fps, result = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    log.to_stderr()
    card = get_backend("cuda").describe()
    sessions = sorted(folder.glob("*.csv"))
    report = {
        "what": "build on all sessions, predict the first; in one process for both backends",
        "machine": machine(),
        "card": card,
        "versions": versions(),
        "sessions": len(sessions),
        "runs": {"warm_up": 1, "counted": runs},
    }
    report["machine"].pop("host")
    last = {}
    for backend in ("cuda", "cpu"):
        with tempfile.TemporaryDirectory() as scratch, DeviceMemory() as memory:
            tries = [timed(backend, sessions, fps, Path(scratch) / str(i)) for i in range(runs + 1)]
        last[backend] = tries[-1]
        report[backend] = {
            "seconds_median": {
                name: statistics.median(seconds[name] for _, _, seconds in tries[1:]) for name in tries[0][2]
            },
            "quality": quality(tries[-1][0]),
            "same_bytes_each_time": len({run.model.to_bytes() for run, _, _ in tries}) == 1,
        }
        if backend == "cuda":
            report[backend]["peak_device_memory_gb"] = (memory.peak - memory.before) / 1e9
    (on_gpu, gpu_labels, _), (on_cpu, _, _) = last["cuda"], last["cpu"]
    moved = bsoid_gpu.predict(on_gpu.model, sessions[0], backend="cpu")[0]
    scale = np.abs(on_cpu.features).max(axis=0)
    report["agreement"] = {
        "features_largest_difference": float(np.max(np.abs(on_gpu.features - on_cpu.features) / scale)),
        "labels_nmi": agreement(on_gpu.hard_labels, on_cpu.hard_labels),
        "frames_labelled_alike_by_one_model": float(np.mean(moved.labels == gpu_labels.labels)),
    }
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
