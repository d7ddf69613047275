"""The model file: all that prediction needs, in safetensors, with a JSON description."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import files
from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators import registry
from bsoid_gpu.estimators.joined import Joined
from bsoid_gpu.method.classification import restorer
from bsoid_gpu.method.training_range import TrainingRange
from bsoid_gpu.run_folder import arrays
from bsoid_gpu.run_folder.migrations import FORMAT, migrated
from bsoid_gpu.settings import toml
from bsoid_gpu.settings.schema import ROLES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.estimators.base import Classifier
    from bsoid_gpu.settings.schema import Settings

FILE = "model.safetensors"
METADATA = "bsoid_gpu"  # one key: safetensors does not preserve the order of several, and bytes must be reproducible
CLASSIFIER = "classifier."  # prefix of the classifier's arrays
RANGE = "range."  # prefix of the arrays of the training range


@dataclass(frozen=True)
class Model:
    """All that prediction needs.

    Parameters
    ----------
    classifier
        Arrays of the classifier by name, on the host, or those of several models and the groups of their labels;
        :meth:`fitted` returns the classifier.
    keypoints
        Names of the keypoints, in the order of the features.
    fps
        Frame rate of the training sessions.
    settings
        All settings of the build, with the names of the estimators.
    label_bins
        Number of bins of each label, from label 0, the largest.
    thresholds
        Likelihood thresholds (keypoints,) of each recording.
    scales
        Mean and standard deviation (2, columns) of each recording's features; with global standardisation, those of all
        recordings under ``""``.
    sessions
        Name and digest of each training file.
    backend
        Backend of the build.
    scores
        Held-out accuracies and the other content of ``scores.json``.
    versions
        Versions of the program and its libraries when the classifier was fitted.
    estimators
        Name and version of the estimator of each step.
    training_range
        Body lengths and feature quantiles of the training sessions; None in a model of an earlier version.
    dimensions
        Of the positions: 2, or 3.
    """

    classifier: dict[str, NDArray[Any]]
    keypoints: tuple[str, ...]
    fps: float
    settings: Settings
    label_bins: tuple[int, ...]
    thresholds: dict[str, NDArray[np.float64]]
    scales: dict[str, NDArray[np.float64]]
    sessions: dict[str, str] = field(default_factory=dict)
    backend: str = "cpu"
    scores: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    estimators: dict[str, dict[str, Any]] = field(default_factory=dict)
    training_range: TrainingRange | None = None
    dimensions: int = 2

    def __post_init__(self) -> None:
        if not self.estimators:
            object.__setattr__(self, "estimators", _estimators(self.settings))

    @property
    def labels(self) -> int:
        """Number of labels."""
        return len(self.label_bins)

    def fitted(self, backend: Backend | None = None) -> Classifier:
        """The classifier, with its arrays on the backend or, without one, on the host."""
        restore = restorer(self.settings)
        move = backend.asarray if backend is not None else lambda array: array
        named = {name: move(array) for name, array in self.classifier.items()}
        return restore(named) if self.settings.models == 1 else Joined.from_arrays(named, restore)

    def to_bytes(self) -> bytes:
        """Content of the model file: equal models give equal bytes."""
        named = {f"{CLASSIFIER}{name}": array for name, array in self.classifier.items()}
        named |= {f"threshold.{i}": self.thresholds[name] for i, name in enumerate(sorted(self.thresholds))}
        named |= {f"scale.{i}": self.scales[name] for i, name in enumerate(sorted(self.scales))}
        if self.training_range is not None:
            named |= {f"{RANGE}{name}": array for name, array in vars(self.training_range).items()}
        return arrays.saved(named, {METADATA: json.dumps(about(self), sort_keys=True)})

    def digest(self) -> str:
        """Digest of the model file."""
        return files.digest(self.to_bytes())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file."""
        files.write_atomic(Path(path), self.to_bytes())


def _estimators(settings: Settings) -> dict[str, dict[str, Any]]:
    chosen = {section: registry.of(role, getattr(settings, section)) for section, role in ROLES.items()}
    return {section: {"method": one.name, "version": one.version} for section, one in chosen.items()}


def about(model: Model) -> dict[str, Any]:
    """Everything but the arrays, for JSON."""
    return {
        "format": FORMAT,
        "method": "B-SOiD (Hsu & Yttri 2021)",
        "estimators": model.estimators,
        "settings": toml.as_dict(model.settings),
        "keypoints": list(model.keypoints),
        "dimensions": model.dimensions,
        "fps": model.fps,
        "label_bins": list(model.label_bins),
        "recordings": sorted(model.thresholds),
        "scales": sorted(model.scales),
        "sessions": model.sessions,
        "backend": model.backend,
        "scores": model.scores,
        "versions": model.versions,
    }


