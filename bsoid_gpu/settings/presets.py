"""Presets: named settings, as their difference from the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bsoid_gpu.errors import BadInput
from bsoid_gpu.settings.schema import Settings
from bsoid_gpu.settings.toml import from_mapping

DEFAULT = "default"
PRESETS: dict[str, Mapping[str, Any]] = {
    DEFAULT: {},
    # version 1.3 of the original program, which Hsu & Yttri (2021) describe
    "bsoid-1.3": {"clusters": {"selection": "eom", "smallest_s": 0.0}, "labels": {"stay": 0.0}},
    # the first form: t-SNE, a mixture by expectation maximisation, a support vector machine; features are all pairs,
    # and [features] roles selects its seven
    "bsoid-1": {
        "embedding": {"method": "tsne", "dimensions": 3},
        "clusters": {"method": "gaussian_mixture", "components": 30},
        "classifier": {"method": "svm"},
        "labels": {"stay": 0.0},
    },
    # the application with a graphical interface: dimensions by principal components, 25 sizes of clusters, and a
    # forest on the bins that are not noise
    "bsoid-2": {
        "embedding": {"dimensions": 0, "variance": 0.7, "neighbours": 60},
        "clusters": {
            "min_samples": 1,
            "smallest": 0.005,
            "largest": 0.010,
            "step": 0.005 / 24,
            "selection": "eom",
            "smallest_s": 0.0,
        },
        "classifier": {"method": "random_forest"},
        "labels": {"training": "hard", "stay": 0.0},
    },
    # behaviours of seconds, in bodies of any size
    "multiscale": {
        "models": 5,
        "features": {"scales_s": [0.5, 2.0], "lengths": "body", "standardise": "global"},
    },
}


def preset(name: str) -> Settings:
    """Settings of a preset.

    Raises
    ------
    BadInput
        No such preset; the message lists them.
    """
    if name not in PRESETS:
        msg = f"no preset is named {name!r}; expected one of {', '.join(map(repr, PRESETS))}"
        raise BadInput(msg)
    return from_mapping(PRESETS[name])
