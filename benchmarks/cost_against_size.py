"""Time, memory and quality of `build` and `predict` against the size of the job, each in a separate process.

    python benchmarks/cost_against_size.py SESSIONS FPS RESULT.json [--repeats 3] [--only NAME,...] [--plan]

SESSIONS is a folder with sessions of the same length. Sizes from 9,000 to 144,000 bins use their first frames; further
sessions use the same frames from another start, so that no two sessions have the same bins. A first build compiles
numba's functions and is not counted. Results are added to those in RESULT.json; RESULT.png is the figure of cost
against size. With --plan nothing is run, but the estimates of `build --dry-run` in RESULT.json are computed again.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from measuring import circumstances, seconds_by_kind, write
from processes import timed

from bsoid_gpu.io import find_sessions, outline
from bsoid_gpu.machine import cores
from bsoid_gpu.settings.schema import Input, Settings, Validation
from bsoid_gpu.workflows import cost

SIZES = {"9k": (4, 1 / 8), "18k": (4, 1 / 4), "36k": (4, 1 / 2), "72k": (4, 1), "144k": (8, 1)}  # sessions, of a length
COUNTS = {"1 session": (1, 1), "20 sessions": (20, 1), "100 sessions": (100, 1)}
MOST_REPEATED = 20  # sessions; a larger job is measured once
HEADER_LINES = 3
OPTIONS = ("--backend", "cpu", "--no-stability", "--no-report")  # of a build, see `single`
ORIGINAL = {"bins": 71_996, "build_s": 905, "memory_gb": 2.97}  # on sessions of this size, on two cores
OF_SCORES = ("clusters", "noise_share", "held_out_random", "held_out_blocks")


def write_sessions(sessions: list[Path], number: int, share: float, folder: Path) -> None:
    """Write sessions with a share of the length of the given ones."""
    for i in range(number):
        lines = sessions[i % len(sessions)].read_bytes().splitlines(keepends=True)
        header, body = lines[:HEADER_LINES], lines[HEADER_LINES:]
        start = i // len(sessions) * 3_607 % len(body)  # not a multiple of the frames of a bin
        frames = (line.split(b",", 1)[1] for line in (body[start:] + body[:start])[: round(share * len(body))])
        numbered = (b"%d,%b" % (frame, line) for frame, line in enumerate(frames))
        (folder / f"part{i + 1:03d}.csv").write_bytes(b"".join([*header, *numbered]))


def trustworthiness(run: Path) -> float:
    """Trustworthiness of the embedding in a run folder."""
    import judge

    return judge.trustworthiness(*judge.stored_embedding(run))


def single(fps: float) -> Settings:
    """Settings of the builds: without a second model, which would take as long again."""
    return Settings(input=Input(fps=fps), validation=Validation(stability=False))


def planned(size: cost.Size, fps: float, core: cost.Speed) -> dict[str, Any]:
    """Estimates of `build --dry-run` for a job of this size: seconds of each stage and in total, and peak memory."""
    steps = [step for step in cost.on_cpu(size, single(fps), cores(), core) if step.name != "labels, page"]
    return {
        "stages_s": {step.name: round(step.seconds, 2) for step in steps},
        "build_s": round(sum(step.seconds for step in steps), 1),
        "memory_mb": round(max(step.memory_mb for step in steps)),
    }


def measured(sessions: Path, fps: float, repeats: int) -> dict[str, Any]:
    """Medians over the repeats of one job."""
    size = cost.size([outline(path) for path in find_sessions([sessions])], single(fps))
    builds, predicts, stages = [], [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as scratch:
            run, labels = Path(scratch, "run"), Path(scratch, "labels")
            builds.append(timed("build", sessions, *OPTIONS, "--fps", fps, "--out", run))
            manifest = json.loads((run / "manifest.json").read_text())
            scores = json.loads((run / "scores.json").read_text())
            stages.append(seconds_by_kind(manifest["stages"]))
            with ProcessPoolExecutor(1, get_context("spawn")) as process:  # else a command starts with its peak memory
                trust = process.submit(trustworthiness, run).result()
            predicts.append(timed("predict", run, sessions, "--out", labels, "--backend", "cpu", "--no-report"))
    number = len(manifest["sessions"])
    return {
        "sessions": number,
        "frames": sum(session["frames"] for session in manifest["sessions"]),
        "bins": sum(session["bins"] for session in manifest["sessions"]),
        "training_bins": scores["bins"],
        "repeats": repeats,
        "build_s": [round(seconds, 2) for seconds, _ in builds],
        "build_median_s": round(statistics.median(seconds for seconds, _ in builds), 2),
        "build_peak_memory_mb": round(max(mb for _, mb in builds)),
        "predict_s": [round(seconds, 2) for seconds, _ in predicts],
        "predict_s_per_session": round(statistics.median(seconds for seconds, _ in predicts) / number, 3),
        "predict_peak_memory_mb": round(max(mb for _, mb in predicts)),
        "stages_median_s": {kind: round(statistics.median(each[kind] for each in stages), 2) for kind in stages[0]},
        "trustworthiness": trust,
        **{name: scores[name] for name in OF_SCORES},
        "size": size._asdict(),
        "planned": planned(size, fps, cost.speed()),
    }


def plot(report: dict[str, Any], path: Path) -> None:
    """Cost against size, both on logarithmic axes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    by_size = [report["jobs"][name] for name in SIZES if name in report["jobs"]]
    by_sessions = [report["jobs"][name] for name in ("1 session", "72k", *list(COUNTS)[1:]) if name in report["jobs"]]
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    bins = [job["bins"] for job in by_size]
    for stage in ("features", "embedding", "clusters", "classifier"):
        axes[0].plot(bins, [job["stages_median_s"][stage] for job in by_size], "o-", label=stage, linewidth=1)
    axes[0].plot(bins, [job["build_median_s"] for job in by_size], "ko-", label="build, complete process")
    axes[0].plot([ORIGINAL["bins"]], [ORIGINAL["build_s"]], "r*", markersize=12, label="original B-SOiD, two cores")
    axes[0].set(xlabel="bins of 100 ms", ylabel="seconds", title="build against bins")
    sessions = [job["sessions"] for job in by_sessions]
    axes[1].plot(sessions, [job["build_median_s"] for job in by_sessions], "ko-", label="build")
    axes[1].plot(sessions, [sum(job["predict_s"]) / job["repeats"] for job in by_sessions], "bo-", label="predict all")
    axes[1].set(xlabel="sessions of 30 minutes", ylabel="seconds", title="against sessions (a subsample from 9 on)")
    for jobs_of, mark, label in ((by_size, "o-", "by size"), (by_sessions, "s--", "by sessions")):
        memory = [job["build_peak_memory_mb"] / 1e3 for job in jobs_of]
        axes[2].plot([job["bins"] for job in jobs_of], memory, mark, label=f"build, {label}")
    axes[2].plot([ORIGINAL["bins"]], [ORIGINAL["memory_gb"]], "r*", markersize=12, label="original B-SOiD")
    axes[2].set(xlabel="bins of 100 ms", ylabel="GB", title="peak memory")
    for axis in axes:
        axis.set(xscale="log", yscale="log")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def jobs(only: set[str]) -> Iterator[tuple[str, int, float]]:
    """Name, number of sessions, and share of their length, of the jobs of these names, or of all."""
    for name, (number, share) in (SIZES | COUNTS).items():
        if not only or name in only:
            yield name, number, share


