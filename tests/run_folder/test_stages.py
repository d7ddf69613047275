"""What the key of each stage depends on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bsoid_gpu.estimators.random_forest import RandomForestSettings
from bsoid_gpu.method.classification import Classification
from bsoid_gpu.method.clustering import Clustering
from bsoid_gpu.method.embedding import Embedding
from bsoid_gpu.run_folder import stages
from bsoid_gpu.run_folder.store import Stage, Store
from bsoid_gpu.settings.schema import Settings

SCORES = {"held_out_random": 1.0, "held_out_blocks": None, "cross_validation": []}


@pytest.fixture(autouse=True)
def _instant_estimators(monkeypatch):
    """The embedding depends on the number of epochs, the clusters on the number of samples."""

    def embed(features, bins, recordings, settings, *_):
        return Embedding(np.zeros((4, 2)), np.full((4, 3), settings.embedding.epochs, dtype=np.float32), {})

    def cluster(positions, bin_s, settings, *_):
        labels = np.arange(4) % 2
        return Clustering(labels, labels, np.full((4, 2), float(settings.clusters.min_samples)), pd.DataFrame())

    monkeypatch.setattr(stages, "embed", embed)
    monkeypatch.setattr(stages, "cluster", cluster)
    monkeypatch.setattr(stages, "classify", lambda *_: Classification({}, np.zeros(4), SCORES, np.zeros((2, 2))))


def again(folder, settings, *, content=0.0, bins=4, bin_s=0.1, backend="cpu"):
    """Run all stages in a folder; the names of those that it did not have."""
    where = SimpleNamespace(name=backend, asarray=np.asarray, to_host=np.asarray)
    with Store(folder) as store:
        store.run("features m", 1, {"content": content}, lambda _: Stage({"x": np.full(3, content)}))
        embedded = stages.embedding(np.zeros((bins, 2)), [bins], ["m"], settings, where, store)
        clustered = stages.clusters(embedded.positions, bin_s, settings, where, store)
        stages.classifier(np.zeros((bins, 2)), clustered.soft, [bins], bin_s, settings, where, store)
        return {name for name, stage in store.stages.items() if not stage.resumed}


def changed(section, **values):
    return replace(Settings(), **{section: replace(getattr(Settings(), section), **values)})


@pytest.mark.parametrize(
    ("settings", "other", "run"),
    [
        (Settings(), {}, set()),
        (replace(Settings(), seed=1), {}, {"embedding", "clusters", "classifier"}),
        (changed("features", standardise="global"), {}, {"embedding"}),
        (changed("embedding", epochs=7), {}, {"embedding", "clusters"}),
        (changed("embedding", min_dist=0.5), {}, {"embedding"}),
        (changed("clusters", min_samples=7), {}, {"clusters", "classifier"}),
        (changed("classifier", l2=0.5), {}, {"classifier"}),
        (replace(Settings(), classifier=RandomForestSettings()), {}, {"classifier"}),
        (changed("validation", folds=3), {}, {"classifier"}),
        (changed("labels", training="hard"), {}, {"classifier"}),
        (Settings(), {"content": 1.0}, {"features m", "embedding", "classifier"}),
        (Settings(), {"bins": 5}, {"embedding"}),
        (Settings(), {"bin_s": 0.2}, {"clusters", "classifier"}),
        (Settings(), {"backend": "cuda"}, {"embedding", "clusters", "classifier"}),
    ],
)
def test_a_stage_runs_again_if_anything_that_it_depends_on_has_changed(tmp_path, settings, other, run):
    again(tmp_path, Settings())
    assert again(tmp_path, settings, **other) == run
