"""The random forest on every array library, in a build and a prediction."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import NumpyArrays
from quick import QUICK
from sklearn.ensemble import RandomForestClassifier

import bsoid_gpu
from bsoid_gpu.errors import BadInput
from bsoid_gpu.estimators import random_forest
from bsoid_gpu.estimators.random_forest import RandomForest, RandomForestSettings
from bsoid_gpu.settings import toml
from bsoid_gpu.synthetic.sessions import simulate_session

SETTINGS = RandomForestSettings(trees=12, min_samples_leaf=3)


def rings(bins=3000, seed=0):
    """Four classes by distance from the centre and by side; the third column is noise."""
    features = np.random.default_rng(seed).uniform(-1, 1, size=(bins, 3))
    return features, 2 * (np.hypot(*features[:, :2].T) > 0.7) + (features[:, 0] > 0)


@pytest.mark.parametrize("max_features", ["sqrt", "all"])
def test_probabilities_equal_those_of_scikit_learn(arrays, max_features):
    features, labels = rings()
    held_out, _ = rings(5000, seed=1)
    settings = replace(SETTINGS, max_features=max_features, max_depth=6)
    forest = random_forest.fit(arrays.asarray(features), arrays.asarray(labels), 4, settings, 7, arrays)
    expected = RandomForestClassifier(
        n_estimators=12, min_samples_leaf=3, max_depth=6, random_state=7,
        max_features=1.0 if max_features == "all" else "sqrt",
    ).fit(features.astype(np.float32), labels)  # fmt: skip
    probabilities = arrays.to_host(forest.predict_proba(arrays.asarray(held_out)))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, expected.predict_proba(held_out.astype(np.float32)), atol=1e-6)
    assert forest.levels.shape == (6,)


def test_one_split_by_hand():
    features, labels = np.asarray([[0.0], [1.0], [3.0], [4.0]]), np.asarray([0, 0, 2, 2])
    settings = RandomForestSettings(trees=50, min_samples_leaf=1)
    forest = random_forest.fit(features, labels, 4, settings, 0, NumpyArrays())
    probabilities = forest.predict_proba(np.asarray([[-1.0], [9.0]]))
    assert probabilities[0, 0] > 0.8
    assert probabilities[1, 2] > 0.8  # a bootstrap sample may have only one class
    assert (probabilities[:, [1, 3]] == 0).all()  # classes without bins


def test_a_single_class_needs_no_split():
    forest = random_forest.fit(np.ones((20, 2)), np.zeros(20, dtype=int), 1, SETTINGS, 0, NumpyArrays())
    assert forest.levels.shape == (0,)
    assert forest.predict_proba(np.zeros((3, 2))).tolist() == [[1.0]] * 3
    assert forest.predict_proba(np.zeros((0, 2))).shape == (0, 1)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_forest():
    features, labels = rings(500)
    one, same, other = (random_forest.fit(features, labels, 4, SETTINGS, seed, NumpyArrays()) for seed in (5, 5, 6))
    assert all(array.tobytes() == same.arrays()[name].tobytes() for name, array in one.arrays().items())
    assert one.threshold.tobytes() != other.threshold.tobytes()
    again = RandomForest.from_arrays(one.arrays())
    assert again.predict_proba(features).tobytes() == one.predict_proba(features).tobytes()


def test_a_run_with_a_forest_predicts_and_shares_the_clusters_of_another_classifier(tmp_path):
    poses = [simulate_session(f"mouse{i}", 2700, 30.0, np.random.default_rng(i))[0] for i in range(3)]
    settings = replace(QUICK, classifier=SETTINGS)
    run = bsoid_gpu.build(poses[:2], fps=30, settings=settings, backend="cpu", out=tmp_path / "run")
    assert run.scores["held_out_random"] > 0.6
    assert run.model.estimators["classifier"] == {"method": "random_forest", "version": 1}
    loaded = bsoid_gpu.load_model(tmp_path / "run")
    assert loaded.settings.classifier == SETTINGS
    assert loaded.to_bytes() == run.model.to_bytes()
    first, second = (bsoid_gpu.predict(model, poses[2], backend="cpu")[0] for model in (run.model, loaded))
    assert len(first.labels) == 2700
    assert first.probabilities.tobytes() == second.probabilities.tobytes()
    # the embedding and the clusters are those of the other classifier
    other = bsoid_gpu.build(poses[:2], fps=30, settings=QUICK, backend="cpu", out=tmp_path / "run")
    assert other.soft_labels.tobytes() == run.soft_labels.tobytes()
    assert not isinstance(other.classifier, RandomForest)


def test_the_settings_select_the_forest_and_accept_only_its_names():
    settings = toml.from_mapping({"classifier": {"method": "random_forest", "trees": 7}})
    assert settings.classifier == RandomForestSettings(trees=7)
    with pytest.raises(BadInput, match=r"unknown setting '.classifier. hidden'"):
        toml.from_mapping({"classifier": {"method": "random_forest", "hidden": [3]}})
    with pytest.raises(BadInput, match="'perceptron', 'random_forest'"):
        toml.from_mapping({"classifier": {"method": "forest"}})


def test_a_row_at_a_threshold_goes_left_as_in_scikit_learn(arrays):
    features, labels = np.repeat([[0.0], [2.0]], 20, axis=0), np.repeat([0, 1], 20)  # every tree splits them at 1
    forest = random_forest.fit(arrays.asarray(features), arrays.asarray(labels), 2, SETTINGS, 0, arrays)
    other = RandomForestClassifier(n_estimators=12, min_samples_leaf=3, random_state=0).fit(features, labels)
    rows = np.asarray([[1.0], [np.nextafter(np.float32(1), np.float32(2))]])
    probabilities = arrays.to_host(forest.predict_proba(arrays.asarray(rows)))
    assert probabilities.tolist() == other.predict_proba(rows).tolist() == [[1, 0], [0, 1]]
