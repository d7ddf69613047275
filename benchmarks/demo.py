"""Simulate three sessions, build a model from two, label the third, and compare with the known behaviours.

python benchmarks/demo.py DIR
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

from bsoid_gpu.statistics import agreement


def bsoid_gpu(*arguments: object) -> None:
    words = [str(argument) for argument in arguments]
    print("$ bsoid-gpu", " ".join(words), flush=True)
    if code := subprocess.run([sys.executable, "-m", "bsoid_gpu", *words]).returncode:
        sys.exit(code)


def main() -> None:
    folder = Path(sys.argv[1])
    if (folder / "sessions" / "truth").is_dir():  # of an earlier demo
        shutil.rmtree(folder)
    sessions = folder / "sessions"
    bsoid_gpu("simulate", sessions, "--sessions", 3, "--minutes", 5, "--fps", 60)
    first, second, third = sorted(sessions.glob("*.csv"))
    bsoid_gpu("build", first, second, "--fps", 60, "--out", folder / "run")
    bsoid_gpu("predict", folder / "run", third, "--out", folder / "labels")
    labels = pd.read_csv(folder / "labels" / f"{third.stem}.labels.csv")["label"]
    truth = pd.read_csv(sessions / "truth" / f"{third.stem}.truth.csv")["behaviour"]
    table = agreement.by_behaviour(labels, truth)
    table["recall"] = table["recall"].map("{:.0%}".format)
    print(f"\n{third.stem}, not used for training: {len(labels):,} frames, each with a label")
    print(table.to_string(index=False))
    print(
        f"frames whose behaviour is the most frequent of their label: {agreement.majority_accuracy(labels, truth):.1%}"
    )
    print(f"what the animals do: {folder / 'run' / 'report.html'} and {folder / 'labels' / 'report.html'}")
    homogeneity, lag = agreement.homogeneity(labels, truth), agreement.best_lag(labels, truth)
    print(f"homogeneity: {homogeneity:.3f}   best lag: {lag} frames")


if __name__ == "__main__":
    main()
