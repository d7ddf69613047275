"""Score presets against behaviours that are known, on sessions that the model was not built from.

    python benchmarks/truth.py LABELLED_FOLDER [--presets default,bsoid-1.3] [--seeds 0,1,2] [--fps 30] [--smooth 0.97]
        [--backend cpu] [--validate] [--out RESULT.json]

LABELLED_FOLDER is what `bsoid-gpu simulate` and `benchmarks/labelled.py` write:

    NAME.csv                 tracks in any format that the program reads, named by session
    truth/NAME.truth.csv     columns frame (the file's frame numbers) and behaviour, of the sessions to predict; an
                             animal of several has truth/NAME_ANIMAL.truth.csv; frames without a row are not scored
    split.toml               fps = 30.0, learn = ["NAME", ...], predict = ["NAME", ...]

Without learn and predict in split.toml, every second session is predicted; a single session is predicted by its own
model, which the table marks. Without a frame rate there, --fps gives it.

All frames of the predicted sessions that have a behaviour are scored; the label -1 is a label like any other, but no
cluster, and in no bout. For each preset and seed:

    NMI, AMI        information about the behaviours, normalised; adjusted for chance
    AMI within      AMI of each session alone, averaged
    majority, F1    share of frames whose behaviour is the most frequent of their label; F1 of the behaviours, averaged
    left out        majority accuracy of a session with the most frequent behaviours of the other sessions, averaged
    bout            median and mean duration of the predicted bouts, in seconds

and for each two seeds, adjusted Rand and AMI of their labels. Scores of held-out bins and the second model of the
stability are not computed, except with --validate. A build of a simulated minute with each preset loads the compiled
functions first, and is not counted.
"""

import argparse
import contextlib
import itertools
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from labelled_folder import TRUTH, Labelled, read_labelled
from measuring import circumstances, timed, write

import bsoid_gpu
from bsoid_gpu.errors import BadInput
from bsoid_gpu.log import to_stderr
from bsoid_gpu.method.bouts import Labels, bouts
from bsoid_gpu.settings.schema import Settings
from bsoid_gpu.statistics import agreement
from bsoid_gpu.synthetic.sessions import simulate_session

WARM_UP_FPS, WARM_UP_FRAMES = 30.0, 1800
SCORES = {  # of a preset and seed, and how the table shows them
    "nmi": ("NMI", "{:.3f}"),
    "ami": ("AMI", "{:.3f}"),
    "ami_within_sessions": ("AMI within", "{:.3f}"),
    "majority_accuracy": ("majority", "{:.3f}"),
    "macro_f1": ("F1", "{:.3f}"),
    "left_out_accuracy": ("left out", "{:.3f}"),
    "clusters": ("clusters", "{:.3g}"),
    "median_bout_s": ("bout median", "{:.2f}"),
    "mean_bout_s": ("mean s", "{:.2f}"),
    "build_s": ("build s", "{:.1f}"),
    "predict_s": ("predict s", "{:.1f}"),
}
SEED_SCORES = {"adjusted_rand": "seeds: ARI", "ami": "AMI"}  # of the labels of each two seeds


def scored(predictions: Sequence[bsoid_gpu.Prediction], truth: dict[str, pd.Series]) -> pd.DataFrame:
    """Session, frame, label and behaviour of the frames that have a behaviour."""
    tables = []
    for prediction in predictions:
        if prediction.name in truth:
            table = pd.DataFrame({"frame": prediction.frame_numbers, "label": prediction.labels})
            table["behaviour"] = truth[prediction.name].reindex(table["frame"]).to_numpy()
            tables.append(table.dropna().assign(session=prediction.name))
    if not tables or not sum(map(len, tables)):
        predicted = ", ".join(prediction.name for prediction in predictions)
        msg = (
            f"no frame of {predicted} has a behaviour; {TRUTH} has {', '.join(truth)}: compare names and frame numbers"
        )
        raise BadInput(msg)
    return pd.concat(tables, ignore_index=True)


def measures(frames: pd.DataFrame, predictions: Sequence[bsoid_gpu.Prediction]) -> dict[str, float]:
    """Scores of one model."""
    label, truth, session = (frames[column].to_numpy() for column in ("label", "behaviour", "session"))
    durations_s = pd.concat(
        bouts(Labels(p.labels, p.fps, p.frame_numbers, p.observed)).query("label >= 0")["duration_s"]
        for p in predictions
    )
    return {
        "nmi": agreement.normalised_information(label, truth),
        "ami": agreement.adjusted_information(label, truth),
        "ami_within_sessions": agreement.adjusted_information_within(label, truth, session),
        "majority_accuracy": agreement.majority_accuracy(label, truth),
        "macro_f1": agreement.macro_f1(label, truth),
        "left_out_accuracy": agreement.left_out_accuracy(label, truth, session),
        "median_bout_s": float(durations_s.median()),
        "mean_bout_s": float(durations_s.mean()),
    }


