"""The command that names behaviours."""

import pytest
from commands import refused, run

from bsoid_gpu.behaviours.names_file import load_names
from bsoid_gpu.errors import BadInput
from bsoid_gpu.run_folder.model_file import load_model
from bsoid_gpu.workflows.build import build
from bsoid_gpu.workflows.naming import Change, change_names, listed


def names_of(folder):
    model = load_model(folder)
    return load_names(folder, model.digest(), model.labels)


def test_the_command_prints_and_changes_names(reported):
    folder = reported / "run"
    first = run("names", folder)
    assert first.splitlines()[0].split() == ["label", "share", "name"]
    assert len(first.splitlines()) == load_model(folder).labels + 1
    assert not (folder / "behaviours.toml").exists()
    out = run("names", folder, "--set", "3=groom = wash", "--merge", "1, 2=walk", "--describe", "0=hardly moves",
                      "--colour", "0=#0000ff", "--hide", 4)  # fmt: skip
    assert "walk  (labels 1 + 2)" in out
    assert "groom = wash" in out
    assert "(hardly moves)" in out
    assert "(hidden)" in out
    names = names_of(folder)
    assert (names.of(0).colour, names.of(4).hidden, names.version) == ("#0000ff", True, 1)
    out = run("names", folder, "--separate", 2, "--set", "3=", "--show", 4)
    assert "walk" in out
    assert "groom" not in out
    assert "hidden" not in out
    assert names_of(folder).of(2).labels == (2,)


def test_names_of_a_file_that_a_page_saved(reported):
    folder = reported / "run"
    change_names(folder, [Change(0, "name", "rest")])
    saved = folder.joinpath("behaviours.toml").read_text()
    change_names(folder, [Change(0, "name", "still"), Change(1, "name", "walk")])
    (reported / "mailed.toml").write_text(saved)
    out = run("names", folder, "--from", reported / "mailed.toml")
    assert "rest" in out
    assert "walk" not in out
    assert names_of(folder).version == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "groom"], "expected LABEL=VALUE"),
        (["--merge", "3"], "expected LABEL,LABEL"),
        (["--set", "99=groom"], "there is no label 99"),
        (["--set", "0=a", "--set", "1=a"], "two behaviours are called 'a'"),
        (["--colour", "0=red"], "#0072b2"),
        (["--from", "missing.toml"], "missing.toml"),
    ],
)
def test_what_cannot_be_used_changes_nothing(reported, arguments, message):
    folder = reported / "run"
    change_names(folder, [Change(5, "name", "kept")])
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert message in refused("names", folder, *arguments)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_build_that_resumes_keeps_the_names_and_another_model_puts_them_aside(reported, caplog):
    folder = reported / "run"
    change_names(folder, [Change(0, "name", "rest")])
    settings = load_model(folder).settings
    (folder / "manifest.json").unlink()  # as after a kill
    build(reported / "in", 30, folder, settings=settings, backend="cpu")
    assert names_of(folder).of(0).name == "rest"
    build(reported / "in", 30, folder, settings=settings, backend="cpu", seed=3)
    assert names_of(folder).version == 0
    assert "the names of the earlier model are kept" in caplog.text
    build(reported / "in", 30, folder, settings=settings, backend="cpu")
    assert names_of(folder).of(0).name == "rest"


def test_a_model_that_does_not_exist(tmp_path):
    with pytest.raises(BadInput, match="there is no model"):
        listed(tmp_path)
