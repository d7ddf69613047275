"""Model files of earlier versions of the program, brought to the present format one step at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bsoid_gpu.settings.toml import with_new_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Content = tuple[dict[str, Any], dict[str, NDArray[Any]]]

FORMAT = 2


def migrated(description: dict[str, Any], named: dict[str, NDArray[Any]]) -> Content:
    """Description and arrays of a model file in the present format.

    Parameters
    ----------
    description
        Everything but the arrays, as the file holds it; ``format`` is its format.
    named
        Its arrays.
    """
    for step in STEPS[description["format"] - 1 :]:
        description, named = step(description, named)
    return description, named


def _name_estimators(description: dict[str, Any], named: dict[str, NDArray[Any]]) -> Content:
    """Format 1, of version 0.1: UMAP, HDBSCAN and a perceptron were the only estimators, and had no names."""
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


OLD_WARNINGS = "doubts"  # their name in format 1
STEPS: list[Callable[[dict[str, Any], dict[str, NDArray[Any]]], Content]] = [_name_estimators]
