"""Write recordings with human labels as the folders that `truth.py` scores.

    python benchmarks/labelled.py RECORDINGS OUT

RECORDINGS is a folder with `freezing_50hz` (BehaviorDEPOT's demo, with the freezing frames of a human observer) and
`formats` (a recording of two mice in `madlc`, and its events by BORIS in `boris`). OUT gets

    freezing          one session, which is both learned from and predicted
    two_mice          the first half of the time is learned from, the second predicted; each session has the keypoints
                      of both animals, since their contact is what the observer scored
    two_mice_alone    the same, with the keypoints of the animal only whose behaviour was scored

A frame has the behaviour that started last of those that have not stopped at its time, or `none`.
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from labelled_folder import write_split, write_truth

from bsoid_gpu.errors import BadInput

NONE = "none"
TWO_MICE = "e3v813a"
HEADER = ("scorer", "individuals", "bodyparts", "coords")
Rows = Sequence[Sequence[str]]


def behaviour_of_frames(events: pd.DataFrame, subject: str, frames: int, fps: float) -> list[str]:
    """Behaviour of an animal in each frame, from the columns Time (s), Subject, Behavior and Status (START, STOP)."""
    own = events[(events["Subject"] == subject) & events["Status"].isin(["START", "STOP"])]
    if own.empty:
        msg = f"no state events of {subject!r}; there are events of {', '.join(map(str, events['Subject'].unique()))}"
        raise BadInput(msg)
    behaviours = [NONE] * frames
    going_on: list[str] = []
    for time_s, behaviour, status in own.sort_values("Time", kind="stable")[["Time", "Behavior", "Status"]].to_numpy():
        if status == "START":
            going_on.append(behaviour)
        elif behaviour in going_on:
            going_on.reverse()  # of two with one name, the last started stops
            going_on.remove(behaviour)
            going_on.reverse()
        else:
            msg = f"{behaviour!r} of {subject!r} stops at {time_s} s but has not started"
            raise BadInput(msg)
        first = next((frame for frame in range(frames) if frame / fps >= time_s), frames)
        behaviours[first:] = [going_on[-1] if going_on else NONE] * (frames - first)
    return behaviours


def boris_events(path: Path) -> tuple[pd.DataFrame, float]:
    """Table of events, which follows a preamble, and its frame rate."""
    lines = path.read_text(encoding="utf-8").splitlines()
    above = next((number for number, line in enumerate(lines) if line.startswith("Time,")), None)
    if above is None:
        msg = f"{str(path)!r} has no line that begins with Time,; expected tabular events of BORIS"
        raise BadInput(msg)
    events = pd.read_csv(path, skiprows=above)
    return events, float(events["FPS"].iloc[0])


def single_animal(rows: Rows, animals: Sequence[str]) -> list[list[str]]:
    """Rows of a DeepLabCut file of several animals as those of one animal, which has the keypoints of all named."""
    header = dict(zip(HEADER, rows, strict=False))
    columns = [column for column, name in enumerate(header["individuals"]) if name in animals]
    chosen = [[row[0], *(row[column] for column in columns)] for row in rows]
    parts = [f"{header['individuals'][column]} {header['bodyparts'][column]}" for column in columns]
    return [chosen[0], ["bodyparts", *parts], *chosen[3:]]


def write_halves(rows: Rows, behaviours: Sequence[str], fps: float, out: Path) -> None:
    """Write the halves of a track as two sessions, each with frames from 0, and their behaviours."""
    header, body = rows[:3], rows[3:]
    middle = len(body) // 2
    out.mkdir(parents=True, exist_ok=True)
    for name, part in (("first_half", slice(0, middle)), ("second_half", slice(middle, len(body)))):
        with (out / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            numbered = [[str(number), *row[1:]] for number, row in enumerate(body[part])]
            csv.writer(file, lineterminator="\n").writerows([*header, *numbered])
        write_truth(out, name, behaviours[part])
    write_split(out, fps, {"learn": ["first_half"], "predict": ["second_half"]})


def write_freezing(folder: Path, out: Path) -> None:
    track = folder / "demo1_tracking.csv"
    human = pd.read_csv(folder / "demo1_freezing_human_frames.DERIVED.csv")["freezing"]
    out.mkdir(parents=True, exist_ok=True)
    (out / track.name).write_bytes(track.read_bytes())
    write_truth(out, track.stem, list(human.map({0: NONE, 1: "freezing"})))
    write_split(out, 50.0, {"learn": [track.stem], "predict": [track.stem]})


def write_two_mice(track: Path, events_file: Path, out: Mapping[str, Path]) -> None:
    """Write the session with the keypoints of both animals, and of the one whose behaviour was scored."""
    events, fps = boris_events(events_file)
    (subject,) = events["Subject"].unique()
    with track.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    every = sorted(set(rows[1][1:]))
    behaviours = behaviour_of_frames(events, subject, len(rows) - len(HEADER), fps)
    for folder, animals in ((out["both"], every), (out["alone"], [subject])):
        write_halves(single_animal(rows, animals), behaviours, fps, folder)


def main() -> None:
    recordings, out = map(Path, sys.argv[1:3])
    write_freezing(recordings / "freezing_50hz", out / "freezing")
    (track,) = (recordings / "formats" / "madlc").glob(f"{TWO_MICE}*.csv")
    (events,) = (recordings / "formats" / "boris").glob(f"{TWO_MICE}*.csv")
    write_two_mice(track, events, {"both": out / "two_mice", "alone": out / "two_mice_alone"})
    print(out)


if __name__ == "__main__":
    main()
