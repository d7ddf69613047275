"""Settings: one frozen dataclass per step; :mod:`bsoid_gpu.settings.presets` has those of published methods.

The section of a step with an estimator is the dataclass of that estimator, chosen by ``method``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from bsoid_gpu.errors import BadInput, raise_all
from bsoid_gpu.estimators import registry
from bsoid_gpu.estimators.base import CLASSIFIER, CLUSTERER, EMBEDDER
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.perceptron import PerceptronSettings
from bsoid_gpu.estimators.umap import UmapSettings
from bsoid_gpu.fields import INF, default_of, problems_of, setting

MIN_FPS = 10.0
KEYPOINT_ROLES = ("snout", "left forepaw", "right forepaw", "left hindpaw", "right hindpaw", "tail base")
PX, BODY = "px", "body"  # units of lengths
ROLES = {"embedding": EMBEDDER, "clusters": CLUSTERER, "classifier": CLASSIFIER}  # by section


@dataclass(frozen=True)
class Input:
    """Which sessions belong together, and which keypoints are used."""

    fps: float = setting(0.0, "Frames per second of the camera, at least 10; 0 requires --fps.")
    keypoints: tuple[str, ...] = setting((), "Exact names of the keypoints to use, in order; empty uses all.")
    group: str = setting(
        "",
        "Regular expression whose group gives the recording of a session: sessions of one recording share likelihood "
        "thresholds and scale. Empty: each session is a separate recording.",
    )
    individuals: tuple[str, ...] = setting((), "Exact names of the animals to use; empty uses all.")
    absent_s: float = setting(
        0.5,
        "Longest time without the animal that is bridged, in seconds; the frames of a longer one get no label.",
        bounds=(0.0, INF),
    )
    absent_share: float = setting(
        1.0, "Smallest share of missing keypoints in a frame without the animal.", bounds=(0.01, 1.0)
    )
    px_per_mm: float = setting(
        0.0, "Pixels per millimetre, for lengths in millimetres in tables; 0 if unknown.", bounds=(0.0, INF)
    )
    min_session_s: float = setting(10.0, "Shortest session to train on, in seconds.", bounds=(0.0, INF))
    unusable_share: float = setting(
        0.3, "Warn if a larger share of a keypoint's frames is below its threshold.", bounds=(0.0, 1.0)
    )

    def recording_of(self, session: str) -> str:
        """Name of the recording of a session, by ``group``."""
        match = re.search(self.group, session) if self.group else None
        return str(match.group(1)) if match and match.group(1) else session


@dataclass(frozen=True)
class Likelihood:
    """The adaptive likelihood filter."""

    histogram_bins: int = setting(10, "Bins of the likelihood histogram that gives the threshold.", bounds=(3, 1000))


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
    pairs: tuple[str, ...] = setting(
        (), 'Pairs of keypoints whose distances and turns are features, as "snout - tail_base"; empty uses all pairs.'
    )
    roles: tuple[str, ...] = setting(
        (),
        f"Keypoints of the seven features of the method's first form, in the order {', '.join(KEYPOINT_ROLES)}; empty "
        "uses the pairs.",
    )
    scales_s: tuple[float, ...] = setting(
        (),
        "Longer windows, in seconds, centred like those of bin_s: their mean and standard deviation are further "
        "features, and nothing is smoothed; empty uses the bins alone.",
        bounds=(0.01, 60.0),
        items=float,
    )
    lengths: str = setting(
        PX,
        "Unit of distances and displacements: 'px', or 'body' (the body length of the recording, median over frames).",
        choices=(PX, BODY),
    )
    log: bool = setting(
        False, "Logarithms of displacements and standard deviations, with scales_s and lengths = 'body' only."
    )


@dataclass(frozen=True)
class LabelSettings:
    """From clusters to the labels of frames."""

    training: str = setting(
        "soft",
        "Labels that the classifier is fitted to: 'soft' (each bin that of its likeliest cluster) or 'hard' (without "
        "the bins that are noise).",
        choices=("soft", "hard"),
    )
    stay: float = setting(
        0.97,
        "Probability of the same label in the next frame, for labels that are smoothed in time (Viterbi); 0 does not "
        "smooth. --smooth gives another.",
        bounds=(0.0, 0.999999),
    )
    evidence: float = setting(
        1.0, "Weight of the classifier's log probabilities of one bin in the smoothing.", bounds=(0.001, 1000.0)
    )


@dataclass(frozen=True)
class Validation:
    """How the classifier is scored on held-out bins, and whether the labels return in another model."""

    held_out: float = setting(0.2, "Share of bins held out for the two held-out scores.", bounds=(0.01, 0.9))
    folds: int = setting(10, "Folds of the cross-validation; 0 skips it.", bounds=(0, 100))
    block_s: float = setting(30.0, "Length of the held-out time blocks, in seconds.", bounds=(0.1, 1e6))
    stability: bool = setting(
        True, "Whether a second model, of another seed, shows which labels return; it takes about as long as the first."
    )


@dataclass(frozen=True)
class Settings:
    """All settings of the method.

    ``embedding``, ``clusters`` and ``classifier`` are the settings of an estimator of that role.
    """

    seed: int = setting(23, "Seed of all random numbers.", bounds=(0, 2**32 - 1))
    models: int = setting(
        1,
        "Models of other seeds and other phases of the bins whose labels are joined (consensus); 1 is a single model.",
        bounds=(1, 100),
    )
    max_training_bins: int = setting(
        150_000,
        "Most bins in the training subsample, evenly spread over sessions and time; the classifier labels all bins.",
        bounds=(1000, 10**9),
    )
    input: Input = field(default_factory=Input)
    likelihood: Likelihood = field(default_factory=Likelihood)
    features: Features = field(default_factory=Features)
    embedding: Any = field(default_factory=UmapSettings)
    clusters: Any = field(default_factory=HdbscanSettings)
    classifier: Any = field(default_factory=PerceptronSettings)
    labels: LabelSettings = field(default_factory=LabelSettings)
    validation: Validation = field(default_factory=Validation)


def fps_problems(value: object) -> list[str]:
    """The error of :func:`parse_fps` as a sentence, if there is one."""
    try:
        parse_fps(value)
    except BadInput as error:
        return [str(error)]
    return []


def parse_fps(value: object) -> float:
    """Frames per second from user input.

    Raises
    ------
    BadInput
        Missing, not a number, or below 10.
    """
    if value is None or value == "" or value == 0.0:
        msg = "the frame rate is missing: give the camera's frames per second, for example --fps 60"
        raise BadInput(msg)
    try:
        numerator, _, denominator = str(value).partition("/")  # video programs write 30000/1001
        fps = float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError):
        fps = math.nan
    if not math.isfinite(fps):
        msg = f"the frame rate {value!r} is not a number: give the camera's frames per second, for example --fps 29.97"
        raise BadInput(msg)
    if fps < MIN_FPS:
        msg = (
            f"the frame rate {fps:g} is too low: 100 ms windows need at least {MIN_FPS:g} frames per second; "
            "give the camera's own rate, for example --fps 30"
        )
        raise BadInput(msg)
    return fps


def problems_in(settings: Settings) -> list[str]:
    """A sentence for each value that cannot be used."""
    if not isinstance(settings, Settings):
        return [f"the settings are {settings!r}; expected Settings(...)"]
    problems = problems_of(settings, "")
    for item in fields(settings):
        section, default = getattr(settings, item.name), default_of(item)
        if not is_dataclass(default):
            continue
        if isinstance(section, _classes(item.name, default)):
            problems += problems_of(section, f"[{item.name}] ")
        else:
            expected = " or ".join(f"{kind.__name__}(...)" for kind in _classes(item.name, default))
            problems.append(f"{item.name} = {section!r}; expected {expected}")
    return problems or _contradictions(settings)


def _classes(section: str, default: Any) -> tuple[type[Any], ...]:
    """Dataclasses that a section may have."""
    if section not in ROLES:
        return (type(default),)
    role = ROLES[section]
    return tuple(registry.get(role, name).settings for name in registry.names(role))


def _contradictions(settings: Settings) -> list[str]:
    problems: list[str] = []
    problems += _feature_problems(settings.features, settings.input.fps or MIN_FPS)
    if 0 < settings.labels.stay < 0.5:
        problems.append(f"[labels] stay = {settings.labels.stay:g}; expected 0 (off), or 0.5 to below 1")
    for section, role in ROLES.items():
        estimator_settings = getattr(settings, section)
        problems += registry.of(role, estimator_settings).problems(estimator_settings)
    return problems + _group_problems(settings.input.group)


def _feature_problems(features: Features, fps: float) -> list[str]:
    problems = [
        f"[features] {name} = {seconds:g} is shorter than a frame"
        for name, seconds in (("bin_s", features.bin_s), *(("scales_s", scale) for scale in features.scales_s))
        if seconds * fps < 1
    ]
    names = [f"{seconds:g}" for seconds in (features.bin_s, *features.scales_s)]  # of columns
    if len(set(names)) < len(names):
        problems.append(
            f"[features] scales_s = {list(features.scales_s)}; expected windows that differ from each other and from "
            f"bin_s = {features.bin_s:g}, for example scales_s = [0.5, 2.0]"
        )
    if features.log and not (features.scales_s and features.lengths == BODY):
        problems.append(
            '[features] log = true; it needs scales_s and lengths = "body", for example scales_s = [0.5, 2.0]'
        )
    return problems + _role_problems(features)


def _role_problems(features: Features) -> list[str]:
    roles = features.roles
    if not roles:
        return []
    problems = []
    if len(roles) != len(KEYPOINT_ROLES) or len(set(roles)) < len(roles):
        problems.append(
            f"[features] roles = {list(roles)}; expected {len(KEYPOINT_ROLES)} different keypoints, in the order "
            f"{', '.join(KEYPOINT_ROLES)}"
        )
    if features.pairs:
        problems.append("[features] roles and pairs both choose the features: leave out one")
    return problems


def _group_problems(group: str) -> list[str]:
    if not group:
        return []
    try:
        groups = re.compile(group).groups
    except re.error as error:
        return [f"[input] group = {group!r} is not a regular expression: {error}"]
    return [] if groups == 1 else [f"[input] group = {group!r}; expected one parenthesised group, but it has {groups}"]


def check(settings: Settings) -> Settings:
    """Return the settings, or raise :class:`BadInput` with all values that cannot be used."""
    raise_all(problems_in(settings), heading="settings that cannot be used:")
    return settings
