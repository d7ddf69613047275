"""The model file: everything that prediction needs, in safetensors, with its description as JSON."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import files
from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators import registry
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
METADATA = "bsoid_gpu"  # one key: safetensors does not keep the order of several, and bytes must repeat
CLASSIFIER = "classifier."  # in front of the names of the classifier's arrays


@dataclass(frozen=True)
class Model:
    """Everything that prediction needs.

    Parameters
    ----------
    classifier
        Arrays of the classifier by name, on the host; :meth:`fitted` makes a classifier of them.
    keypoints
        Names, in the order of the features.
    fps
        Frame rate of the training sessions.
    settings
        All settings of the build; they name the estimators.
    label_bins
        Bins of each label, label 0 first: the largest.
    thresholds
        Likelihood thresholds (keypoints,) of each recording.
    scales
        Mean and standard deviation (2, columns) of each recording's features; of all together under ``""`` where the
        embedding's input was standardised globally.
    sessions
        Name and digest of each training file.
    backend
        Where it was built.
    scores
        Held-out accuracies and the rest of ``scores.json``.
    versions
        Of the program and of its libraries when the classifier was fitted.
    estimators
        Name and version of the estimator of each step.
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

    def __post_init__(self) -> None:
        if not self.estimators:
            object.__setattr__(self, "estimators", _estimators(self.settings))

    @property
    def labels(self) -> int:
        """Number of labels."""
        return len(self.label_bins)

    def fitted(self, backend: Backend | None = None) -> Classifier:
        """The classifier, its arrays on the backend, or on the host where there is none."""
        estimator = registry.of(ROLES["classifier"], self.settings.classifier)
        assert estimator.from_arrays is not None  # every classifier has it
        on = backend.asarray if backend is not None else lambda array: array
        return estimator.from_arrays({name: on(array) for name, array in self.classifier.items()})

    def to_bytes(self) -> bytes:
        """The model file: the same model gives the same bytes."""
        named = {f"{CLASSIFIER}{name}": array for name, array in self.classifier.items()}
        named |= {f"threshold.{i}": self.thresholds[name] for i, name in enumerate(sorted(self.thresholds))}
        named |= {f"scale.{i}": self.scales[name] for i, name in enumerate(sorted(self.scales))}
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
    """Everything but the arrays, as JSON can write it."""
    return {
        "format": FORMAT,
        "method": "B-SOiD (Hsu & Yttri 2021)",
        "estimators": model.estimators,
        "settings": toml.as_dict(model.settings),
        "keypoints": list(model.keypoints),
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
    """The model in lines for people."""
    bins, scores, s = sum(model.label_bins), model.scores, model.settings
    minutes = bins * s.features.bin_s / 60
    blocks = scores["held_out_blocks"]
    lines = [
        f"{model.labels} labels from {bins:,} bins ({minutes:.1f} min) of {len(model.sessions)} files at "
        f"{model.fps:g} fps",
        f"keypoints: {', '.join(model.keypoints)}",
        f"sessions: {', '.join(sorted(model.sessions))}",
        f"methods: {', '.join(one['method'] for one in model.estimators.values())}",
        f"standardised per {s.features.standardise}, seed {s.seed}, backend {model.backend}, "
        f"bsoid_gpu {model.versions['bsoid_gpu']}",
        f"held-out accuracy: {scores['held_out_random']:.4f} on random bins"
        + (f", {blocks:.4f} on held-out time blocks (labels from the full embedding)" if blocks is not None else ""),
        f"noise before soft assignment: {scores['noise_share']:.1%}",
        "label  share",
        *(f"{label:5d}  {count / bins:6.1%}" for label, count in enumerate(model.label_bins)),
        *(f"WARNING: {warning}" for warning in scores["warnings"]),
    ]
    return "\n".join(lines)


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model file, or the model of a run folder; those of earlier versions of the program too.

    Raises
    ------
    BadInput
        No such file, not a model file, damaged, or of a newer version.
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
            msg = f"{str(file)!r} is of format {description['format']}, newer than this program: update bsoid_gpu"
            raise BadInput(msg)
        return _model(*migrated(description, named))
    except (OSError, KeyError, ValueError, TypeError) as error:
        msg = f"{str(file)!r} is no model of bsoid_gpu, or it is damaged ({error}): build it again"
        raise BadInput(msg) from error


def _model(description: dict[str, Any], named: dict[str, NDArray[Any]]) -> Model:
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
    )
    model.fitted()  # KeyError where an array is missing
    return model
