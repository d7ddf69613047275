"""No banned words in code, messages and documentation: standard terms exist for them.

A tilde in each word keeps it out of this file.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("bsoid_gpu", "tests", "docs", "benchmarks")
SUFFIXES = (".py", ".md", ".sh", ".toml", ".yml", ".def")
BANNED = {
    "to~ld": "reported, passed, requested",
    "learn~t from": "training",
    "time spans never~ seen": "held-out time blocks",
    "first posi~tions": "initialisation",
    "dra~ws": "random numbers, samples, plots",
    "dra~wn": "sampled, plotted",
    "dou~bts?": "warning",
    "men~d(s|ed|ing)?": "fix, repair",
    "goes? on where it stop~ped": "resumes",
}
OF_PICTURES = {"dra~ws", "dra~wn"}  # their usual sense in the room of views
BANNED_NAME = "fou~nd".replace("~", "")  # of a variable: name the result
EXEMPT = {ROOT / "bsoid_gpu" / "run_folder" / "migrations.py"}  # has keys of earlier file formats


def pattern(words: str) -> re.Pattern[str]:
    """Matches the words also within identifiers and across lines of a text or comment."""
    joined = words.replace("~", "").replace(" ", r"[\s_#*]+")
    return re.compile(rf"(?<![^\W_])(?:{joined})(?![^\W_])", re.IGNORECASE)


def files() -> list[Path]:
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    return sorted(path for path in [*inside, *ROOT.iterdir()] if path.suffix in SUFFIXES or path.name == "Makefile")


def variables(source: str) -> list[tuple[int, str]]:
    """Line and name of every variable, argument, function and import."""
    nodes = list(ast.walk(ast.parse(source)))
    fields = ("id", "arg", "name", "asname")
    return [(node.lineno, getattr(node, field)) for node in nodes for field in fields if hasattr(node, field)]


def test_no_banned_words():
    problems = []
    for path in set(files()) - EXEMPT:
        text = path.read_text(encoding="utf-8")
        for words, standard in BANNED.items():
            if words in OF_PICTURES and "views" in path.parts:
                continue
            for match in pattern(words).finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{path.relative_to(ROOT)}:{line}: {match[0]!r}; write for example: {standard}")
    assert not problems, "\n".join(sorted(problems))


def test_no_variable_has_the_banned_name():
    problems = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files()
        if path.suffix == ".py"
        for line, name in variables(path.read_text(encoding="utf-8"))
        if name == BANNED_NAME
    ]
    assert not problems, "\n".join(problems)


def test_patterns_match_words_also_in_identifiers_and_across_lines():
    report, first, repair = (pattern(words) for words in BANNED if words.startswith(("to", "first", "men")))
    assert report.search("IS_TO" + "LD_HERE")
    assert not report.search("to" + "lder")
    assert first.search("the first\n    # posi" + "tions")
    assert repair.search("it men" + "ds itself")
    assert not repair.search("recommended amendments")
    assert Path(__file__).resolve() in files()
    assert (1, BANNED_NAME) in variables(f"for {BANNED_NAME} in []: pass")
