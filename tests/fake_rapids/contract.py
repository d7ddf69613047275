"""The recorded contract of a release, as signatures."""

import inspect
import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "contract"


def load(release):
    return json.loads((FOLDER / f"rapids-{release}.json").read_text())


def signature(parameters):
    """The signature described by ``[[name, kind, default], ...]``; a default remains a text."""
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
    """Arguments of a call by parameter; ``TypeError`` if the release refuses the call."""
    return dict(signature(entry["parameters"]).bind(*arguments, **keywords).arguments)
