"""Names, merged labels and their file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.behaviours.names import Behaviour, Behaviours
from bsoid_gpu.behaviours.names_file import (
    FILE,
    Conflict,
    copy_names,
    load_names,
    make_way,
    names_beside,
    save_names,
)
from bsoid_gpu.errors import BadInput

MODEL = "0123456789abcdef"


def test_every_label_is_in_one_behaviour():
    names = Behaviours(MODEL, 5, (Behaviour((3, 1), "walk"),))
    assert [one.labels for one in names.behaviours] == [(0,), (1, 3), (2,), (4,)]
    assert names.numbers() == [0, 1, 2, 1, 4]
    assert names.names() == ["label 0", "walk", "label 2", "walk", "label 4", ""]


def test_names_merges_and_separations():
    names = Behaviours(MODEL, 6).changed(3, name="groom", colour="#112233").merged([5, 3])
    assert names.of(5) == Behaviour((3, 5), "groom", colour="#112233")
    wider = names.merged([5, 0], "still")  # what is merged already stays together
    assert wider.of(3) == Behaviour((0, 3, 5), "still", colour="#112233")
    apart = wider.separated(3)
    assert [one.labels for one in apart.behaviours] == [(label,) for label in range(6)]
    assert apart.of(0).name == "still"
    assert apart.names()[3] == "label 3"


@pytest.mark.parametrize(
    ("behaviours", "message"),
    [
        ((Behaviour((7,)),), "label 7 is none of this model; expected 0 to 3"),
        ((Behaviour((-1,)),), "label -1"),
        ((Behaviour(("1",)),), "label '1'"),
        ((Behaviour((True,)),), "label True"),
        ((Behaviour(()),), "without labels"),
        ((Behaviour((0, 1)), Behaviour((1,))), "label 1 is in two behaviours"),
        ((Behaviour((0,), "a"), Behaviour((1,), "a")), "two behaviours are called 'a'"),
        ((Behaviour((0,), "label 2"),), "two behaviours are called 'label 2'"),
        ((Behaviour((0,), colour="red"),), "expected one like"),
        ((Behaviour((0,), "two\nlines"),), "line breaks"),
        ((Behaviour((0,), "x" * 101),), "too long"),
    ],
)
def test_what_cannot_be_used_is_refused(behaviours, message):
    with pytest.raises(BadInput, match=message):
        Behaviours(MODEL, 4, behaviours)


@given(
    names=st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), max_size=40), max_size=4),
    notes=st.text(st.characters(max_codepoint=0xD7FF), max_size=60),
)
def test_a_file_gives_back_what_was_saved(tmp_path_factory, names, notes):
    folder = tmp_path_factory.mktemp("run")
    unique = {name: None for name in names if not name.startswith("label ")}
    given_names = Behaviours(
        MODEL, 9, tuple(Behaviour((2 * i, 2 * i + 1), name, notes, "#0a0B0c", i == 1) for i, name in enumerate(unique))
    )
    saved = save_names(folder, given_names)
    assert load_names(folder, MODEL, 9) == saved
    assert (saved.behaviours, saved.version) == (given_names.behaviours, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[behaviours]]\nlabels = [0]\nnmae = 'x'", "unknown key 'nmae'"),
        ("[[behaviours]]\nname = 'x'", "without labels"),
        ("[[behaviours]]\nlabels = ['a', 1]", "label 'a'"),
        ("[[behaviours]]\nlabels = 1", "expected a list"),
        ("[[behaviours]]\nlabels = [0]\nhidden = 1", "expected a true or false"),
        ("behaviours = 1", "no list of tables"),
        ("version = -1", "version = -1"),
        ("names = {}", "unknown key 'names'"),
        ("[[behaviours]", "not a TOML file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_path(tmp_path, text, message):
    (tmp_path / FILE).write_text(f"model = '{MODEL}'\n{text}")
    with pytest.raises(BadInput, match=message) as error:
        load_names(tmp_path, MODEL, 4)
    assert FILE in str(error.value)


def test_names_of_another_model_are_refused_and_put_aside(tmp_path):
    save_names(tmp_path, Behaviours(MODEL, 4).changed(0, name="rest"))
    with pytest.raises(BadInput, match="another model"):
        load_names(tmp_path, "f" * 16, 4)
    assert names_beside([None, tmp_path], "f" * 16, 4) == Behaviours("f" * 16, 4)
    make_way(tmp_path, "f" * 16)
    assert load_names(tmp_path, "f" * 16, 4).version == 0
    save_names(tmp_path, Behaviours("f" * 16, 4).changed(0, name="other"))
    make_way(tmp_path, MODEL)  # the first model again
    assert load_names(tmp_path, MODEL, 4).of(0).name == "rest"
    make_way(tmp_path, MODEL)
    assert load_names(tmp_path, MODEL, 4).of(0).name == "rest"


def test_a_second_window_cannot_overwrite(tmp_path):
    first = save_names(tmp_path, Behaviours(MODEL, 4).changed(0, name="rest"))
    save_names(tmp_path, first.changed(1, name="walk"))
    with pytest.raises(Conflict, match="version 2, yours is based on 1"):
        save_names(tmp_path, first.changed(2, name="groom"))
    assert load_names(tmp_path, MODEL, 4).names()[:3] == ["rest", "walk", "label 2"]


def test_a_copy_never_loses_names_that_were_saved_there(tmp_path, caplog):
    run, labels = tmp_path / "run", tmp_path / "labels"
    run.mkdir()
    labels.mkdir()
    copy_names(labels, Behaviours(MODEL, 4))
    assert not (labels / FILE).exists()
    names = save_names(run, Behaviours(MODEL, 4).changed(0, name="rest"))
    copy_names(labels, names)
    assert load_names(labels, MODEL, 4) == names
    later = save_names(labels, names.changed(1, name="walk"))
    copy_names(labels, names)
    assert load_names(labels, MODEL, 4) == names
    assert "behaviours.version2.toml" in caplog.text
    assert load_names(labels / "behaviours.version2.toml", MODEL, 4) == later
