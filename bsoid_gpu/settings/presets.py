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
