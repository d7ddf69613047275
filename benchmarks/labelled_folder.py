"""A folder of sessions with known behaviours, laid out as `truth.py` describes."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.io import find_sessions
from bsoid_gpu.io.arrange import session_name
from bsoid_gpu.settings.schema import fps_problems

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SPLIT, TRUTH, TRUTH_SUFFIX = "split.toml", "truth", ".truth.csv"
COLUMNS = ["frame", "behaviour"]
KEYS = ("fps", "learn", "predict")


@dataclass(frozen=True)
class Labelled:
    """Sessions with known behaviours: paths to build from and to predict, and behaviour by frame of each session."""

    fps: float
    learn: tuple[Path, ...]
    predict: tuple[Path, ...]
    truth: dict[str, pd.Series]

    @property
    def same(self) -> bool:
        """Whether sessions are scored from which the model is built."""
        return not set(self.learn).isdisjoint(self.predict)


def read_labelled(folder: Path, fps: float | None = None) -> Labelled:
    """Sessions of a folder, as this module describes it; all problems are reported together."""
    if not folder.is_dir():
        msg = (
            f"{str(folder)!r} is no folder; expected sessions and {TRUTH}/NAME{TRUTH_SUFFIX}, as `simulate` writes them"
        )
        raise BadInput(msg)
    sessions = {session_name(path): path for path in find_sessions([folder])}
    split, problems = _split(folder / SPLIT, list(sessions))
    rate = split.get("fps") if fps is None else fps
    if rate is None:
        rate = 0.0
        problems.append(f"no frame rate is given: write fps = 30.0 into {str(folder / SPLIT)!r}, or give --fps 30")
    else:
        problems += fps_problems(rate)
    truth: dict[str, pd.Series] = {}
    for name in split["predict"]:
        files = _truth_files(folder / TRUTH, name)
        if not files:
            problems.append(f"{name} is to be predicted but has no {TRUTH}/{name}{TRUTH_SUFFIX}")
        for path in files:
            table, problem = _truth(path)
            problems += problem
            truth[path.name.removesuffix(TRUTH_SUFFIX)] = table
    raise_all(problems)
    learn, predict = (tuple(sessions[name] for name in split[part]) for part in ("learn", "predict"))
    return Labelled(float(rate), learn, predict, truth)


def _split(path: Path, names: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """What the file says, with learn and predict in any case, and problems."""
    split: dict[str, Any] = {}
    problems = []
    if path.exists():
        try:
            split = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problems.append(f"{str(path)!r} is not TOML: {error}")
    problems += [f"{str(path)!r} has {key!r}; expected {', '.join(KEYS)}" for key in split if key not in KEYS]
    if not {"learn", "predict"} & set(split):
        split |= {"learn": list(names[::2]), "predict": list(names[1::2] or names)}
    for part in ("learn", "predict"):
        chosen = split.get(part)
        if not (isinstance(chosen, list) and chosen and all(isinstance(name, str) for name in chosen)):
            problems.append(f'{part} of {str(path)!r} is {chosen!r}; expected names of sessions, as ["{names[0]}"]')
            chosen = []
        known = [name for name in chosen if name in names]
        problems += [
            f"{part} of {str(path)!r} names {name!r}, which is no session; there are {', '.join(names)}"
            for name in chosen
            if name not in names
        ]
        split[part] = known
    return split, problems


def _truth_files(folder: Path, name: str) -> list[Path]:
    """Behaviours of a session, or of its animals."""
    own = folder / f"{name}{TRUTH_SUFFIX}"
    return [own] if own.exists() else sorted(folder.glob(f"{name}_*{TRUTH_SUFFIX}"))


def _truth(path: Path) -> tuple[pd.Series, list[str]]:
    """Behaviour by frame number, and problems."""
    table = pd.read_csv(path)
    if not set(COLUMNS) <= set(table):
        return pd.Series(dtype=str), [
            f"{str(path)!r} has the columns {', '.join(table)}; expected {', '.join(COLUMNS)}"
        ]
    table = table.dropna(subset=COLUMNS)
    repeated = int(table["frame"].duplicated().sum())
    problems = [f"{str(path)!r} has {repeated} frames more than once; expected one row a frame"] if repeated else []
    return table.set_index("frame")["behaviour"].astype(str), problems


def write_truth(folder: Path, name: str, behaviours: Sequence[str]) -> None:
    """Write the behaviour of each frame of a session, from frame 0."""
    (folder / TRUTH).mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame({"frame": range(len(behaviours)), "behaviour": behaviours})
    table.to_csv(folder / TRUTH / f"{name}{TRUTH_SUFFIX}", index=False)


def write_split(folder: Path, fps: float, parts: Mapping[str, Sequence[str]]) -> None:
    """Write the frame rate, and the sessions to learn from and to predict."""
    lines = [f"fps = {fps}", *(f"{part} = {list(names)}" for part, names in parts.items())]
    (folder / SPLIT).write_text("\n".join(lines) + "\n")
