"""The pages that users read, as the commands that they type and what those print.

A block fenced as ``console`` holds commands after ``$ `` (more lines of one after ``> ``) and their output. A block
fenced as ``python`` is a script; a ``text`` block right after it is its output. In an output, numbers stand for any
numbers, a row stands for any number of rows that differ from it in numbers alone, and a line ``...`` for any lines. A
comment ``# exit code N`` at the end of a command is its exit code, 0 where there is none.

    python tests/pages.py README.md docs/tutorial.md        types the commands again and writes down what they print
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"[-+]?\d[\d.,:]*%?")
LEFT_OUT = "..."

# what is shown but cannot be typed in a test, and why
NOT_RUN = {
    "pip install": "it changes the environment that the tests run in; `make dist` installs",
    "make ": "it makes an environment of its own, and some targets run these tests",
    "python3 -m venv": "the tests have an environment",
    ". .venv/bin/activate": "the tests have an environment",
    "mamba env create": "there may be no conda",
    "srun ": "it needs Slurm",
    "squeue": "it needs Slurm",
    "bash jobs/submit.sh": "it needs Slurm; tests/hpc submits on a private one",
    "bash swarm1/submit.sh": "it needs Slurm and swarm",
    "module ": "it needs Lmod or Environment Modules; tests/hpc loads the file by them",
    "apptainer ": "it needs Apptainer",
}


@dataclass(frozen=True)
class Typed:
    """A command or a script of a page: where it begins and its output begins and ends, in characters."""

    text: str
    python: bool
    output: str
    start: int
    output_start: int
    output_end: int

    @property
    def exit_code(self) -> int:
        """The documented one."""
        documented = None if self.python else re.search(r"# exit code (\d+)$", self.text)
        return int(documented.group(1)) if documented else 0

    @property
    def not_run(self) -> str:
        """Why it is not run; empty where it is."""
        reasons = [reason for beginning, reason in NOT_RUN.items() if self.text.startswith(beginning)]
        return reasons[0] if reasons and not self.python else ""


def typed(page: str) -> list[Typed]:
    """Everything that a page types, in order."""
    fences = list(FENCE.finditer(page))
    steps: list[Typed] = []
    for fence, following in zip(fences, [*fences, None][1:], strict=True):
        language, body, start = fence.group(1), fence.group(2), fence.start(2)
        if language == "python":
            shown = (
                following is not None
                and following.group(1) == "text"
                and not page[fence.end() : following.start()].strip()
            )
            where = following.span(2) if shown else (fence.end(2), fence.end(2))
            steps.append(Typed(body, True, page[slice(*where)], start, *where))
        elif language == "console":
            for command in re.finditer(r"^\$ (.*\n(?:> .*\n)*)((?:(?![$]).*\n)*)", body, re.MULTILINE):
                text = re.sub(r"^> ", "", command.group(1), flags=re.MULTILINE).strip()
                where = command.start(2) + start, command.end(2) + start
                steps.append(Typed(text, False, command.group(2), command.start() + start, *where))
    return steps


def run(step: Typed, folder: Path) -> tuple[int, str]:
    """Exit code of a step, and all that it prints."""
    command = [sys.executable, "-c", step.text] if step.python else ["bash", "-c", step.text]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout.decode()


def kinds(output: str) -> list[tuple[str, list[str]]]:
    """Lines of an output that differ in numbers alone, together, and what they have in common."""

    def common(line: str) -> str:
        return re.sub(r"#(?: #)+", "#", " ".join(NUMBER.sub("#", line).split()))

    return [(kind, list(lines)) for kind, lines in groupby(output.splitlines(), common)]


def aligned(documented: str, printed: str) -> list[str] | None:
    """The printed lines in the place of the documented ones, with the same lines left out; None where they differ."""
    wanted, there = [kind for kind, _ in kinds(documented)], kinds(printed)
    pattern = "".join(
        "(?:.*\n)*?" if kind == LEFT_OUT else f"(?P<k{i}>{re.escape(kind)}\n)" for i, kind in enumerate(wanted)
    )
    match = re.fullmatch(pattern, "".join(f"{kind}\n" for kind, _ in there))
    if match is None:
        return None
    lines = []
    for i, kind in enumerate(wanted):
        place = 0 if kind == LEFT_OUT else match.string.count("\n", 0, match.start(f"k{i}"))
        lines += [LEFT_OUT] if kind == LEFT_OUT else there[place][1]
    return lines


def retype(page: Path) -> None:
    """Run the steps of a page and write down what they print now."""
    text = page.read_text()
    with tempfile.TemporaryDirectory() as folder:
        results = [(step, None if step.not_run else run(step, Path(folder))) for step in typed(text)]
    for step, result in reversed(results):
        if result is None:
            continue
        code, printed = result
        lines = aligned(step.output, printed)
        if lines is None or code != step.exit_code:
            line = text.count("\n", 0, step.start) + 1
            sys.stderr.write(
                f"{page}:{line}: other words, look at it: {step.text.splitlines()[0]} (exit code {code})\n"
            )
        now = printed.splitlines() if lines is None else lines
        if (now or step.output) and not (step.python and not step.output):  # a script without a block for its output
            text = text[: step.output_start] + "".join(f"{line.rstrip()}\n" for line in now) + text[step.output_end :]
    page.write_text(text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        retype(Path(name))
