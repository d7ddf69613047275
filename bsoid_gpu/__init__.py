"""Discovers behaviours of freely moving animals in pose tracks: B-SOiD's method on the CPU and on RAPIDS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bsoid_gpu._version import __version__

if TYPE_CHECKING:
    from bsoid_gpu.method.labelling import Prediction
    from bsoid_gpu.pose import Pose
    from bsoid_gpu.run_folder.model_file import Model, load_model
    from bsoid_gpu.run_folder.results import Run
    from bsoid_gpu.settings.presets import preset
    from bsoid_gpu.settings.schema import Settings
    from bsoid_gpu.workflows.build import build
    from bsoid_gpu.workflows.naming import change_names
    from bsoid_gpu.workflows.predict import predict
    from bsoid_gpu.workflows.report import report

__all__ = [
    "Model",
    "Pose",
    "Prediction",
    "Run",
    "Settings",
    "__version__",
    "build",
    "change_names",
    "load_model",
    "predict",
    "preset",
    "report",
]

_MODULES = {
    "Model": "run_folder.model_file",
    "Pose": "pose",
    "Prediction": "method.labelling",
    "Run": "run_folder.results",
    "Settings": "settings.schema",
    "build": "workflows.build",
    "change_names": "workflows.naming",
    "load_model": "run_folder.model_file",
    "predict": "workflows.predict",
    "preset": "settings.presets",
    "report": "workflows.report",
}


def __getattr__(name: str) -> Any:
    """Import a public name on its first use, so that importing the package loads nothing heavy."""
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
