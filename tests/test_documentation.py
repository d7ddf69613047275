"""What the pages say is so: commands work and print what is shown, settings are accepted, files are as described."""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pages
import pytest
from oldest import project
from pages import ROOT

from bsoid_gpu.cli.main import main
from bsoid_gpu.settings import toml

tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
TYPED = ["README.md", "docs/tutorial.md", "docs/your_files.md"]  # commands of the others need a cluster or a card


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


@pytest.fixture(scope="module")
def type_page(tmp_path_factory):
    """Types a page in a folder of its own, once; gives the folder, and each step with its exit code and its output."""
    done: dict[str, tuple[Path, list[tuple[pages.Typed, int, str]]]] = {}

    def type_once(page: str):
        if page not in done:
            folder = tmp_path_factory.mktemp("page")
            steps = [step for step in pages.typed(text_of(page)) if not step.not_run]
            done[page] = folder, [(step, *pages.run(step, folder)) for step in steps]
        return done[page]

    return type_once


@pytest.mark.slow
@pytest.mark.parametrize("page", TYPED)
def test_commands_print_what_the_page_shows(type_page, page):
    _, steps = type_page(page)
    assert len(steps) > 5
    for step, code, printed in steps:
        where = f"{page}: {step.text}\nexit code {code}, {step.exit_code} on the page"
        assert code == step.exit_code, f"{where}\n{printed}"
        assert pages.aligned(step.output, printed) is not None, f"{where}\nshown:\n{step.output}\nprinted:\n{printed}"


@pytest.mark.slow
def test_files_and_columns_are_the_documented_ones(type_page):
    folder, _ = type_page("docs/tutorial.md")
    documented = described(text_of("docs/files.md"))
    assert files_in(folder / "run1") == documented["What `build` writes"]
    assert {name.replace("mouse4", "NAME") for name in files_in(folder / "labels")} == documented[
        "What `predict` writes"
    ]
    for name in ("training.csv", "sweep.csv", "confusion.csv"):
        assert columns(folder / "run1" / name) == documented[f"`{name}`"], name
    for kind in ("labels", "bouts", "summary", "transitions"):
        assert columns(folder / "labels" / f"mouse4.{kind}.csv") == documented[f"`NAME.{kind}.csv`"], kind
    for name in ("scores.json", "quality.json", "manifest.json"):
        content = json.loads((folder / "run1" / name).read_text())
        assert set(content[0] if isinstance(content, list) else content) == documented[f"`{name}`"], name
    record = json.loads((folder / "labels" / "records" / "mouse4.json").read_text())
    assert set(record) == documented["`records/RECORDING.json`"]


def described(page: str) -> dict[str, set[str]]:
    """By heading, the names in the first cells of its table."""
    parts = re.split(r"^##+ (.*)\n", page, flags=re.MULTILINE)
    cells = {
        head: re.findall(r"^\| (`.*?) \|", body, re.MULTILINE)
        for head, body in zip(parts[1::2], parts[2::2], strict=True)
    }
    return {
        head: {name for cell in of_head for name in re.findall(r"`(.*?)`", cell)} for head, of_head in cells.items()
    }


def files_in(folder: Path) -> set[str]:
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    return {re.sub(r"^behaviours\.\w+\.toml$", "behaviours.toml", name) for name in names}  # of an earlier model


def columns(file: Path) -> set[str]:
    """Columns of a table; those that are there for each keypoint, pair, dimension or label have one name."""
    with file.open(newline="") as lines:
        names = next(csv.reader(lines))
    names = [
        re.sub(r"^(distance|turn) .+ - .+$", r"\1 A - B", re.sub(r"^displacement .+$", "displacement A", n))
        for n in names
    ]
    return {re.sub(r"^embedding_\d+$", "embedding_1", re.sub(r"^\d+$", "0", name)) for name in names}


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_understood(page):
    for step in pages.typed(text_of(page)):
        if step.python:
            compile(step.text, page, "exec")
            continue
        for command in re.split(r" && |; ", step.text):
            understand(command)