def describe(model: Model) -> str:
    """Description of the model for people."""
    bins, scores, settings = sum(model.label_bins), model.scores, model.settings
    minutes = bins * settings.features.bin_s / 60
    blocks = scores["held_out_blocks"]
    lines = [
        f"{model.labels} labels from {bins:,} bins ({minutes:.1f} min) of {len(model.sessions)} files at "
        f"{model.fps:g} fps",
        f"keypoints: {', '.join(model.keypoints)}" + (" (3-D)" if model.dimensions == 3 else ""),
        f"sessions: {', '.join(sorted(model.sessions))}",
        *_range_lines(model),
        f"methods: {', '.join(one['method'] for one in model.estimators.values())}",
        f"standardised per {settings.features.standardise}, seed {settings.seed}, backend {model.backend}, "
        f"bsoid_gpu {model.versions['bsoid_gpu']}",
        f"held-out accuracy: {scores['held_out_random']:.4f} on random bins"
        + (f", {blocks:.4f} on held-out time blocks (labels from the full embedding)" if blocks is not None else ""),
        f"noise before soft assignment: {scores['noise_share']:.1%}",
        *_label_lines(model),
        *(f"WARNING: {warning}" for warning in scores["warnings"]),
    ]
    return "\n".join(lines)


def _label_lines(model: Model) -> list[str]:
    """Share of each label and, if it was measured, in how many models it returns."""
    bins, stability = sum(model.label_bins), model.scores.get("stability")
    shares = [f"{label:5d}  {count / bins:6.1%}" for label, count in enumerate(model.label_bins)]
    if not stability:
        return ["label  share", *shares]
    of = f"  of {stability['models']}"
    return [
        *_agreement_lines(stability),
        "label  share   returns in",
        *(f"{share}  {count:4d}{of}" for share, count in zip(shares, stability["returns_in"], strict=True)),
    ]


def _agreement_lines(stability: dict[str, Any]) -> list[str]:
    """Agreement of several models on held-out time blocks."""
    if stability["adjusted_rand"] is None:
        return []
    return [
        f"agreement of {stability['models']} models on held-out time blocks: adjusted Rand index "
        f"{stability['adjusted_rand']:.2f}, adjusted mutual information {stability['adjusted_mutual_information']:.2f}"
    ]


def _range_lines(model: Model) -> list[str]:
    """Body length of the training sessions."""
    known, px_per_mm = model.training_range, model.settings.input.px_per_mm
    if known is None:
        return []
    in_mm = f", {known.body_length_px / px_per_mm:.1f} mm" if px_per_mm else ""
    return [f"body length: {known.body_length_px:.1f} px{in_mm}"]


def folder_of(path: str | os.PathLike[str]) -> Path:
    """The run folder, or the folder of a model file."""
    file = Path(path)
    return file if file.is_dir() else file.parent


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model file, or the model of a run folder, also from earlier versions of the program.

    Raises
    ------
    BadInput
        No such file, no model file, damaged, or from a newer version.
    """
    file = Path(path)
    file = file / FILE if file.is_dir() else file
    if not file.is_file():
        msg = f"there is no model at {str(file)!r}: give a run folder of `bsoid-gpu build`, or its {FILE}"
        raise BadInput(msg)
    try:
        named, metadata = arrays.loaded(file)
        description = json.loads(metadata[METADATA])
        if description["format"] > FORMAT:
            msg = f"{str(file)!r} has format {description['format']}, newer than this program: update bsoid_gpu"
            raise BadInput(msg)
        return _model(*migrated(description, named))
    except (OSError, KeyError, ValueError, TypeError) as error:
        msg = f"{str(file)!r} is not a model of bsoid_gpu or is damaged ({error}): build it again"
        raise BadInput(msg) from error


def _model(description: dict[str, Any], named: dict[str, NDArray[Any]]) -> Model:
    ranges = {
        item.name: named[f"{RANGE}{item.name}"] for item in fields(TrainingRange) if f"{RANGE}{item.name}" in named
    }
    model = Model(
        classifier={name.removeprefix(CLASSIFIER): a for name, a in named.items() if name.startswith(CLASSIFIER)},
        keypoints=tuple(description["keypoints"]),
        fps=description["fps"],
        settings=toml.from_mapping(description["settings"]),
        label_bins=tuple(description["label_bins"]),
        thresholds={name: named[f"threshold.{i}"] for i, name in enumerate(description["recordings"])},
        scales={name: named[f"scale.{i}"] for i, name in enumerate(description["scales"])},
        sessions=description["sessions"],
        backend=description["backend"],
        scores=description["scores"],
        versions=description["versions"],
        estimators=description["estimators"],
        training_range=TrainingRange(**ranges) if ranges else None,
        dimensions=description["dimensions"],
    )
    model.fitted()  # KeyError where an array is missing
    return model
