"""Functions of an array library that the array code uses."""

import ast
from pathlib import Path

import bsoid_gpu

PACKAGE = Path(bsoid_gpu.__file__).parent
NOT_ARRAY_CODE = "backends"


def array_functions():
    """Every NAME of ``xp.NAME`` in the package, with ``linalg.NAME``, and one module that uses it."""
    used = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if name.startswith("xp.") and path.parent.name != NOT_ARRAY_CODE:
                used[name.removeprefix("xp.")] = path.stem
    return used
