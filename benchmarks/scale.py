"""Time, memory and quality of `build` and `predict` against the size of the job, each in a separate process.

    python benchmarks/scale.py SESSIONS FPS RESULT.json [--runs 3] [--only NAME,...] [--plan]

SESSIONS is a folder with sessions of the same length. Sizes from 9,000 to 144,000 bins use their first frames; further
sessions use the same frames from another start, so that no two sessions have the same bins. A first run compiles
numba's functions and is not counted. Results are added to those in RESULT.json; RESULT.png is the figure of cost
against size. With --plan nothing is run, but the estimates of `build --dry-run` in RESULT.json are computed again.
"""

import argparse
import json
import platform
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from processes import timed

from bsoid_gpu.io.sessions import sources
from bsoid_gpu.machine import cores, machine, versions
from bsoid_gpu.settings.schema import Input, Settings
from bsoid_gpu.workflows import cost

SIZES = {"9k": (4, 1 / 8), "18k": (4, 1 / 4), "36k": (4, 1 / 2), "72k": (4, 1), "144k": (8, 1)}  # sessions, of a length
COUNTS = {"1 session": (1, 1), "20 sessions": (20, 1), "100 sessions": (100, 1)}
HEADER_LINES = 3
ORIGINAL = {"bins": 71_996, "build_s": 905, "memory_gb": 2.97}  # on sessions of this size, on two cores


def written(sessions: list[Path], number: int, share: float, folder: Path) -> None:
    """Write sessions with a share of the length of the given ones."""
    for i in range(number):
        lines = sessions[i % len(sessions)].read_bytes().splitlines(keepends=True)
        header, body = lines[:HEADER_LINES], lines[HEADER_LINES:]
        repeat = i // len(sessions)
        start = repeat * 3_607 % len(body)  # not a multiple of the frames of a bin
        frames = (line.split(b",", 1)[1] for line in (body[start:] + body[:start])[: round(share * len(body))])
        numbered = (b"%d,%b" % (frame, line) for frame, line in enumerate(frames))
        (folder / f"part{i + 1:03d}.csv").write_bytes(b"".join([*header, *numbered]))


def trustworthiness(run: Path) -> float:
    """Trustworthiness of the embedding in a run folder."""
    import judge
    from safetensors.numpy import load_file

    arrays = load_file(run / "stages" / "embedding" / "arrays.safetensors")
    return judge.trustworthiness(arrays["scaled"], arrays["positions"])


def planned(size: cost.Size, fps: float) -> dict:
    """Estimates of `build --dry-run` for a job of this size: seconds of each stage and in total, and peak memory."""
    steps = cost.on_cpu(size, Settings(input=Input(fps=fps)), cores(), cost.speed())
    return {
        "stages_s": {step.name: round(step.seconds, 2) for step in steps},
        "build_s": round(sum(step.seconds for step in steps), 1),
        "memory_mb": round(max(step.memory_mb for step in steps)),
    }


def measured(sessions: Path, fps: float, runs: int) -> dict:
    """Medians over the runs of one job."""
    size = cost.size([source.outline() for source in sources(sessions)], Settings(input=Input(fps=fps)))
    builds, predicts, stages = [], [], []
    for _ in range(runs):
        out = Path(tempfile.mkdtemp())
        builds.append(timed("build", sessions, "--fps", fps, "--out", out / "run"))
        manifest = json.loads((out / "run" / "manifest.json").read_text())
        scores = json.loads((out / "run" / "scores.json").read_text())
        stages.append(by_kind(manifest["stages"]))
        with ProcessPoolExecutor(1, get_context("spawn")) as process:  # it starts with the peak memory of its parent
            trust = process.submit(trustworthiness, out / "run").result()
        predicts.append(timed("predict", out / "run", sessions, "--out", out / "labels"))
        shutil.rmtree(out)
    return {
        "sessions": len(manifest["sessions"]),
        "frames": sum(session["frames"] for session in manifest["sessions"]),
        "bins": sum(session["bins"] for session in manifest["sessions"]),
        "training_bins": scores["bins"],
        "runs": runs,
        "build_s": [round(seconds, 2) for seconds, _ in builds],
        "build_median_s": round(statistics.median(seconds for seconds, _ in builds), 2),
        "build_peak_memory_mb": round(max(mb for _, mb in builds)),
        "predict_s": [round(seconds, 2) for seconds, _ in predicts],
        "predict_s_per_session": round(
            statistics.median(seconds for seconds, _ in predicts) / len(manifest["sessions"]), 3
        ),
        "predict_peak_memory_mb": round(max(mb for _, mb in predicts)),
        "stages_median_s": {kind: round(statistics.median(of_run[kind] for of_run in stages), 2) for kind in stages[0]},
        "trustworthiness": trust,
        **{name: scores[name] for name in ("clusters", "noise_share", "held_out_random", "held_out_blocks")},
        "size": size._asdict(),
        "planned": planned(size, fps),
    }


