"""Plot the results of the demo: the embedding, and a minute of the session that was not used for training.

python benchmarks/figure.py DEMO FIGURE.png      (after `make demo`; needs matplotlib)
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bsoid_gpu.statistics import agreement
from bsoid_gpu.synthetic import mouse

MINUTE_FRAMES = 3_600  # at the 60 fps of the demo


def plot_embedding(figure: Any, training: pd.DataFrame, colours: pd.Series) -> None:
    """Three views of the embedding (UMAP 1, 2 and 3), a point for each bin."""
    for i, (a, b) in enumerate([(1, 2), (1, 3), (2, 3)]):
        axes = figure.add_subplot(1, 3, i + 1)
        axes.scatter(training[f"embedding_{a}"], training[f"embedding_{b}"], s=1.2, c=colours, linewidths=0)
        axes.set(xlabel=f"UMAP {a}", ylabel=f"UMAP {b}", xticks=[], yticks=[])
    figure.suptitle(f"{len(training):,} bins of 100 ms from two sessions, {training['soft_label'].nunique()} clusters")


def plot_minute(axes: Any, labels: pd.DataFrame, truth: pd.Series, colour: dict[str, Any]) -> None:
    """For each behaviour, the frames in which it is the known one (upper row) and that of the label (lower row)."""
    minute = slice(0, MINUTE_FRAMES)
    labelled = agreement.majority(labels["label"], truth)
    for row, behaviour in enumerate(colour):
        for behaviours, offset in ((truth.to_numpy(), 0.2), (labelled, -0.2)):
            times = labels["time_s"].to_numpy()[minute][behaviours[minute] == behaviour]
            axes.plot(times, np.full(len(times), row + offset), "|", color=colour[behaviour], ms=5.5, alpha=0.6)
    axes.set(yticks=range(len(colour)), yticklabels=list(colour), xlabel="s", xlim=(0, 60))
    axes.set_title(
        "a session not used for training: behaviour (upper) and most frequent behaviour of the label (lower)",
        fontsize=10,
    )


def main() -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    demo, result = Path(sys.argv[1]), Path(sys.argv[2])
    training = pd.read_csv(demo / "run" / "training.csv")
    labels = pd.read_csv(demo / "labels" / "mouse3.labels.csv")
    truth = pd.read_csv(demo / "sessions" / "truth" / "mouse3.truth.csv")["behaviour"]
    names = sorted(mouse.NAMES)
    colour = {name: plt.get_cmap("tab10")(i) for i, name in enumerate(names)}
    most_frequent = pd.crosstab(labels["label"], truth).idxmax(axis=1)
    colours = training["soft_label"].map(lambda label: colour[most_frequent.get(label, names[0])])

    figure = plt.figure(figsize=(10, 6.2), constrained_layout=True)
    parts: Any = figure.subfigures(2, 1, height_ratios=[2.2, 1])
    plot_embedding(parts[0], training, colours)
    plot_minute(parts[1].subplots(), labels, truth, colour)
    result.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(result, dpi=110)


if __name__ == "__main__":
    main()
