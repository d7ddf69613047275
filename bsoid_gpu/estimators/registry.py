"""All estimators by role and name: each module of this package with an ``ESTIMATOR``."""

from __future__ import annotations

import functools
import pkgutil
from importlib import import_module
from typing import Any

from bsoid_gpu import estimators
from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators.base import Estimator


@functools.cache
def _all() -> dict[tuple[str, str], Estimator]:
    by_name = {}
    for module in pkgutil.iter_modules(estimators.__path__):
        if module.name.endswith("_cuda") or module.name == "registry":
            continue
        estimator = getattr(import_module(f"{estimators.__name__}.{module.name}"), "ESTIMATOR", None)
        if estimator is not None:
            by_name[estimator.role, estimator.name] = estimator
    return by_name


def names(role: str) -> list[str]:
    """Names of the estimators of a role."""
    return sorted(name for known_role, name in _all() if known_role == role)


def get(role: str, name: str) -> Estimator:
    """The estimator of that role and name.

    Raises
    ------
    BadInput
        The name is unknown; the message lists the known names.
    """
    if (role, name) not in _all():
        msg = f"no {role} is named {name!r}; expected one of {', '.join(map(repr, names(role)))}"
        raise BadInput(msg)
    return _all()[role, name]


def of(role: str, settings: Any) -> Estimator:
    """The estimator of a dataclass of settings."""
    return get(role, settings.method)