def by_kind(stages: dict) -> dict[str, float]:
    """Seconds of each kind of stage: those of the features are added up."""
    seconds: dict[str, float] = {}
    for name, stage in stages.items():
        kind = name.split()[0]
        seconds[kind] = seconds.get(kind, 0.0) + stage["seconds"]
    return seconds


def figure(report: dict, path: Path) -> None:
    """Cost against size, both on logarithmic axes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    by_size = [report["jobs"][name] for name in SIZES if name in report["jobs"]]
    by_sessions = [report["jobs"][name] for name in ("1 session", "72k", *list(COUNTS)[1:]) if name in report["jobs"]]
    plot, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    bins = [job["bins"] for job in by_size]
    for stage in ("features", "embedding", "clusters", "classifier"):
        axes[0].plot(bins, [job["stages_median_s"][stage] for job in by_size], "o-", label=stage, linewidth=1)
    axes[0].plot(bins, [job["build_median_s"] for job in by_size], "ko-", label="build, complete process")
    axes[0].plot([ORIGINAL["bins"]], [ORIGINAL["build_s"]], "r*", markersize=12, label="original B-SOiD, two cores")
    axes[0].set(xlabel="bins of 100 ms", ylabel="seconds", title="build against bins")
    sessions = [job["sessions"] for job in by_sessions]
    axes[1].plot(sessions, [job["build_median_s"] for job in by_sessions], "ko-", label="build")
    axes[1].plot(sessions, [sum(job["predict_s"]) / job["runs"] for job in by_sessions], "bo-", label="predict all")
    axes[1].set(xlabel="sessions of 30 minutes", ylabel="seconds", title="against sessions (a sample from 9 on)")
    for jobs_of, mark, label in ((by_size, "o-", "by size"), (by_sessions, "s--", "by sessions")):
        memory = [job["build_peak_memory_mb"] / 1e3 for job in jobs_of]
        axes[2].plot([job["bins"] for job in jobs_of], memory, mark, label=f"build, {label}")
    axes[2].plot([ORIGINAL["bins"]], [ORIGINAL["memory_gb"]], "r*", markersize=12, label="original B-SOiD")
    axes[2].set(xlabel="bins of 100 ms", ylabel="GB", title="peak memory")
    for axis in axes:
        axis.set(xscale="log", yscale="log")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    plot.savefig(path, dpi=110)


def jobs(only: set[str]) -> Iterator[tuple[str, int, float]]:
    for name, (number, share) in (SIZES | COUNTS).items():
        if not only or name in only:
            yield name, number, share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sessions", type=Path)
    parser.add_argument("fps", type=float)
    parser.add_argument("result", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="names of sizes and counts, comma-separated")
    parser.add_argument("--plan", action="store_true", help="only compute the estimates again")
    arguments = parser.parse_args()
    if arguments.plan:
        report = json.loads(arguments.result.read_text())
        for job in report["jobs"].values():
            job["planned"] = planned(cost.Size(**job["size"]), arguments.fps)
        write(report, arguments.result)
        return
    sessions = sorted(arguments.sessions.glob("*.csv"))
    report = json.loads(arguments.result.read_text()) if arguments.result.exists() else {"jobs": {}}
    about = machine() | {"system": f"{platform.system()} {platform.machine()}"}
    about.pop("host")
    report |= {"what": __doc__.splitlines()[0], "machine": about, "versions": versions(), "warm_up_runs": 1}
    warm = Path(tempfile.mkdtemp())
    (warm / "sessions").mkdir()
    written(sessions, 1, 1 / 8, warm / "sessions")
    timed("build", warm / "sessions", "--fps", arguments.fps, "--out", warm / "run")
    timed("predict", warm / "run", warm / "sessions", "--out", warm / "labels")
    shutil.rmtree(warm)
    for name, number, share in jobs(set(filter(None, arguments.only.split(",")))):
        folder = Path(tempfile.mkdtemp())
        written(sessions, number, share, folder)
        report["jobs"][name] = measured(folder, arguments.fps, arguments.runs if number <= 20 else 1)
        shutil.rmtree(folder)
        write(report, arguments.result)
        print(name, json.dumps(report["jobs"][name]), flush=True)
    figure(report, arguments.result.with_suffix(".png"))


def write(report: dict, result: Path) -> None:
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
