"""Time the whole job: build on a folder of sessions, then predict one of them, each as a process of its own.

    python benchmarks/whole_job.py SESSIONS FPS RESULT.json [RUNS]

Every run starts in an empty run folder. One run that is not counted comes first: it compiles numba's functions.
"""

import json
import platform
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from processes import timed

from bsoid_gpu.machine import machine, versions


def main() -> None:
    sessions, fps, result = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    first = sorted(sessions.glob("*.csv"))[0]
    builds, predicts, stages = [], [], {}
    for _ in range(runs + 1):
        out = Path(tempfile.mkdtemp())
        builds.append(timed("build", sessions, "--fps", fps, "--out", out / "run"))
        predicts.append(timed("predict", out / "run", first, "--out", out / "labels"))
        manifest = json.loads((out / "run" / "manifest.json").read_text())
        for name, stage in manifest["stages"].items():
            stages.setdefault(name, []).append(stage["seconds"])
        scores = json.loads((out / "run" / "scores.json").read_text())
        shutil.rmtree(out)
    told = {
        "what": "build on all sessions, predict the first; whole processes",
        "machine": machine(),
        "versions": versions(),
        "sessions": len(manifest["sessions"]),
        "frames": sum(session["frames"] for session in manifest["sessions"]),
        "bins": scores["bins"],
        "runs": {"warm_up": 1, "counted": runs},
        "build_s": [seconds for seconds, _ in builds[1:]],
        "build_median_s": statistics.median(seconds for seconds, _ in builds[1:]),
        "build_peak_memory_mb": max(mb for _, mb in builds),
        "predict_s": [seconds for seconds, _ in predicts[1:]],
        "predict_median_s": statistics.median(seconds for seconds, _ in predicts[1:]),
        "predict_peak_memory_mb": max(mb for _, mb in predicts),
        "stages_median_s": {name: statistics.median(seconds[1:]) for name, seconds in stages.items()},
        "scores": {name: scores[name] for name in ("clusters", "noise_share", "held_out_random", "held_out_blocks")},
    }
    told["machine"].pop("host")
    told["machine"]["system"] = f"{platform.system()} {platform.machine()}"
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
