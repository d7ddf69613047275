"""Print the oldest releases that pyproject.toml allows: `numpy>=1.23` becomes `numpy==1.23.*`."""

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
BOUND = re.compile(r"^([\w-]+)>=([\d.]+)")


def project() -> dict:
    return tomllib.loads(PYPROJECT.read_text())["project"]


def needed(extra: str) -> list[str]:
    """Requirements of the project and of one extra, with the extras that it names."""
    about = project()
    own = about["optional-dependencies"][extra]
    named = [other for requirement in own for other in re.findall(r"^bsoid-gpu\[([\w-]+)\]$", requirement)]
    plain = [requirement for requirement in own if not requirement.startswith("bsoid-gpu[")]
    return [*about["dependencies"], *plain, *(r for other in named for r in about["optional-dependencies"][other])]


def pinned(requirement: str) -> str:
    pin, count = BOUND.subn(r"\1==\2.*", requirement)
    if not count:
        msg = f"{requirement!r} in pyproject.toml has no lower bound; write it as NAME>=VERSION"
        raise ValueError(msg)
    return pin


if __name__ == "__main__":
    for requirement in needed("test"):
        sys.stdout.write(pinned(requirement) + "\n")
