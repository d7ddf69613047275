"""Plot the results of the demo: the embedding, and a minute of the session that was not used for training.

python benchmarks/figure.py DEMO FIGURE.png      (after `make demo`; needs matplotlib)
"""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

from bsoid_gpu.statistics import agreement
from bsoid_gpu.synthetic import mouse

mpl.use("agg")
from matplotlib import pyplot as plt


def main() -> None:
    demo, figure = Path(sys.argv[1]), Path(sys.argv[2])
    training = pd.read_csv(demo / "run" / "training.csv")
    labels = pd.read_csv(demo / "labels" / "mouse3.labels.csv")
    truth = pd.read_csv(demo / "sessions" / "truth" / "mouse3.truth.csv")["behaviour"]
    names = sorted(mouse.NAMES)
    colour = dict(zip(names, plt.get_cmap("tab10").colors, strict=False))
    most_frequent = pd.crosstab(labels["label"], truth).idxmax(axis=1)

    fig = plt.figure(figsize=(10, 6.2), constrained_layout=True)
    above, below = fig.subfigures(2, 1, height_ratios=[2.2, 1])
    for i, (a, b) in enumerate([(1, 2), (1, 3), (2, 3)]):
        axes = above.add_subplot(1, 3, i + 1)
        colours = training["soft_label"].map(lambda label: colour[most_frequent.get(label, names[0])])
        axes.scatter(training[f"embedding_{a}"], training[f"embedding_{b}"], s=1.2, c=colours, linewidths=0)
        axes.set(xlabel=f"UMAP {a}", ylabel=f"UMAP {b}", xticks=[], yticks=[])
    above.suptitle(f"{len(training):,} bins of 100 ms from two sessions, {training['soft_label'].nunique()} clusters")
    axes = below.subplots()
    minute = slice(0, 3600)
    labelled = agreement.majority(labels["label"], truth)
    for row, behaviour in enumerate(names):
        for behaviours, offset in ((truth.to_numpy(), 0.2), (labelled, -0.2)):
            times = labels["time_s"].to_numpy()[minute][behaviours[minute] == behaviour]
            axes.plot(times, np.full(len(times), row + offset), "|", color=colour[behaviour], ms=5.5, alpha=0.6)
    axes.set(yticks=range(len(names)), yticklabels=names, xlabel="s", xlim=(0, 60))
    axes.set_title(
        "a session not used for training: behaviour (upper) and most frequent behaviour of the label (lower)",
        fontsize=10,
    )
    figure.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(figure, dpi=110)


if __name__ == "__main__":
    main()
