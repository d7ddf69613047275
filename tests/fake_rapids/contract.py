"""The recorded contract of a release, as signatures."""

import inspect
import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "contract"


def load(release):
    return json.loads((FOLDER / f"rapids-{release}.json").read_text())


def signature(parameters):
    """The signature that ``[[name, kind, default], ...]`` describes; a default is kept as its text."""
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                getattr(inspect.Parameter, kind),
                default=inspect.Parameter.empty if default is None or kind.startswith("VAR") else default,
            )
            for name, kind, default in parameters
        ]
    )


def bind(entry, arguments, keywords):
    """What the call gives each parameter, by name; ``TypeError`` where the release does not take it."""
    return dict(signature(entry["parameters"]).bind(*arguments, **keywords).arguments)
