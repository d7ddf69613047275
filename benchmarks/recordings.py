"""Build and predict real recordings, and print the results.

    python benchmarks/recordings.py RECORDINGS OUT

RECORDINGS is a folder with `open_field_60hz`, `elevated_plus_maze_30hz` and `freezing_50hz`: the sample clips of
B-SOiD, the maze videos of its users, and BehaviorDEPOT's demo with the freezing frames of a human observer.
"""

import sys
from pathlib import Path

import pandas as pd

import bsoid_gpu
from bsoid_gpu.log import to_stderr
from bsoid_gpu.statistics import agreement


def job(name: str, train: list[Path], test: list[Path], fps: float, out: Path) -> None:
    run = bsoid_gpu.build(train, fps=fps, out=out / name / "run", backend="cpu")
    predictions = bsoid_gpu.predict(run.model, test, out=out / name / "labels", backend="cpu")
    scores = run.scores
    print(
        f"{name}: {scores['bins']:,} bins, {scores['clusters']} clusters, {scores['noise_share']:.0%} noise; held-out "
        f"accuracy {scores['held_out_random']:.3f} random, {scores['held_out_blocks']:.3f} blocks"
    )
    for session in predictions:
        top = pd.Series(session.labels).value_counts(normalize=True).head(3)
        print(
            f"  {session.name[:24]}: {len(session.labels)} frames, {len(set(session.labels.tolist()))} labels, "
            f"mean confidence {session.confidence.mean():.2f}; largest "
            + ", ".join(f"{label} {share:.0%}" for label, share in top.items())
        )
    for warning in run.warnings:
        print(f"  warning: {warning}")


def freezing(folder: Path, out: Path) -> None:
    labels = pd.read_csv(out / "freezing" / "labels" / "demo1_tracking.labels.csv")["label"]
    human = pd.read_csv(folder / "demo1_freezing_human_frames.DERIVED.csv")["freezing"]
    print(
        f"  majority accuracy against freezing scored by a human: {agreement.majority_accuracy(labels, human):.3f} "
        f"(always no: {max(human.mean(), 1 - human.mean()):.3f}); best lag {agreement.best_lag(labels, human)} frames"
    )
    print(agreement.by_behaviour(labels, human.map({0: "other", 1: "freezing"})).to_string(index=False))


def main() -> None:
    to_stderr()
    folder, out = map(Path, sys.argv[1:3])
    open_field = sorted((folder / "open_field_60hz").glob("*.csv"))
    maze = sorted((folder / "elevated_plus_maze_30hz").glob("*.csv"))
    job("open_field", open_field, open_field, 60, out)
    job("maze", maze[0::2], maze[1::2], 30, out)
    demo = [folder / "freezing_50hz" / "demo1_tracking.csv"]
    job("freezing", demo, demo, 50, out)
    freezing(folder / "freezing_50hz", out)


if __name__ == "__main__":
    main()
