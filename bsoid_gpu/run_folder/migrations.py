"""Conversion of model files of earlier formats to the current one, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bsoid_gpu.settings.toml import with_new_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Content = tuple[dict[str, Any], dict[str, NDArray[Any]]]

FORMAT = 4


def migrated(description: dict[str, Any], named: dict[str, NDArray[Any]]) -> Content:
    """Description and arrays of a model file in the current format.

    Parameters
    ----------
    description
        Everything in the file but the arrays; ``format`` is its format.
    named
        Arrays of the file.
    """
    for step in STEPS[description["format"] - 1 :]:
        description, named = step(description, named)
    return description, named


def _name_estimators(description: dict[str, Any], named: dict[str, NDArray[Any]]) -> Content:
    """From format 1 (version 0.1), where UMAP, HDBSCAN and the perceptron were the only estimators, without names."""
    methods = {"embedding": "umap", "clusters": "hdbscan", "classifier": "perceptron"}
    settings, _ = with_new_names(description["settings"])
    for section, method in methods.items():
        settings[section] = {"method": method, **settings[section]}
    scores = {("warnings" if name == OLD_WARNINGS else name): value for name, value in description["scores"].items()}
    description = {
        **description,
        "format": 2,
        "settings": settings,
        "scores": scores,
        "estimators": {section: {"method": method, "version": 0} for section, method in methods.items()},
    }
    return description, {name.replace("perceptron.", "classifier.", 1): array for name, array in named.items()}


OLD_WARNINGS = "doubts"  # the key of the warnings in format 1


def _without_range(description: dict[str, Any], named: dict[str, NDArray[Any]]) -> Content:
    """From format 2: positions in two dimensions, without the range of the training sessions."""
    return {"dimensions": 2, **description, "format": 3}, named


def _single_model(description: dict[str, Any], named: dict[str, NDArray[Any]]) -> Content:
    """From format 3, of a single model whose stability was not measured, and with clusters of any duration.

    Other settings that are new since have their defaults: the labels of frames are smoothed in time.
    """
    settings = {**description["settings"]}
    settings["validation"] = {"stability": False, **settings["validation"]}
    if settings["clusters"]["method"] == "hdbscan":
        settings["clusters"] = {"smallest_s": 0.0, **settings["clusters"]}
    return {**description, "format": 4, "settings": settings}, named


STEPS: list[Callable[[dict[str, Any], dict[str, NDArray[Any]]], Content]] = [
    _name_estimators,
    _without_range,
    _single_model,
]