def warm_up(settings: Settings, backend: str) -> None:
    """Build and predict a short session, so that the measured ones compile nothing."""
    pose, _ = simulate_session("warm_up", WARM_UP_FRAMES, WARM_UP_FPS, np.random.default_rng(0))
    with contextlib.suppress(BadInput):  # too short for some settings
        run = bsoid_gpu.build([pose], WARM_UP_FPS, settings=settings, backend=backend)
        bsoid_gpu.predict(run.model, [pose], WARM_UP_FPS, backend=backend)


def score_preset(
    labelled: Labelled, settings: Settings, seeds: Sequence[int], backend: str, smooth: float | None
) -> dict[str, Any]:
    """Scores of the model of each seed, their means, and the agreement of each two."""
    runs, labels = {}, {}
    for seed in seeds:
        run, build_s = timed(
            bsoid_gpu.build, labelled.learn, labelled.fps, settings=settings, backend=backend, seed=seed
        )
        predictions, predict_s = timed(
            bsoid_gpu.predict, run.model, labelled.predict, labelled.fps, backend=backend, smooth=smooth
        )
        frames = scored(predictions, labelled.truth)
        labels[seed] = frames["label"].to_numpy()
        runs[seed] = {
            **measures(frames, predictions),
            "clusters": run.model.labels,
            "frames": len(frames),
            "build_s": build_s,
            "predict_s": predict_s,
        }
    pairs = {
        f"{a} and {b}": {
            "adjusted_rand": agreement.adjusted_rand(labels[a], labels[b]),
            "ami": agreement.adjusted_information(labels[a], labels[b]),
        }
        for a, b in itertools.combinations(seeds, 2)
    }
    return {"seeds": runs, "mean": _mean(runs), "between_seeds": pairs, "mean_between_seeds": _mean(pairs)}


def _mean(scores: dict[Any, dict[str, float]]) -> dict[str, float]:
    """Mean of each score; none of no scores."""
    return {key: float(np.mean([own[key] for own in scores.values()])) for key in next(iter(scores.values()), {})}


def score(folder: Path, presets: Sequence[str], seeds: Sequence[int], options: argparse.Namespace) -> dict[str, Any]:
    """The report: what was measured, and the scores of each preset."""
    settings = {name: bsoid_gpu.preset(name) for name in presets}
    labelled = read_labelled(folder, options.fps)
    report: dict[str, Any] = {
        "what": __doc__.splitlines()[0],
        **circumstances(),
        "folder": folder.name,
        "fps": labelled.fps,
        "learn": [path.name for path in labelled.learn],
        "predict": [path.name for path in labelled.predict],
        "predicted_are_learned": labelled.same,
        "behaviours": pd.concat(labelled.truth.values()).value_counts().to_dict(),
        "backend": options.backend,
        "smooth": options.smooth,
        "validated": options.validate,
        "presets": {},
    }
    for name, own in settings.items():
        if not options.validate:
            own = replace(own, validation=replace(own.validation, stability=False, folds=0))
        warm_up(own, options.backend)
        try:
            scores = score_preset(labelled, own, seeds, options.backend, options.smooth)
        except BadInput as error:  # the other presets may do
            scores = {"failed": str(error)}
            print(f"{name}: {error}", file=sys.stderr)
        report["presets"][name] = scores
    return report


def table_of(report: dict[str, Any]) -> str:
    """The scores of each preset and seed, and their means, as text."""
    rows = []
    for preset, scores in report["presets"].items():
        if "failed" in scores:
            rows.append([preset, "failed"])
            continue
        mark = "*" if report["predicted_are_learned"] else ""
        for seed, own in [*scores["seeds"].items(), ("mean", scores["mean"])]:
            between = scores["mean_between_seeds"] if seed == "mean" else {}
            rows.append(
                [
                    preset + mark,
                    str(seed),
                    *(_shown(own[key], style) for key, (_, style) in SCORES.items()),
                    *(_shown(between.get(key, np.nan), "{:.3f}") for key in SEED_SCORES),
                ]
            )
    columns = ["preset", "seed", *(title for title, _ in SCORES.values()), *SEED_SCORES.values()]
    rows = [row + [""] * (len(columns) - len(row)) for row in [columns, *rows]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _shown(value: float, style: str) -> str:
    return "-" if np.isnan(value) else style.format(value)


def _for_json(value: Any) -> Any:
    """The report with scores that are not defined as null, which JSON has."""
    if isinstance(value, dict):
        return {key: _for_json(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--presets", default="default,bsoid-1.3")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--fps", type=float)
    parser.add_argument("--smooth", type=float)
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--out", type=Path)
    a = parser.parse_args()
    to_stderr()
    try:
        report = score(a.folder, a.presets.split(","), [int(seed) for seed in a.seeds.split(",")], a)
    except BadInput as error:
        sys.exit(f"error: {error}")
    print(table_of(report))
    if report["predicted_are_learned"]:
        print("* sessions are scored by models that were built from them")
    if a.out:
        write(_for_json(report), a.out)


if __name__ == "__main__":
    main()
