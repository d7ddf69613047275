"""Damaged files of every format are read or refused; `python tests/fuzz.py 1000` tries more of them."""

import json

import fuzz
import pytest
from pose_formats import FORMATS

FILES = 60


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    return fuzz.Fuzz(folder, folder / "failures")


def test_damaged_files_are_read_or_refused(files):
    outcomes = [files.run(seed) for seed in range(FILES)]
    assert [f"{outcome.name}: {outcome.changes}: {outcome.problem}" for outcome in outcomes if outcome.problem] == []
    assert {outcome.name for outcome in outcomes} == set(FORMATS)
    assert {outcome.code for outcome in outcomes} == {fuzz.DONE, fuzz.REFUSED}


@pytest.fixture
def predicted(files, tmp_path):
    """The model, the file and the folder of a prediction that ended well."""
    (path,) = files.original("SLEAP labels").iterdir()
    model = files.original("SLEAP labels").with_suffix(".safetensors")
    assert fuzz.checked(model, path, tmp_path / "out", in_process=True) == (fuzz.DONE, "")
    return model, path, tmp_path / "out"


def problems(predicted, code=fuzz.DONE):
    model, path, out = predicted
    return list(fuzz.folder_problems(code, path, out, model))


def test_half_written_files_are_noticed(predicted):
    out = predicted[2]
    assert problems(predicted) == []
    assert any("refused, but" in problem for problem in problems(predicted, fuzz.REFUSED))
    (out / ".x.part").write_text("")
    assert "half-written" in problems(predicted)[0]


def test_changed_and_missing_tables_are_noticed(predicted):
    table = next(predicted[2].glob("*.labels.csv"))
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:-1]))
    assert ["digest" in problem or "329 labels" in problem for problem in problems(predicted)] == [True, True]
    manifest = predicted[2] / "manifest.json"
    content = json.loads(manifest.read_text())
    content["sessions"] = {}
    manifest.write_text(json.dumps(content))
    assert any("the manifest lists []" in problem for problem in problems(predicted))


@pytest.mark.parametrize(
    ("code", "output"), [(1, "error: x"), (0, "Traceback (most"), (4, "error: a bug in bsoid_gpu"), (4, "no reason")]
)
def test_bad_ends_are_noticed(code, output):
    assert fuzz.message_problem(code, output)
