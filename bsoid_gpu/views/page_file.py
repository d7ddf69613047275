"""The report's page: one HTML file that holds its data, style and program, and asks for nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FOLDER = Path(__file__).with_name("page")
MAIN = "main.js"
STYLES = ("page.css", "print.css")
ARRAY_TYPES = ("uint8", "uint16", "int16", "uint32", "float32")
IMPORT = re.compile(r'^import\s[^;]*?from\s+"\./(\w+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.MULTILINE)
PLACE = re.compile(r"\{\{(\w+)\}\}")


def packed(array: NDArray[Any]) -> dict[str, Any]:
    """An array as the page reads it.

    Parameters
    ----------
    array
        uint8, uint16, int16, uint32 or float32, of any shape.

    Returns
    -------
    dict
        type, shape, and data: base64 of the values in C order, little endian.

    Raises
    ------
    BadInput
        Another type: a cast would lose values without a word.
    """
    if array.dtype.name not in ARRAY_TYPES:
        msg = f"an array of the page is of type {array.dtype.name}; expected {', '.join(ARRAY_TYPES)}"
        raise BadInput(msg)
    values = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return {"type": array.dtype.name, "shape": list(array.shape), "data": base64.b64encode(values.tobytes()).decode()}


def page(data: Mapping[str, Any]) -> bytes:
    """The page as one HTML file.

    Parameters
    ----------
    data
        What the page shows; arrays in it are `packed`. Numbers that are NaN or infinite become null.

    Returns
    -------
    bytes
        UTF-8. The policy in its head lets it load only itself, and connect only to the server that sent it.
    """
    style = "".join((FOLDER / name).read_text(encoding="utf-8") for name in STYLES)
    program = script()
    parts = {"policy": _policy(program, style), "style": style, "data": _json(data), "script": program}
    template = (FOLDER / "page.html").read_text(encoding="utf-8")
    return PLACE.sub(lambda place: parts[place[1]], template).encode()


def script() -> str:
    """The program of the page: its modules one after the other, each after those that it imports.

    Names at the top of the modules are unique, so that imports and exports can be left out.
    """
    return "".join(EXPORT.sub("", IMPORT.sub("", source)) for source in _ordered(MAIN, {}).values())


def _ordered(name: str, before: dict[str, str]) -> dict[str, str]:
    """Add a module after those that it imports; a module that is there already stays where it is."""
    source = (FOLDER / name).read_text(encoding="utf-8")
    for imported in IMPORT.findall(source):
        if imported not in before:
            before = _ordered(imported, before)
    return before if name in before else {**before, name: source}


def _policy(program: str, style: str) -> str:
    """Content-Security-Policy: the inline program and style by their digests, and no address but the own server."""

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {digest(program)}",
            f"style-src {digest(style)}",
            "img-src data: blob:",
            "media-src data: blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _json(data: Mapping[str, Any]) -> str:
    """ASCII, without a character that could end the element that holds it."""
    text = json.dumps(_plain(data), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _plain(value: Any) -> Any:
    """Lists, dicts, strings and finite numbers; NumPy's numbers become Python's, and NaN null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
