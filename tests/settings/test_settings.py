import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.settings import presets, schema, toml
from bsoid_gpu.settings.schema import Settings

tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")


def test_defaults_survive_a_toml_file(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text(toml.to_toml(Settings()))
    assert toml.load(file) == Settings()


@given(st.lists(st.text(max_size=20)), st.floats(0, 1))
def test_any_names_survive_a_toml_file(keypoints, share):
    changed = replace(Settings().input, keypoints=tuple(keypoints), group="", unusable_share=share)
    settings = replace(Settings(), input=changed)
    assert toml.from_mapping(tomllib.loads(toml.to_toml(settings))) == settings


def test_numbers_survive_a_toml_file_and_an_empty_list_is_none():
    chosen = toml.from_mapping({"features": {"scales_s": [0.5, 2]}})
    assert chosen.features.scales_s == (0.5, 2.0)
    assert [type(scale) for scale in chosen.features.scales_s] == [float, float]
    assert toml.from_mapping(tomllib.loads(toml.to_toml(chosen))) == chosen
    assert toml.from_mapping({"features": {"scales_s": []}}, chosen).features.scales_s == ()
    assert toml.from_mapping({"classifier": {"hidden": [3]}}, Settings()).classifier.hidden == (3,)


def test_the_preset_of_several_time_scales():
    chosen = presets.preset("multiscale")
    assert (chosen.models, chosen.clusters.selection) == (5, "leaf")
    expected = schema.Features(scales_s=(0.5, 2.0), lengths="body", standardise="global")
    assert chosen.features == expected


def test_every_setting_is_explained():
    lines = toml.to_toml(Settings()).splitlines()
    values = [i for i, line in enumerate(lines) if " = " in line and not line.startswith("#")]
    assert len(values) > 30
    assert all(lines[i - 1].startswith("# ") for i in values)


def test_all_problems_are_reported_together():
    with pytest.raises(BadInput) as caught:
        toml.from_mapping({"sed": 1, "clusters": {"selection": 3, "smalest": 0.1}, "classifier": {"hidden": ["a"]}})
    text = str(caught.value)
    assert "did you mean 'seed'" in text
    assert "did you mean 'smallest'" in text
    assert "[clusters] selection = 3; expected a text" in text
    assert "[classifier] hidden = ['a']; expected a list of whole numbers" in text


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({"clusters": {"selection": "all"}}, "'eom', 'leaf'"),
        ({"clusters": {"smallest": 0.5}}, "smallest is above largest"),
        ({"embedding": {"neighbours": -1}}, "expected 0 to 1023"),
        ({"features": {"bin_s": 0.01}, "input": {"fps": 60}}, "shorter than a frame"),
        ({"input": {"group": "("}}, "not a regular expression"),
        ({"input": {"group": "abc"}}, "one parenthesised group"),
        ({"seed": -1}, "seed"),
        ({"seed": True}, "a whole number"),
        ({"embedding": 3}, "a table [embedding]"),
        ({"classifier": {"hidden": [0]}}, "at least 1"),
        ({"features": {"scales_s": [0.5, 0.0]}}, "scales_s = (0.5, 0.0); expected numbers of 0.01 to 60"),
        ({"features": {"scales_s": [0.5, float("nan")]}}, "expected numbers of 0.01 to 60"),
        ({"features": {"scales_s": ["a"]}}, "scales_s = ['a']; expected a list of numbers"),
        ({"features": {"scales_s": 0.5}}, "scales_s = 0.5; expected a list of numbers"),
        ({"features": {"scales_s": [0.5, 0.5]}}, "windows that differ from each other"),
        ({"features": {"scales_s": [0.1]}}, "from bin_s = 0.1"),
        ({"features": {"scales_s": [0.05]}}, "scales_s = 0.05 is shorter than a frame"),
        ({"features": {"lengths": "mm"}}, "expected one of 'px', 'body'"),
        ({"features": {"log": True, "scales_s": [0.5]}}, 'it needs scales_s and lengths = "body"'),
        ({"features": {"log": True, "lengths": "body"}}, 'it needs scales_s and lengths = "body"'),
        ({"features": {"roles": ["a", "b"]}}, "the order snout, left forepaw, right forepaw, left hindpaw"),
        ({"features": {"roles": ["a", "b", "c", "d", "e", "e"]}}, "expected 6 different keypoints"),
        ({"features": {"roles": list("abcdef"), "pairs": ["a - b"]}}, "roles and pairs both choose"),
    ],
)
def test_values_out_of_range_are_refused(tables, expected):
    with pytest.raises(BadInput, match=r".") as caught:
        toml.from_mapping(tables)
    assert expected in str(caught.value)


@pytest.mark.parametrize("text", ["seed = ", "\x00", "[input\n"])
def test_a_file_that_is_not_toml_is_refused(tmp_path, text):
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(BadInput, match="not a TOML file"):
        toml.load(file)


def test_a_missing_settings_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot read the settings"):
        toml.load(tmp_path / "none.toml")


@pytest.mark.parametrize("value", [None, "", 0.0, "sixty", "nan", "inf", 9.99, "-30", "1e3x"])
def test_unusable_frame_rates_are_refused(value):
    with pytest.raises(BadInput, match="frame rate") as caught:
        schema.parse_fps(value)
    assert "--fps" in str(caught.value)


@pytest.mark.parametrize("value", [10, "10", 29.97, "23.976", 200.0])
def test_usable_frame_rates_are_accepted(value):
    assert schema.parse_fps(value) == float(value)


@pytest.mark.parametrize(
    ("section", "changed", "expected"),
    [
        ("input", {"min_session_s": float("inf")}, "[input] min_session_s = inf; expected 0 or more"),
        ("input", {"min_session_s": float("nan")}, "min_session_s = nan"),
        ("input", {"keypoints": "snout"}, "keypoints = 'snout'; expected a list of texts"),
        ("classifier", {"hidden": (16.0,)}, "hidden = (16.0,); expected a list of whole numbers"),
        ("validation", {"folds": 2.5}, "folds = 2.5; expected a whole number"),
        ("clusters", {"selection": None}, "selection = None; expected a text"),
        ("embedding", {"repeatable": 1}, "repeatable = 1; expected true or false"),
    ],
)
def test_values_of_the_wrong_type_are_refused_in_python_too(section, changed, expected):
    settings = replace(Settings(), **{section: replace(getattr(Settings(), section), **changed)})
    with pytest.raises(BadInput, match=r".") as caught:
        schema.check(settings)
    assert expected in str(caught.value)


def test_a_section_of_the_wrong_type_is_refused():
    with pytest.raises(BadInput, match=r"input = 3; expected Input"):
        schema.check(replace(Settings(), input=3))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"embedding": {"neighbours": 1024}}, "neighbours = 1024; expected 0 to 1023"),
        ({"input": {"unusable_share": 1.01}}, "unusable_share = 1.01; expected 0 to 1"),
    ],
)
def test_values_above_their_range_are_refused(given, expected):
    with pytest.raises(BadInput, match=r".") as caught:
        toml.from_mapping(given)
    assert expected in str(caught.value)
    assert toml.from_mapping({"embedding": {"neighbours": 1023}}).embedding.neighbours == 1023


def test_values_of_another_type_and_values_out_of_range_are_reported_together():
    with pytest.raises(BadInput) as caught:
        toml.from_mapping({"input": {"min_session_s": float("inf"), "fps": float("nan")}, "seed": "x", "sed": 1})
    for problem in ("min_session_s = inf", "fps = nan", "seed = 'x'", "unknown setting 'sed'"):
        assert problem in str(caught.value)