def understand(command: str) -> None:
    """Fail where a command names an option, a target, an extra or a file that is not there."""
    words = shlex.split(command, comments=True)
    if words[0] == "bsoid-gpu":
        group: click.Command = main
        arguments = words[1 : words.index(">")] if ">" in words else words[1:]
        while isinstance(group, click.Group):
            name, group, arguments = group.resolve_command(click.Context(group), arguments)
        group.make_context(name, arguments)
    elif words[0] == "make":
        assert words[1] in targets(), command
    elif words[:2] == ["pip", "install"]:
        extras = {extra for word in words for extra in re.findall(r"\[([\w-]+)\]", word)}
        assert extras <= set(project()["optional-dependencies"]), command
    elif words[:3] == ["mamba", "env", "create"]:
        assert (ROOT / words[words.index("-f") + 1]).is_file(), command
    elif words[0] == "python":
        assert (ROOT / words[1]).is_file(), command


def targets() -> list[str]:
    return re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE)


def test_what_is_not_typed_is_on_some_page():
    """The list of commands that are not run holds nothing that would hide a mistake."""
    texts = [step.text for page in PAGES for step in pages.typed(text_of(page))]
    for beginning in pages.NOT_RUN:
        assert any(text.startswith(beginning) for text in texts), beginning


@pytest.mark.parametrize("page", PAGES)
def test_settings_are_accepted(page):
    for block in re.findall(r"^```toml\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL):
        toml.from_mapping(tomllib.loads(block))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\((?!http)([^)#\s]+)#?([\w-]*)\)", text_of(page)):
        file = (ROOT / page).parent / target
        assert file.is_file(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in headings]


def test_inline_commands_are_understood():
    """Commands in the running text: every `bsoid-gpu X` and `make X` is one."""
    for page in PAGES:
        for words in re.findall(r"`(bsoid-gpu [a-z]+|make [a-z-]+)", text_of(page)):
            tool, name = words.split()
            known = (
                main.commands if tool == "bsoid-gpu" else re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE)
            )
            assert name in known, f"{page}: {words}"


ESTIMATOR_IS_ONE = "assert ESTIMATOR.fit and ESTIMATOR.settings().method == ESTIMATOR.name"
READER_IS_ONE = """
import pathlib, tempfile
from bsoid_gpu.backends import get_backend
from bsoid_gpu.io.reader import Request

[reader] = READERS
path = pathlib.Path(tempfile.mkdtemp()) / "m.ours"
path.write_bytes(MAGIC + np.arange(40, dtype="<f4").tobytes())
pose = reader.parse(reader.read(path), path, Request(30.0, get_backend("cpu"), ("tail_base",)))
assert reader.sniff(path) and reader.outline(path).frames == pose.frames == 10
assert pose.position[0].tolist() == [[[2.0, 3.0]]]
"""


def test_the_examples_of_the_architecture_are_what_they_say():
    """The modules in the page define an estimator, and a reader that reads a file."""
    examples = [step.text for step in pages.typed(text_of("docs/architecture.md")) if step.python]
    for example, check in zip(examples, (ESTIMATOR_IS_ONE, READER_IS_ONE), strict=True):
        subprocess.run([sys.executable, "-c", f"{example}\n{check}"], check=True)


PAGE = """
```console
$ first \\
> more    # exit code 3
of first
$ second
```

```python
print(1)
```

```text
1
```
"""


def test_a_page_is_read_as_it_is_typed():
    first, second, script = pages.typed(PAGE)
    assert (first.text, first.exit_code, first.output) == ("first \\\nmore    # exit code 3", 3, "of first\n")
    assert (second.text, second.exit_code, second.output) == ("second", 0, "")
    assert (script.text, script.python, script.output) == ("print(1)\n", True, "1\n")


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("12:00:01 mouse1: 3 frames, 0.1 s\n", "07:15:42 mouse1: 5 frames, 12.5 s\n", True),
        ("a 1\na 2\n", "a 3\na 4\na 5\n", True),  # rows of a table
        ("...\nlast\n", "first\nsecond\nlast\n", True),
        ("first\n...\n", "first\n", True),
        ("mouse1: 3 frames\n", "mouse1: 3 bins\n", False),
        ("first\nlast\n", "first\nsecond\nlast\n", False),
        ("first\nlast\n", "last\nfirst\n", False),
        ("", "something\n", False),
        ("...\nlast\n", "first\n", False),
    ],
)
def test_numbers_may_differ_and_words_may_not(shown, printed, same):
    assert (pages.aligned(shown, printed) is not None) == same


def test_what_is_typed_again_keeps_what_was_left_out():
    assert pages.aligned("...\nrow 1\nend 3\n", "log\nrow 5\nrow 6\nend 4\n") == ["...", "row 5", "row 6", "end 4"]
