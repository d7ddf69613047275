"""How the documentation is built: ``make docs``. Nothing is fetched from a network."""

from __future__ import annotations

from pathlib import Path

import bsoid_gpu
from bsoid_gpu.estimators import registry
from bsoid_gpu.settings import toml
from bsoid_gpu.settings.schema import ROLES, Settings

project = "bsoid_gpu"
author = "the bsoid_gpu authors"
copyright = f"2026, {author}"
version = release = bsoid_gpu.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
exclude_patterns = ["_generated/*.md"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = "bsoid_gpu"
myst_heading_anchors = 3

autosummary_generate = True
autodoc_mock_imports = ["cudf", "cuml", "cupy", "rmm"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
numpydoc_show_class_members = False

PUBLIC = [getattr(bsoid_gpu, name) for name in bsoid_gpu.__all__]
GENERATED = Path(__file__).parent / "_generated"


def write_settings(_: object) -> None:
    """Write what ``bsoid-gpu config`` prints, and the section of each other method, as a page to include."""
    blocks = [f"```toml\n{toml.to_toml(Settings())}```\n"]
    for section, role in ROLES.items():
        for name in registry.names(role):
            if name != getattr(Settings(), section).method:
                variant = toml.to_toml(toml.from_mapping({section: {"method": name}}))
                blocks.append(f"With `{name}` as the {role}:\n\n```toml\n{_section(variant, section)}```\n")
    GENERATED.mkdir(exist_ok=True)
    (GENERATED / "settings.md").write_text("\n".join(blocks), encoding="utf-8")


def _section(text: str, name: str) -> str:
    """One section of a settings file."""
    start = text.index(f"[{name}]")
    end = text.find("\n\n[", start)
    return text[start:] if end < 0 else text[start : end + 1]


def skip_public(_app: object, _what: str, _name: str, member: object, skip: bool, _options: object) -> bool:
    """Leave what the package gives by a short name out of the pages of modules: it has a page of its own."""
    return skip or any(member is public for public in PUBLIC)


def setup(app: object) -> None:
    """Write the settings before the pages are read, and describe each object once."""
    app.connect("builder-inited", write_settings)
    app.connect("autodoc-skip-member", skip_public)
