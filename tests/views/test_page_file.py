"""The page as a file: complete, closed to the outside, and safe against names."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.views import page_file
from bsoid_gpu.views.page_file import packed, page, script

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!-- <script>",
    "]]> \u2028 \u2029 {{script}} &lt; '\"\\",
    "w\u00e4lk \U0001f401",
    "\udcff of a file name",
]
MODULES = sorted(page_file.FOLDER.glob("*.js"))
TOP_NAME = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


class Elements(HTMLParser):
    """Elements of a page with their attributes and text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open = [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.open = (tag, dict(attributes), [])
        self.elements.append(self.open)

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open:
            self.open[2].append(data)

    def text(self, tag, **wanted):
        (element,) = [
            item for item in self.elements if item[0] == tag and all(item[1].get(k) == v for k, v in wanted.items())
        ]
        return "".join(element[2])


def data_of(text):
    return json.loads(Elements(text).text("script", id="data"))


def test_an_array_is_packed_as_little_endian_base64():
    assert packed(np.array([[1, 258]], dtype=np.uint16)) == {"type": "uint16", "shape": [1, 2], "data": "AQACAQ=="}


@pytest.mark.parametrize("name", page_file.ARRAY_TYPES)
def test_packed_arrays_keep_their_values_in_any_memory_order(name):
    values = np.arange(6).reshape(2, 3).astype(name)
    for array in (values, np.asfortranarray(values), values.astype(values.dtype.newbyteorder(">")), values[:, ::-1]):
        result = packed(array)
        back = np.frombuffer(base64.b64decode(result["data"]), dtype=np.dtype(name).newbyteorder("<"))
        assert result["type"] == name
        assert np.array_equal(back.reshape(result["shape"]), array)


def test_an_array_of_another_type_is_refused():
    with pytest.raises(BadInput, match=r"of type float64; expected uint8, .*float32"):
        packed(np.zeros(2))


@pytest.mark.parametrize("name", HOSTILE)
def test_names_come_back_as_they_are_and_open_no_element(name):
    data = {"title": name, "keypoints": [name], "behaviours": [{"name": name}], name: name}
    text = page(data).decode()
    assert data_of(text) == data
    plain = page({"title": "run"}).decode()
    assert [(tag, list(attributes)) for tag, attributes, _ in Elements(text).elements] == [
        (tag, list(attributes)) for tag, attributes, _ in Elements(plain).elements
    ]


def test_numbers_of_numpy_and_missing_ones_are_data():
    data = {"a": np.float32(0.5), "b": [np.int64(3), float("nan")], "c": (float("inf"), True, None)}
    assert data_of(page(data).decode()) == {"a": 0.5, "b": [3, None], "c": [None, True, None]}


def test_the_policy_names_the_digests_of_program_and_style_and_no_address():
    elements = Elements(page({}).decode())
    (policy,) = [
        attributes["content"]
        for tag, attributes, _ in elements.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))

    def digest(text):
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert rules == {
        "default-src": "'none'",
        "script-src": digest(elements.text("script", type="module")),
        "style-src": digest(elements.text("style")),
        "img-src": "data: blob:",
        "media-src": "data: blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_page_refers_to_nothing_outside():
    for tag, attributes, _ in Elements(page({}).decode()).elements:
        for name in ("src", "href", "srcset", "data", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
    assert not re.search(r"url\(|@import", Elements(page({}).decode()).text("style"))


def test_the_page_is_the_same_every_time():
    assert page({"title": "run"}) == page({"title": "run"})


def test_no_name_is_at_the_top_of_two_modules():
    names = [name for path in MODULES for name in TOP_NAME.findall(path.read_text())]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_the_program_holds_every_module_once_and_no_import():
    program = script()
    for path in MODULES:
        source = page_file.EXPORT.sub("", page_file.IMPORT.sub("", path.read_text()))
        assert program.count(source) == 1, path.name
    assert not re.search(r"^\s*(import|export)\b", program, re.MULTILINE)
    assert "</script" not in program.lower()


def test_each_module_comes_after_those_that_it_imports():
    program = script()
    start = {path.name: program.index(page_file.IMPORT.sub("", path.read_text()).splitlines()[0]) for path in MODULES}
    for path in MODULES:
        for imported in page_file.IMPORT.findall(path.read_text()):
            assert start[imported] < start[path.name], (path.name, imported)


def test_imports_name_what_the_other_module_exports():
    exported = {
        path.name: set(re.findall(r"^export (?:async )?(?:function|const|let|class) (\w+)", path.read_text(), re.M))
        for path in MODULES
    }
    for path in MODULES:
        for names, other in re.findall(r'^import\s*\{([^}]*)\}\s*from "\./([\w.]+)";', path.read_text(), re.M):
            wanted = {name.strip() for name in names.split(",") if name.strip()}
            assert wanted <= exported[other], (path.name, other)
            used = page_file.IMPORT.sub("", path.read_text())
            unused = [name for name in wanted if not re.search(rf"\b{name}\b", used)]
            assert unused == [], (path.name, other)


@pytest.mark.parametrize("path", [*MODULES, *page_file.FOLDER.glob("*.css"), *page_file.FOLDER.glob("*.html")])
def test_no_file_of_the_page_is_too_long(path):
    assert len(path.read_text().splitlines()) <= 300
