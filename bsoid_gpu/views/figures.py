"""Figures for a paper, as PNG and SVG, by matplotlib and without a display."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu import files
from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.behaviours.names import Behaviours
    from bsoid_gpu.run_folder.stored_run import StoredRun

MM = 1 / 25.4  # of an inch
COLUMN_MM, PAGE_MM = 85.0, 180.0  # widths of one column and of two
DPI = 300
MAX_POINTS = 20_000
READABLE = 40  # names along an axis; with more, only numbers
STYLE = {
    "font.family": "sans-serif",
    "font.size": 7,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "svg.fonttype": "path",  # letters as shapes: the figure needs no font
    "svg.hashsalt": "bsoid_gpu",  # equal figures give equal bytes
}
Draw = Callable[[Any], None]


def write_figures(folder: Path, run: StoredRun, behaviours: Behaviours, transitions: NDArray[np.int64]) -> list[Path]:
    """Write the figures of a run.

    Parameters
    ----------
    folder
        Output folder, created if it is missing.
    run
        A completed build.
    behaviours
        Names and colours; merged labels are one.
    transitions
        (behaviours, behaviours) number of bouts of the column that follow a bout of the row.

    Returns
    -------
    list[Path]
        The files.

    Raises
    ------
    BadInput
        matplotlib is not installed, or the folder cannot be written to.
    """
    names = [one.shown_name for one in behaviours.behaviours]
    counts = merged_matrix(run.confusion, behaviours)
    size_mm = float(np.clip(4.5 * len(names), COLUMN_MM, PAGE_MM))
    figures: dict[str, tuple[tuple[float, float], Draw]] = {
        "clusters": ((COLUMN_MM, COLUMN_MM), lambda figure: _clusters(figure, run, behaviours)),
        "confusion": ((size_mm, size_mm), lambda figure: _matrix(figure, counts, names, CONFUSION, "bins")),
        "confusion_normalised": (
            (size_mm, size_mm),
            lambda figure: _matrix(figure, row_shares(counts), names, CONFUSION, "share of the row"),
        ),
        "transitions": (
            (size_mm, size_mm),
            lambda figure: _matrix(figure, row_shares(transitions), names, TRANSITIONS, "share of the row"),
        ),
        "accuracy": ((COLUMN_MM, 60.0), lambda figure: _accuracy(figure, run.model.scores)),
    }
    with files.explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (size, draw) in figures.items():
        for kind, content in _plotted(size, draw).items():
            files.write_atomic(folder / f"{name}.{kind}", content)
            written.append(folder / f"{name}.{kind}")
    return written


CONFUSION = ("label predicted in cross-validation", "label")
TRANSITIONS = ("next bout", "bout")


def _plotted(size_mm: tuple[float, float], draw: Draw) -> dict[str, bytes]:
    """A figure of a size in mm, as PNG and SVG."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = "figures need matplotlib: pip install 'bsoid-gpu[plots]'"
        raise BadInput(msg) from error
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(size_mm[0] * MM, size_mm[1] * MM), layout="constrained")
        draw(figure)
        contents = {}
        for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata)
            contents[kind] = buffer.getvalue()
    return contents


def merged_matrix(counts: NDArray[np.int64], behaviours: Behaviours) -> NDArray[np.int64]:
    """Counts (labels, labels) with the rows and columns of merged labels added: (behaviours, behaviours)."""
    place = np.array(behaviours.places())
    merged = np.zeros((len(behaviours.behaviours),) * 2, dtype=np.int64)
    np.add.at(merged, (place[:, None], place[None, :]), counts)
    return merged


def row_shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rows that sum to 1; NaN for a row of zeros."""
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), np.nan)


def _matrix(figure: Any, values: NDArray[Any], names: list[str], axes: tuple[str, str], unit: str) -> None:
    plot = figure.subplots()
    image = plot.imshow(values, cmap="cividis", vmin=0)
    figure.colorbar(image, ax=plot, label=unit, shrink=0.6)
    labels = names if len(names) <= READABLE else [str(i) if i % 5 == 0 else "" for i in range(len(names))]
    plot.set_xticks(range(len(names)), labels, rotation=90)
    plot.set_yticks(range(len(names)), labels)
    plot.set(xlabel=axes[0], ylabel=axes[1])
    plot.tick_params(length=0)


def _clusters(figure: Any, run: StoredRun, behaviours: Behaviours) -> None:
    """The embedding in three dimensions, or in two if it has no more, with a colour for each behaviour."""
    table = run.training
    step = max(1, len(table.label) // MAX_POINTS)
    points = table.embedding[::step, :3]
    colours = np.array([behaviours.of(label).shown_colour for label in range(behaviours.count)])[table.label[::step]]
    dimensions = points.shape[1]
    plot = figure.add_subplot(projection="3d") if dimensions == 3 else figure.add_subplot()
    flat = points if dimensions > 1 else np.column_stack([points, np.zeros(len(points))])
    if dimensions == 3:
        plot.set_box_aspect(None, zoom=0.85)  # leaves room for the names of the axes
    plot.scatter(*flat.T, s=max(0.5, 3000 / len(flat)), c=colours, linewidths=0, rasterized=True)
    method = run.model.estimators["embedding"]["method"]
    for axis in "xyz"[: max(dimensions, 2)]:
        getattr(plot, f"set_{axis}label")(f"{method} {'xyz'.index(axis) + 1}")
        getattr(plot, f"set_{axis}ticks")([])


def _accuracy(figure: Any, scores: dict[str, Any]) -> None:
    """Accuracies on bins that the classifier was not fitted to."""
    plot = figure.subplots()
    bars = {"random bins": scores["held_out_random"], "time blocks": scores["held_out_blocks"]}
    known = {name: value for name, value in bars.items() if value is not None}
    plot.bar(list(known), list(known.values()), color="#56b4e9", width=0.6)
    folds = scores["cross_validation"]
    if folds:
        name = f"{len(folds)} folds"
        plot.boxplot([folds], positions=[len(known)], widths=0.5, medianprops={"color": "#d55e00"})
        plot.set_xticks(range(len(known) + 1), [*known, name])
    plot.set(ylim=(0, 1), ylabel="held-out accuracy")