def warm_up(sessions: list[Path], fps: float) -> None:
    """Build and predict a small job, which compiles numba's functions."""
    with tempfile.TemporaryDirectory() as scratch:
        small = Path(scratch, "sessions")
        small.mkdir()
        write_sessions(sessions, *SIZES["9k"], small)
        timed("build", small, *OPTIONS, "--fps", fps, "--out", Path(scratch, "run"))
        timed(
            "predict", Path(scratch, "run"), small, "--out", Path(scratch, "labels"), "--backend", "cpu", "--no-report"
        )


def plan_again(fps: float, result: Path) -> None:
    """Compute the estimates of the jobs in a report again."""
    report, core = json.loads(result.read_text()), cost.speed()
    for job in report["jobs"].values():
        job["planned"] = planned(cost.Size(**job["size"]), fps, core)
    write(report, result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sessions", type=Path)
    parser.add_argument("fps", type=float)
    parser.add_argument("result", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="names of sizes and counts, comma-separated")
    parser.add_argument("--plan", action="store_true", help="only compute the estimates again")
    a = parser.parse_args()
    if a.plan:
        plan_again(a.fps, a.result)
        return
    sessions = sorted(a.sessions.glob("*.csv"))
    report = json.loads(a.result.read_text()) if a.result.exists() else {"jobs": {}}
    report |= {"what": __doc__.splitlines()[0], **circumstances(), "warm_up": 1}
    warm_up(sessions, a.fps)
    for name, number, share in jobs(set(filter(None, a.only.split(",")))):
        with tempfile.TemporaryDirectory() as folder:
            write_sessions(sessions, number, share, Path(folder))
            report["jobs"][name] = measured(Path(folder), a.fps, a.repeats if number <= MOST_REPEATED else 1)
        write(report, a.result)
        print(name, json.dumps(report["jobs"][name]), flush=True)
    plot(report, a.result.with_suffix(".png"))


if __name__ == "__main__":
    main()
