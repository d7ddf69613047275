"""Settings: one frozen dataclass per stage, the method of Hsu & Yttri (2021) as the default."""

from __future__ import annotations

import math
import re
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any

from bsoid_gpu.errors import BadInput, raise_all

MIN_FPS = 10.0
INF = math.inf


def setting(default: Any, doc: str, *, bounds: tuple[float, float] = (-INF, INF), choices: tuple[str, ...] = ()) -> Any:
    """Give a setting its default, the sentence that ``bsoid-gpu config`` prints above it, and what it may be."""
    return field(default=default, metadata={"doc": doc, "bounds": bounds, "choices": choices})


@dataclass(frozen=True)
class Input:
    """Which sessions belong together, and which keypoints are used."""

    fps: float = setting(0.0, "Frames per second of the camera, at least 10; 0 asks for --fps.")
    keypoints: tuple[str, ...] = setting((), "Exact names of the keypoints to use, in order; empty uses all.")
    group: str = setting(
        "",
        "Regular expression whose first group names the recording that a session is a part of: sessions of one "
        "recording share likelihood thresholds and scale. Empty: each session is a recording of its own.",
    )
    min_session_s: float = setting(10.0, "Shortest session to learn from, in seconds.", bounds=(0.0, INF))
    unusable_share: float = setting(
        0.3, "Warn where a larger share of a keypoint's frames is below its threshold.", bounds=(0.0, 1.0)
    )


@dataclass(frozen=True)
class Likelihood:
    """The adaptive likelihood filter."""

    histogram_bins: int = setting(
        10, "Bins of the likelihood histogram that the threshold is read from.", bounds=(3, 1000)
    )


@dataclass(frozen=True)
class Features:
    """Frame features and their 100 ms bins."""

    smoothing_s: float = setting(0.05, "Half width of the moving mean, in seconds.", bounds=(0.0, 10.0))
    bin_s: float = setting(0.1, "Length of a bin and of a prediction window, in seconds.", bounds=(0.01, 10.0))
    standardise: str = setting(
        "session",
        "Scale of the embedding's input: per 'session' (the method's) or 'global'.",
        choices=("session", "global"),
    )


@dataclass(frozen=True)
class Embedding:
    """UMAP."""

    dimensions: int = setting(3, "Dimensions of the embedding.", bounds=(2, 50))
    neighbours: int = setting(
        0, "Nearest neighbours of each bin; 0 is the square root of the number of bins.", bounds=(0, 1023)
    )
    min_dist: float = setting(0.0, "Smallest distance of two bins in the embedding.", bounds=(0.0, 1.0))
    negative_samples: int = setting(5, "Repelling samples for each attracting one.", bounds=(0, 100))
    learning_rate: float = setting(1.0, "First step size of the layout.", bounds=(1e-6, 100.0))
    epochs: int = setting(0, "Epochs of the layout; 0 is 500 up to 10,000 bins and 200 above.", bounds=(0, 100_000))
    start: str = setting(
        "pca",
        "First positions: 'pca' (principal components, the same on every backend) or 'spectral' (slower).",
        choices=("pca", "spectral"),
    )
    repeatable: bool = setting(
        True, "Whether the same seed gives the same embedding; false is faster on a GPU (--seed none)."
    )


@dataclass(frozen=True)
class Clusters:
    """HDBSCAN over a range of smallest cluster sizes; the run with the most clusters is kept."""

    min_samples: int = setting(10, "Neighbours that make a bin a core point.", bounds=(1, 1023))
    smallest: float = setting(0.006, "Smallest minimum cluster size, as a share of all bins.", bounds=(1e-6, 1.0))
    largest: float = setting(0.020, "Largest minimum cluster size, as a share of all bins.", bounds=(1e-6, 1.0))
    step: float = setting(0.001, "Step between the two, as a share of all bins.", bounds=(1e-6, 1.0))
    selection: str = setting(
        "eom", "'eom' (excess of mass) or 'leaf' (finer, more even clusters).", choices=("eom", "leaf")
    )


@dataclass(frozen=True)
class Classifier:
    """The multilayer perceptron from features to labels."""

    hidden: tuple[int, ...] = setting((128, 128), "Units of each hidden layer.")
    learning_rate: float = setting(
        0.05, "Adam's largest step size, for batches of at least 1,024 bins.", bounds=(1e-8, 10.0)
    )
    batch: int = setting(2048, "Most bins in a mini-batch.", bounds=(1, 2**24))
    max_epochs: int = setting(
        10, "Passes over the training bins; the step size falls to 0 over them.", bounds=(1, 100_000)
    )
    patience: int = setting(8, "Epochs without a better validation accuracy before the fit stops.", bounds=(1, 100_000))
    tolerance: float = setting(
        1e-4, "Smallest gain of the validation accuracy that counts as better.", bounds=(0.0, 1.0)
    )
    l2: float = setting(1e-4, "Weight decay.", bounds=(0.0, 10.0))
    held_out: float = setting(0.2, "Share of bins held out for the two held-out scores.", bounds=(0.01, 0.9))
    folds: int = setting(10, "Folds of the cross-validation; 0 leaves it out.", bounds=(0, 100))
    block_s: float = setting(
        30.0, "Length of the time spans that are held out as a whole, in seconds.", bounds=(0.1, 1e6)
    )


