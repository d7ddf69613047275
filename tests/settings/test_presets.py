import json

import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators import hdbscan
from bsoid_gpu.estimators.gaussian_mixture import GaussianMixtureSettings
from bsoid_gpu.estimators.random_forest import RandomForestSettings
from bsoid_gpu.estimators.svm import SvmSettings
from bsoid_gpu.estimators.tsne import TsneSettings
from bsoid_gpu.settings import schema, toml
from bsoid_gpu.settings.presets import DEFAULT, PRESETS, preset
from bsoid_gpu.settings.schema import Settings


@pytest.fixture(autouse=True)
def _newer_library(monkeypatch):
    """One that computes the tree of min_samples = 1."""
    monkeypatch.setattr(hdbscan.metadata, "version", lambda _: "0.3.4")


def difference(settings):
    """Settings that differ from the defaults, by section; those of another estimator as a whole."""
    defaults, changed = toml.as_dict(Settings()), toml.as_dict(settings)
    for section, values in changed.items():
        if isinstance(values, dict):
            default = defaults[section]
            other = values.get("method") != default.get("method")
            changed[section] = values["method"] if other else {k: v for k, v in values.items() if v != default[k]}
    return {section: values for section, values in changed.items() if values not in ({}, defaults[section])}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_valid_and_survives_a_toml_file(name, tmp_path):
    settings = preset(name)
    assert schema.check(settings) == settings
    file = tmp_path / "settings.toml"
    file.write_text(toml.to_toml(settings))
    assert toml.load(file) == settings
    assert toml.from_mapping(json.loads(json.dumps(toml.as_dict(settings)))) == settings


def test_each_preset_differs_from_the_defaults_as_stated():
    assert difference(preset(DEFAULT)) == {}
    assert difference(preset("bsoid-1")) == {
        "embedding": "tsne",
        "clusters": "gaussian_mixture",
        "classifier": "svm",
        "labels": {"stay": 0.0},
    }
    first = preset("bsoid-1")
    assert (first.embedding, first.classifier) == (TsneSettings(dimensions=3), SvmSettings())
    assert first.clusters == GaussianMixtureSettings(components=30)
    second = preset("bsoid-2")
    assert difference(second) == {
        "embedding": {"dimensions": 0, "neighbours": 60},
        "clusters": {
            "min_samples": 1, "smallest": 0.005, "largest": 0.01, "step": 0.005 / 24, "selection": "eom",
            "smallest_s": 0.0,
        },
        "classifier": "random_forest",
        "labels": {"training": "hard", "stay": 0.0},
    }  # fmt: skip
    assert second.embedding.variance == 0.7
    assert second.classifier == RandomForestSettings()


def test_the_second_has_twenty_five_sizes():
    sizes = hdbscan.sizes(100_000, preset("bsoid-2").clusters, 0.1)
    assert len(sizes) == 25
    assert (sizes[0], sizes[-1]) == (500, 1000)


def test_the_second_is_refused_where_the_library_computes_a_wrong_tree(monkeypatch):
    monkeypatch.setattr(hdbscan.metadata, "version", lambda _: hdbscan.WRONG_FOR_ONE)
    with pytest.raises(BadInput, match="install a newer release"):
        preset("bsoid-2")


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match="'bsoid-1', 'bsoid-2'"):
        preset("bsoid-3")
