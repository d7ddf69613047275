"""The data of a page, as the page reads it."""

import base64
import json

import numpy as np


def data_of(page):
    """Data in a page at a path."""
    text = page.read_text(encoding="utf-8")
    start = text.index(">", text.index('id="data"')) + 1
    return json.loads(text[start : text.index("</script>", start)])


def unpacked(packed):
    """An array of the data."""
    return np.frombuffer(base64.b64decode(packed["data"]), packed["type"]).reshape(packed["shape"])
