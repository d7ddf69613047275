"""The model file: everything that prediction needs, in safetensors, with its description as JSON."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import files
from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators.perceptron import Perceptron
from bsoid_gpu.run_folder import arrays
from bsoid_gpu.settings import toml

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Settings

FORMAT = 1
FILE = "model.safetensors"
METADATA = "bsoid_gpu"  # one key: safetensors does not keep the order of several, and bytes must repeat


@dataclass(frozen=True)
class Model:
    """What was learnt.

    Parameters
    ----------
    perceptron
        The classifier, its arrays on the host.
    keypoints
        Names, in the order of the features.
    fps
        Frame rate of the sessions that it learnt from.
    settings
        All settings of the build.
    label_bins
        Bins of each label, label 0 first: the largest.
    thresholds
        Likelihood thresholds (keypoints,) of each recording.
    scales
        Mean and standard deviation (2, columns) of each recording's features; of all under ``""`` where the
        embedding's input was standardised globally.
    sessions
        Name and digest of each file that it learnt from.
    backend
        Where it was built.
    scores
        Held-out accuracies and the rest of ``scores.json``.
    versions
        Of the program and of its libraries.
    """

    perceptron: Perceptron
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

    @property
    def labels(self) -> int:
        """Number of labels."""
        return len(self.label_bins)

    def to_bytes(self) -> bytes:
        """The model file: the same model gives the same bytes."""
        named = {f"perceptron.{name}": array for name, array in self.perceptron.arrays().items()}
        named |= {f"threshold.{i}": self.thresholds[name] for i, name in enumerate(sorted(self.thresholds))}
        named |= {f"scale.{i}": self.scales[name] for i, name in enumerate(sorted(self.scales))}
        return arrays.saved(named, {METADATA: json.dumps(about(self), sort_keys=True)})

    def digest(self) -> str:
        """Digest of the model file."""
        return files.digest(self.to_bytes())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file."""
        files.write_atomic(Path(path), self.to_bytes())


def about(model: Model) -> dict[str, Any]:
    """Everything but the arrays, as JSON can write it."""
    return {
        "format": FORMAT,
        "method": "B-SOiD (Hsu & Yttri 2021): UMAP, HDBSCAN, perceptron",
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
        f"standardised per {s.features.standardise}, seed {s.seed}, backend {model.backend}, "
        f"bsoid_gpu {model.versions['bsoid_gpu']}",
        f"held-out accuracy: {scores['held_out_random']:.4f} on random bins"
        + (f", {blocks:.4f} on time spans never seen" if blocks is not None else ""),
        f"noise before soft assignment: {scores['noise_share']:.1%}",
        "label  share",
        *(f"{label:5d}  {count / bins:6.1%}" for label, count in enumerate(model.label_bins)),
        *(f"WARNING: {doubt}" for doubt in scores["doubts"]),
    ]
    return "\n".join(lines)


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model file, or the model of a run folder.

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
        told = json.loads(metadata[METADATA])
        if told["format"] > FORMAT:
            msg = f"{str(file)!r} is of format {told['format']}, newer than this program: update bsoid_gpu"
            raise BadInput(msg)
        return _model(told, named)
    except (OSError, KeyError, ValueError, TypeError) as error:
        msg = f"{str(file)!r} is no model of bsoid_gpu, or it is damaged ({error}): build it again"
        raise BadInput(msg) from error


def _model(told: dict[str, Any], named: dict[str, NDArray[Any]]) -> Model:
    prefix = "perceptron."
    return Model(
        perceptron=Perceptron.from_arrays(
            {name.removeprefix(prefix): array for name, array in named.items() if name.startswith(prefix)}
        ),
        keypoints=tuple(told["keypoints"]),
        fps=told["fps"],
        settings=toml.from_mapping(told["settings"]),
        label_bins=tuple(told["label_bins"]),
        thresholds={name: named[f"threshold.{i}"] for i, name in enumerate(told["recordings"])},
        scales={name: named[f"scale.{i}"] for i, name in enumerate(told["scales"])},
        sessions=told["sessions"],
        backend=told["backend"],
        scores=told["scores"],
        versions=told["versions"],
    )


def on_backend(perceptron: Perceptron, backend: Backend) -> Perceptron:
    """The perceptron with its arrays on the backend."""
    return Perceptron.from_arrays({name: backend.asarray(array) for name, array in perceptron.arrays().items()})