@dataclass(frozen=True)
class Settings:
    """Every number of the method."""

    seed: int = setting(23, "Seed of everything random.", bounds=(0, 2**32 - 1))
    max_training_bins: int = setting(
        150_000,
        "Most bins to learn from: of more, a sample even over sessions and time; the classifier labels all.",
        bounds=(1000, 10**9),
    )
    input: Input = field(default_factory=Input)
    likelihood: Likelihood = field(default_factory=Likelihood)
    features: Features = field(default_factory=Features)
    embedding: Embedding = field(default_factory=Embedding)
    clusters: Clusters = field(default_factory=Clusters)
    classifier: Classifier = field(default_factory=Classifier)


def fps_problems(given: object) -> list[str]:
    """A sentence where :func:`parse_fps` would raise."""
    try:
        parse_fps(given)
    except BadInput as error:
        return [str(error)]
    return []


def parse_fps(given: object) -> float:
    """Frames per second from what the user gave.

    Raises
    ------
    BadInput
        Missing, not a number, or below 10.
    """
    if given is None or given == "" or given == 0.0:
        msg = "the frame rate is missing: give the camera's frames per second, for example --fps 60"
        raise BadInput(msg)
    try:
        fps = float(str(given))
    except ValueError:
        fps = math.nan
    if not math.isfinite(fps):
        msg = f"the frame rate {given!r} is not a number: give the camera's frames per second, for example --fps 29.97"
        raise BadInput(msg)
    if fps < MIN_FPS:
        msg = (
            f"the frame rate {fps:g} is too low: 100 ms windows need at least {MIN_FPS:g} frames per second; "
            "give the camera's own rate, for example --fps 30"
        )
        raise BadInput(msg)
    return fps


def problems_of(settings: Settings) -> list[str]:
    """A sentence for each value that cannot be used."""
    problems = _unusable(settings, "")
    if problems:
        return problems
    bin_frames = settings.features.bin_s * (settings.input.fps or MIN_FPS)
    if bin_frames < 1:
        problems.append(f"[features] bin_s = {settings.features.bin_s:g} is shorter than a frame")
    if settings.clusters.smallest > settings.clusters.largest:
        problems.append("[clusters] smallest is above largest")
    if not all(units >= 1 for units in settings.classifier.hidden):
        hidden = list(settings.classifier.hidden)
        problems.append(f"[classifier] hidden = {hidden}; expected whole numbers of at least 1")
    return problems + _group_problems(settings.input.group)


def _unusable(section: Any, where: str) -> list[str]:
    """A sentence for each value that is of another type than its default, not finite, or out of range."""
    problems = []
    for f in fields(section):
        value, default = getattr(section, f.name), default_of(f)
        if is_dataclass(default):
            if isinstance(value, type(default)):
                problems += _unusable(value, f"[{f.name}] ")
            else:
                problems.append(f"{f.name} = {value!r}; expected {type(default).__name__}(...)")
            continue
        low, high = f.metadata["bounds"]
        choices = f.metadata["choices"]
        if converted(value, default) is None:
            problems.append(f"{where}{f.name} = {value!r}; expected {kind_of(default)}")
        elif choices and value not in choices:
            problems.append(f"{where}{f.name} = {value!r}; expected one of {', '.join(map(repr, choices))}")
        elif isinstance(value, int | float) and not (low <= value <= high and math.isfinite(value)):
            problems.append(f"{where}{f.name} = {value!r}; expected {_range(low, high)}")
    return problems


def _range(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "a finite number"
    return f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"


def default_of(setting: Field[Any]) -> Any:
    """Default value of a field of the settings."""
    if setting.default_factory is not MISSING:
        return setting.default_factory()
    return setting.default


def converted(value: Any, default: Any) -> Any:
    """Value as the type of the default, or None where it is of another kind; an empty tuple is one of texts."""
    if isinstance(default, tuple):
        kind = type(default[0]) if default else str
        fits = isinstance(value, list | tuple) and all(type(item) is kind for item in value)
        return tuple(value) if fits else None
    if isinstance(default, float) and type(value) in (int, float):
        return float(value)
    return value if type(value) is type(default) else None


def kind_of(default: Any) -> str:
    """What :func:`converted` takes, in words."""
    if isinstance(default, tuple):
        return "a list of whole numbers" if default else "a list of texts"
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[type(default)]


def _group_problems(group: str) -> list[str]:
    if not group:
        return []
    try:
        groups = re.compile(group).groups
    except re.error as error:
        return [f"[input] group = {group!r} is no regular expression: {error}"]
    return [] if groups == 1 else [f"[input] group = {group!r}; expected one parenthesised group, found {groups}"]


def check(settings: Settings) -> Settings:
    """Return the settings, or raise :class:`BadInput` telling every value that cannot be used."""
    raise_all(problems_of(settings), heading="settings that cannot be used:")
    return settings
